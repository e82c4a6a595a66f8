// One picture over all of the page, as large as the screen shows it, and the way on to those that are chosen or like it.

import { fill, find, h, icon } from "./dom.js";
import { number, t } from "../i18n/index.js";
import { nameOf } from "./panels.js";
import { thumbnailElement, original } from "./picture_elements.js";

const NEIGHBOURS = 12;
const TWICE = 350; // milliseconds between two clicks that are one double click
const SLIP = 24; // pixels between them
const SWIPE = 50; // pixels that a finger moves to the next one
const THUMBNAIL = 512; // pixels
const MOST_PIXELS = 60e6; // of an original that a browser is asked to decode

export class Lightbox {
  /** `left(row)` is told which picture was shown last. */
  constructor(viewer, { left }) {
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
    this.left = left;

    this.row = -1;
    this.rows = []; // those that the arrows go through; none: all, in their order
    this.clicked = null; // the last click on a picture: `{ row, time }`
    this.pointerPosition = [0, 0]; // where the pointer was lifted last
    this.second = -1; // the picture that is pressed for the second time
    this.caption = h("p", { "aria-live": "polite" });
    this.figure = h("figure", {});
    this.dialog = h(
      "dialog",
      { id: "lightbox" },
      this.figure,
      this.caption,
      this.button("close", () => this.dialog.close()),
      this.button("previous", () => this.step(-1)),
      this.button("next", () => this.step(1)),
    );
    find("app").append(this.dialog);
    this.dialog.addEventListener("keydown", (event) => this.keyDown(event));
    this.dialog.addEventListener("close", () => this.closed());
    this.swipes();
    this.ways();
  }

  button(name, act) {
    return h("button", { class: `only-icon ${name}`, onclick: act }, icon(name === "close" ? "close" : "down"));
  }

  /** What opens it: Enter, the picture in the panel, and a second click, whatever lies under it by then. */
  ways() {
    const { canvas, highlights } = this.viewer;
    const swallow = (event) => {
      event.stopImmediatePropagation();
      event.preventDefault();
    };
    const enter = (event) => {
      if (event.key !== "Enter" || event.target !== event.currentTarget || highlights.clicked < 0) return;
      swallow(event); // or it presses the button that has the focus by then
      this.open(highlights.clicked);
    };
    canvas.addEventListener("keydown", enter, { capture: true });
    const panel = find("panel");
    panel.addEventListener("keydown", enter);
    panel.addEventListener("click", (/** @type {any} */ { target }) => {
      if (highlights.clicked >= 0 && target.closest(".portrait")) this.open(highlights.clicked);
    });
    const on = (name, act) => window.addEventListener(name, act, { capture: true });
    on("pointerdown", (event) => {
      const { clicked, pointerPosition } = this;
      this.clicked = null;
      this.second = -1;
      if (!clicked || event.timeStamp - clicked.time > TWICE || event.button !== 0) return;
      if (Math.hypot(event.clientX - pointerPosition[0], event.clientY - pointerPosition[1]) > SLIP) return;
      this.second = clicked.row;
      swallow(event);
    });
    on("pointerup", (event) => {
      this.pointerPosition = [event.clientX, event.clientY];
      if (this.second >= 0) swallow(event);
    });
    on("click", (event) => {
      if (this.second < 0) return;
      swallow(event);
      this.open(this.second);
      this.second = -1;
    });
  }

  /** A picture in the cloud was clicked: another click at once opens it. */
  click(row) {
    this.clicked = row < 0 ? null : { row, time: performance.now() };
  }

  async open(row) {
    const { viewer } = this;
    const { collection } = viewer;
    const [close, previous, next] = this.dialog.querySelectorAll("button");
    for (const [button, words] of [
      [close, t("close")],
      [previous, t("previous")],
      [next, t("next")],
    ]) {
      button.setAttribute("aria-label", words);
      button.title = words;
    }
    this.collection = collection;
    this.rows = viewer.rowStyles.chosen.has(row) ? [...viewer.rowStyles.chosen] : [];
    if (!this.dialog.open) this.dialog.showModal();
    this.show(row);
    if (this.rows.length) return;
    const found = await this.neighbours(row);
    if (this.row === row && this.collection === collection && found.length) this.rows = [row, ...found];
    if (this.row === row) this.updateCaption();
  }

  /** Rows; none where they are not known. */
  async neighbours(row) {
    const { collection, viewer } = this;
    if (viewer.highlights.clicked === row && viewer.highlights.neighbors.length) return viewer.highlights.neighbors;
    if (!collection.offers.neighbors) return [];
    const answer = await collection.neighbors(row, NEIGHBOURS).catch(() => ({ neighbors: [] }));
    return answer.neighbors.map(({ index }) => index);
  }

  /** First what is at hand, then the original. */
  async show(row) {
    this.row = row;
    const { collection } = this;
    const shape = this.viewer.cloud.shape(row);
    fill(this.figure, thumbnailElement(collection, row, THUMBNAIL, shape));
    this.updateCaption();
    await collection.record(row).catch(() => null);
    if (this.row !== row) return;
    this.updateCaption();
    const image = this.best(row);
    if (!image) return;
    // Browsers do not show every format that the server takes: then the thumbnail stays.
    await image.decode().then(
      () => this.row === row && fill(this.figure, image),
      () => {},
    );
    if (this.row === row && this.rows.length) this.best(this.beside(1));
  }

  /** The original as an element, on its way; null where the thumbnail has as much as the screen shows. */
  best(row) {
    const address = original(this.collection, row);
    const { width, height } = this.collection.cachedRecord(row) ?? {};
    const screen = Math.max(innerWidth, innerHeight) * (devicePixelRatio || 1);
    if (!address || Math.min(screen, Math.max(width, height)) <= THUMBNAIL || width * height > MOST_PIXELS) return null;
    return h("img", { src: address, alt: "", decoding: "async", draggable: "false" });
  }

  updateCaption() {
    const name = nameOf(this.collection, this.row);
    this.dialog.setAttribute("aria-label", name);
    const place = this.rows.indexOf(this.row);
    fill(this.caption, name, place >= 0 && ` · ${number(place + 1)} / ${number(this.rows.length)}`);
  }

  /** The row so many further. */
  beside(way) {
    const { rows, row } = this;
    const { count } = this.collection;
    if (!rows.length) return (row + way + count) % count;
    return rows[(rows.indexOf(row) + way + rows.length) % rows.length];
  }

  step(way) {
    this.show(this.beside(way));
  }

  keyDown(event) {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!way) return;
    event.preventDefault();
    this.step(way);
  }

  swipes() {
    let down = null;
    this.dialog.addEventListener("pointerdown", ({ clientX, clientY, isPrimary }) => {
      down = isPrimary ? [clientX, clientY] : null;
    });
    this.dialog.addEventListener("pointerup", ({ clientX, clientY, target }) => {
      if (!down) return;
      const [right, below] = [clientX - down[0], clientY - down[1]];
      if (Math.abs(right) > SWIPE && Math.abs(right) > Math.abs(below)) this.step(right < 0 ? 1 : -1);
      else if (target === this.figure && Math.hypot(right, below) < SLIP) this.dialog.close();
      down = null;
    });
    // One finger scrolls nothing here. A browser that takes its movement for a fling drops the tap that follows.
    const still = (event) => event.touches.length === 1 && event.cancelable && event.preventDefault();
    this.dialog.addEventListener("touchmove", still, { passive: false });
  }

  closed() {
    const { row } = this;
    this.row = -1;
    fill(this.figure);
    if (this.viewer.collection === this.collection && row !== this.viewer.highlights.clicked) this.left(row);
  }
}
