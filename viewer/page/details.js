// One picture: what is shown of it beside the cursor, and beside the cloud when it is clicked.

import { fill, find, h } from "./dom.js";
import * as panels from "./panels.js";
import { face } from "./pictures.js";

const NEIGHBOURS = 12;
const FACE = 132; // CSS pixels, of the card at the cursor

export class Details {
  /** `closed()` when the panel is left, `changed()` when another picture is shown, `share()` to send it on. */
  constructor(stage, { closed, changed, share }) {
    Object.assign(this, { stage, closed, changed, share });
    this.row = -1; // under the cursor
    stage.addEventListener("frame", () => stage.morph && this.hover(-1));
  }

  hover(row, x = 0, y = 0) {
    const { stage } = this;
    stage.marks.hover(row);
    const card = find("hover");
    stage.canvas.classList.toggle("over", row >= 0);
    if (row < 0 || row === stage.marks.clicked) {
      this.row = -1;
      card.hidden = true;
      return;
    }
    if (row !== this.row) this.draw(card, row);
    card.hidden = false;
    const { innerWidth, innerHeight } = window;
    const { offsetWidth, offsetHeight } = card;
    const left = x + 24 + offsetWidth > innerWidth ? x - 20 - offsetWidth : x + 20;
    card.style.translate = `${Math.max(4, left)}px ${Math.max(4, Math.min(y + 16, innerHeight - offsetHeight - 6))}px`;
  }

  draw(card, row) {
    this.row = row;
    const { collection, cloud } = this.stage;
    const name = h("p", {}, panels.nameOf(collection, row));
    fill(card, face(collection, row, FACE, cloud.shape(row)), name);
    if (!collection.offers.images || collection.known(row)) return;
    collection.record(row).then(
      (record) => record && this.row === row && fill(name, record.name),
      () => {},
    );
  }

  /** Show a picture beside the cloud, then what is told of it, then its neighbours; `near` if the camera goes there. */
  async click(row, near = false) {
    if (row < 0) return this.close();
    const { stage } = this;
    const { collection } = stage;
    stage.marks.click(row);
    const panel = panels.details(stage, row, {
      close: () => this.close(),
      open: (other) => this.open(other),
      share: this.share,
    });
    if (!near) stage.reveal(row, panels.free());
    this.changed();
    if (collection.offers.images && !collection.known(row)) {
      const record = await collection.record(row).catch(() => null);
      return record && this.isShown(collection, row) && this.click(row, near);
    }
    if (collection.offers.neighbors) await this.neighbours(collection, row, panel);
  }

  async neighbours(collection, row, panel) {
    try {
      const { neighbors } = await collection.neighbors(row, NEIGHBOURS);
      await Promise.all(neighbors.map(({ index }) => collection.record(index).catch(() => null)));
      if (!this.isShown(collection, row)) return;
      this.stage.marks.click(
        row,
        neighbors.map(({ index }) => index),
      );
      panel.neighbours(neighbors);
    } catch {
      if (this.isShown(collection, row)) panel.noNeighbours();
    }
  }

  isShown(collection, row) {
    return this.stage.collection === collection && this.stage.marks.clicked === row;
  }

  /** The same, from a list of pictures: the camera goes there too. */
  open(row) {
    this.click(row, true);
    this.stage.approach(row, panels.free());
    find("panel").focus({ preventScroll: true });
  }

  close() {
    this.stage.marks.click(-1);
    this.closed();
    this.changed();
  }
}
