// A tour: the saved views of a collection, one after another, each with its name and its note as a caption.

import { readingTime } from "../data/saved_views.js";
import { number, t } from "../i18n/index.js";
import { fill, find, h, icon, isTypedIn } from "./dom.js";
import * as notifications from "./notifications.js";

const NEXT = ["ArrowRight", "PageDown"];
const PREVIOUS = ["ArrowLeft", "PageUp"];

export class Tour {
  /** `stops()` are all saved views, `go(state)` shows one, `changed()` is told when another is shown, or none. */
  constructor(viewer, { stops, go, changed }) {
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
    this.findStops = stops;
    this.go = go;
    this.changed = changed;

    /** @type {import("../data/saved_views.js").SavedView[]} */
    this.stops = []; // none while there is no tour
    this.at = 0;
    this.playing = false;
    this.timer = 0;
    this.caption = h("div", { "aria-live": "polite" });
    this.count = h("span", { class: "count" });
    this.play = h("button", { class: "quiet only-icon", onclick: () => this.toggle() });
    fill(
      find("tour"),
      this.caption,
      h(
        "div",
        { class: "actions" },
        this.button("previousView", "previous", () => this.step(-1)),
        this.play,
        this.button("nextView", "next", () => this.step(1)),
        this.count,
        this.button("leaveTour", "close", () => this.leave()),
      ),
    );
    window.addEventListener("keydown", (event) => this.pressed(event), { capture: true });
    for (const event of ["pointerdown", "wheel"]) viewer.canvas.addEventListener(event, () => this.pause());
  }

  button(text, symbol, act) {
    const label = t(text);
    const attributes = { "data-t-label": text, "aria-label": label, title: label, onclick: act };
    return h("button", { class: `quiet only-icon ${symbol}`, ...attributes }, icon(symbol));
  }

  /** The view that is shown on a tour, or "". */
  get current() {
    return this.stops[this.at]?.id ?? "";
  }

  /** Begin with a view, or with the first. */
  async begin(id = "") {
    const { collection } = this.viewer;
    const stops = await this.findStops();
    if (this.viewer.collection !== collection) return;
    if (!stops.length) {
      notifications.toast(t("noViews"));
      return;
    }
    this.stops = stops;
    this.playing = true;
    find("tour").hidden = false;
    find("tour").focus({ preventScroll: true });
    await this.show(
      Math.max(
        0,
        stops.findIndex((view) => view.id === id),
      ),
    );
  }

  async show(at) {
    clearTimeout(this.timer);
    this.at = at;
    this.draw();
    const view = this.stops[at];
    await this.go(view.state);
    if (this.stops[this.at] !== view) return;
    this.changed();
    this.wait();
  }

  draw() {
    const { name, note } = this.stops[this.at];
    const place = { n: number(this.at + 1), total: number(this.stops.length) };
    fill(this.caption, h("h2", {}, name || t("unnamed")), ...note.split("\n").map((line) => line && h("p", {}, line)));
    this.count.textContent = `${place.n} / ${place.total}`;
    this.count.setAttribute("aria-label", t("shownOf", place));
    this.drawPlay();
  }

  drawPlay() {
    const label = t(this.playing ? "pauseTour" : "goOn");
    fill(this.play, icon(this.playing ? "pause" : "play"));
    this.play.setAttribute("aria-label", label);
    this.play.title = label;
  }

  /** Go on once the words have been read. */
  wait() {
    clearTimeout(this.timer);
    if (!this.playing) return;
    const isLast = this.at === this.stops.length - 1;
    const act = () => (isLast ? this.pause() : this.step(1));
    this.timer = setTimeout(act, 1000 * readingTime(this.stops[this.at]));
  }

  step(by) {
    const at = this.at + by;
    if (at >= 0 && at < this.stops.length) this.show(at);
  }

  pause() {
    if (!this.playing) return;
    clearTimeout(this.timer);
    this.playing = false;
    this.drawPlay();
  }

  /** Pause, or go on; from the last one again to the first. */
  toggle() {
    if (this.playing) return this.pause();
    this.playing = true;
    this.drawPlay();
    if (this.at === this.stops.length - 1 && this.at > 0) this.show(0);
    else this.step(1);
  }

  /** What is shown stays. */
  leave() {
    if (!this.stops.length) return;
    clearTimeout(this.timer);
    const held = find("tour").contains(document.activeElement);
    this.stops = [];
    find("tour").hidden = true;
    if (held) this.viewer.canvas.focus({ preventScroll: true });
    this.changed();
  }

  /** Keys belong to the tour while there is one, wherever the focus is but where one types. */
  pressed(event) {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    if (!this.stops.length || ctrlKey || metaKey || altKey || document.querySelector("dialog[open]")) return;
    if (target instanceof Element && isTypedIn(target)) return;
    const isButton = target instanceof Element && target.matches("button, summary, input");
    if (NEXT.includes(key)) this.step(1);
    else if (PREVIOUS.includes(key)) this.step(-1);
    else if (key === "Escape") this.leave();
    else if (key === " " && !isButton) this.toggle();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
