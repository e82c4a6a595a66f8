// One picture: what is shown of it beside the cursor, and beside the cloud when it is clicked.

import { free } from "./free_area.js";
import { fill, find, h } from "./dom.js";
import * as panels from "./panels.js";
import { thumbnailElement } from "./picture_elements.js";

const NEIGHBOURS = 12;
const FACE = 132; // CSS pixels, of the card at the cursor

export class PictureDetails {
  /** `closed()` when the panel is left, `changed()` when another picture is shown, `share()` to send it on. */
  constructor(viewer, { closed, changed, share }) {
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
    this.closed = closed;
    this.changed = changed;
    this.share = share;

    this.row = -1; // under the cursor
    viewer.addEventListener("frame", () => viewer.layoutView.morph && this.hover(-1));
  }

  hover(row, x = 0, y = 0) {
    const { viewer } = this;
    viewer.highlights.hover(row);
    const card = find("hover");
    viewer.canvas.classList.toggle("over", row >= 0);
    if (row < 0 || row === viewer.highlights.clicked) {
      this.row = -1;
      card.hidden = true;
      return;
    }
    if (row !== this.row) this.draw(card, row);
    card.hidden = false;
    const { offsetWidth, offsetHeight } = card;
    const area = free();
    const left = x + 24 + offsetWidth > area.right ? x - 20 - offsetWidth : x + 20;
    const top = Math.min(y + 16, area.bottom - offsetHeight - 6);
    card.style.translate = `${Math.max(area.left + 4, left)}px ${Math.max(4, top)}px`;
  }

  draw(card, row) {
    this.row = row;
    const { collection, cloud } = this.viewer;
    const name = h("p", {}, panels.nameOf(collection, row));
    fill(card, thumbnailElement(collection, row, FACE, cloud.shape(row)), name);
    if (!collection.offers.images || collection.cachedRecord(row)) return;
    collection.record(row).then(
      (record) => record && this.row === row && fill(name, record.name),
      () => {},
    );
  }

  /** Show a picture beside the cloud, then what is told of it, then its neighbours; `near` if the camera goes there. */
  async click(row, near = false) {
    if (row < 0) return this.close();
    const { viewer } = this;
    const { collection } = viewer;
    viewer.highlights.click(row);
    const panel = panels.details(viewer, row, {
      close: () => this.close(),
      open: (other) => this.open(other),
      share: this.share,
    });
    if (!near) viewer.reveal(row, free());
    this.changed();
    if (collection.offers.images && !collection.cachedRecord(row)) {
      const record = await collection.record(row).catch(() => null);
      if (!this.isShown(collection, row)) return;
      if (record) panel.tell();
    }
    if (collection.offers.neighbors) await this.neighbours(collection, row, panel);
  }

  async neighbours(collection, row, panel) {
    try {
      const { neighbors } = await collection.neighbors(row, NEIGHBOURS);
      await Promise.all(neighbors.map(({ index }) => collection.record(index).catch(() => null)));
      if (!this.isShown(collection, row)) return;
      this.viewer.highlights.click(
        row,
        neighbors.map(({ index }) => index),
      );
      panel.neighbours(neighbors);
    } catch {
      if (this.isShown(collection, row)) panel.noNeighbours();
    }
  }

  isShown(collection, row) {
    return this.viewer.collection === collection && this.viewer.highlights.clicked === row;
  }

  /** The same, from a list of pictures: the camera goes there too. */
  open(row) {
    this.click(row, true);
    this.viewer.approach(row, free());
    find("panel").focus({ preventScroll: true });
  }

  close() {
    this.viewer.highlights.click(-1);
    this.closed();
    this.changed();
  }
}
