// Chosen pictures: a gallery of them, a file of their names and places, only them.

import { find, save } from "./dom.js";
import { many, t } from "./i18n.js";
import * as notes from "./notes.js";
import * as panels from "./panels.js";
import { table } from "./table.js";

export class Selection {
  /** `open(row)` when one of them is picked out, `changed()` when others are chosen. */
  constructor(stage, { open, changed }) {
    Object.assign(this, { stage, open, changed });
  }

  /** What lies inside an outline on the canvas, beside or instead of what is chosen. */
  outline(points, added) {
    const rows = this.stage.within(points);
    this.choose(added ? [...this.stage.chosen, ...rows] : rows);
  }

  /** The outline while it is drawn. */
  shape(points) {
    find("outline").firstElementChild.setAttribute("points", points.map((point) => point.join(",")).join(" "));
  }

  choose(rows) {
    this.stage.marks.click(-1);
    this.stage.choose(rows);
    this.gallery();
    notes.status(rows.length ? many("selected", this.stage.chosen.size) : t("nothingSelected"));
    this.changed();
  }

  gallery() {
    const { stage } = this;
    panels.selection(stage, [...stage.chosen], {
      close: () => this.clear(),
      clear: () => this.clear(),
      open: this.open,
      download: () => this.download(),
      only: stage.chosen.size < stage.collection.count ? () => this.only() : null,
    });
  }

  clear() {
    this.stage.choose([]);
    notes.status("");
    panels.hide();
    this.changed();
  }

  /** Leave the others as grey context. */
  only() {
    const { stage } = this;
    const skip = new Uint8Array(stage.collection.count).fill(1);
    for (const row of stage.chosen) skip[row] = 0;
    const hidden = skip.length - stage.chosen.size;
    stage.choose([]);
    stage.filter(skip);
    panels.hide();
    notes.offer(many("hidden", hidden), t("showAll"), () => {
      stage.filter(new Uint8Array(stage.collection.count));
      notes.status("");
    });
  }

  /** Row, name and places of each, as a file. */
  async download() {
    const { collection, chosen } = this.stage;
    const rows = [...chosen].sort((a, b) => a - b);
    try {
      save(await table(collection, rows), "wwzd-selection.csv");
    } catch (error) {
      notes.complain(error);
    }
  }
}
