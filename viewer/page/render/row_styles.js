// How rows are drawn beside their pictures: put forward, left out, or with a coloured border.

const HIDDEN = 0;
const PLAIN = 128;
const CHOSEN = 255;

export class RowStyles {
  constructor(viewer) {
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
    this.chosen = new Set();
    this.forward = null; // 1 for each row that is put forward for a moment, in place of the chosen ones
    this.skip = null; // 1 for each row that is left out
    this.borders = null; // three bytes a row
    this.version = 0;
  }

  /** Begin with so many rows, all equal. */
  begin(count) {
    this.skip = new Uint8Array(count);
    this.chosen = new Set();
    this.forward = null;
  }

  /** Whether some rows stand before others. */
  get some() {
    return !this.viewer.tiled && (this.forward !== null || this.chosen.size > 0);
  }

  /** Put these rows forward and let the others stand back; none: all are equal again. */
  choose(rows) {
    this.chosen = new Set(rows);
    this.paint();
  }

  /** Put the rows forward of which `mask` is 1, in place of the chosen ones; null: the chosen ones again. */
  highlight(mask) {
    this.forward = mask;
    this.paint();
  }

  standsBack(row) {
    return this.forward ? !this.forward[row] : this.chosen.size > 0 && !this.chosen.has(row);
  }

  /** Leave the rows of which `skip` is 1 as grey context. */
  filter(skip) {
    this.skip = skip;
    this.paint();
  }

  /** Colour borders, a colour a row (three bytes) or null. */
  colour(borders) {
    this.borders = borders;
    this.viewer.cloud.bordered = borders !== null;
    const target = this.viewer.cloud.array("border");
    for (let row = 0; row < this.viewer.collection.count; row++) {
      for (let channel = 0; channel < 3; channel++) target[4 * row + channel] = borders?.[3 * row + channel] ?? 0;
      target[4 * row + 3] = borders ? 255 : 0;
    }
    this.viewer.cloud.written("border");
    this.viewer.apply();
  }

  borderOf(row) {
    return this.borders ? [...this.borders.subarray(3 * row, 3 * row + 3)].map((byte) => byte / 255) : null;
  }

  paint() {
    this.viewer.emit("painted");
    this.version += 1;
    this.viewer.cloud.filtered = this.skip.includes(1);
    if (!this.viewer.cloud.points) return;
    const colours = this.viewer.cloud.array("colour");
    const { skip, chosen, forward } = this;
    for (let row = 0; row < skip.length; row++) {
      colours[4 * row + 3] = skip[row] ? HIDDEN : forward?.[row] ? CHOSEN : PLAIN;
    }
    if (!forward) for (const row of chosen) if (!skip[row]) colours[4 * row + 3] = CHOSEN;
    this.viewer.cloud.written("colour");
    this.viewer.apply();
  }
}
