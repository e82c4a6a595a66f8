// What stands in front of the cloud: the picture under the cursor, the clicked one or a guest, and its neighbours.

import { GUEST } from "./cloud.js";

const NONE = -1;

export class Marks {
  constructor(stage) {
    this.stage = stage;
    this.forget();
  }

  /** As a new collection begins: its slots are not those of the last one. */
  forget() {
    this.hovered = NONE;
    this.clicked = NONE; // a row, or GUEST
    this.guest = null;
    this.neighbors = [];
  }

  hover(row) {
    if (row === this.hovered) return;
    this.hovered = row;
    this.changed();
  }

  click(row, neighbors = []) {
    if (row !== GUEST) this.dismiss();
    this.clicked = row;
    this.neighbors = neighbors;
    this.changed();
  }

  /** Show a picture from outside where it would lie, as if it was clicked, until something else is. */
  invite(guest, neighbors) {
    this.dismiss();
    const { cloud, layouts } = this.stage;
    this.guest = guest;
    cloud.guest = { shape: guest.shape, spot: (rows) => guest.spot(layouts, rows) };
    this.click(GUEST, neighbors);
  }

  dismiss() {
    const slot = this.guest?.slot ?? null;
    if (slot !== null) this.stage.tiles?.release(slot);
    this.guest = null;
    this.stage.cloud.guest = null;
  }

  changed() {
    this.stage.wantSharp();
    this.show();
    this.stage.invalidate();
  }

  /** The collection's rows among them: their tiles are wanted first. */
  get rows() {
    return [this.hovered, this.clicked, ...this.neighbors].filter((row) => row >= 0);
  }

  /** Tell the cloud. */
  show() {
    const { cloud, tiles } = this.stage;
    if (!cloud.points || !tiles) return;
    const { accent } = cloud;
    const front = this.neighbors.map((row) => ({ row, slot: this.slot(row), border: accent }));
    front.reverse();
    const clicked = this.clicked !== NONE;
    if (clicked) front.push({ row: this.clicked, slot: this.slot(this.clicked), border: accent, grow: 1.5 });
    if (this.hovered >= 0) {
      const border = this.hovered === this.clicked ? accent : [1, 1, 1];
      front.push({ row: this.hovered, slot: this.slot(this.hovered), border, grow: 1.5 });
    }
    cloud.raised.setFront(front);
    cloud.raised.setLines(clicked ? this.neighbors.map((row) => [this.clicked, row]) : []);
  }

  slot(row) {
    const { tiles } = this.stage;
    if (row !== GUEST) return tiles.slot(row);
    this.guest.slot ??= tiles.hold(this.guest.texels);
    return this.guest.slot;
  }
}
