// Chosen pictures: a gallery of them, a file of what is known of them, only them.

import { find, save } from "./dom.js";
import { plural, t } from "../i18n/index.js";
import * as notifications from "./notifications.js";
import * as panels from "./panels.js";
import { csvOf } from "../data/csv_export.js";

export class Selection {
  /** `open(row)` when one of them is picked out, `changed()` when a gallery is opened or closed. */
  constructor(viewer, view, filteredView, { open, changed }) {
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
    this.view = view;
    this.filteredView = filteredView;
    this.open = open;
    this.changed = changed;

    this.listing = false; // whether its gallery is open, or below a picture
    this.shownVersion = 0; // the version of what is shown that its gallery tells
    filteredView.addEventListener("changed", () => {
      if (panels.kind() === "shown" && this.shownVersion !== filteredView.visible.version) this.shown();
    });
    view.subscribe(({ chosen }, before) => before && before.chosen !== chosen && this.follow());
  }

  /** What lies inside an outline on the canvas, beside or instead of what is chosen. */
  outline(points, added) {
    const rows = this.viewer.rowsWithin(points);
    this.choose(added ? [...this.viewer.rowStyles.chosen, ...rows] : rows);
  }

  /** The outline while it is drawn. */
  shape(points) {
    find("outline").firstElementChild.setAttribute("points", points.map((point) => point.join(",")).join(" "));
  }

  choose(rows) {
    this.listing = false;
    this.viewer.highlights.click(-1);
    this.view.choose(rows);
    this.gallery();
    notifications.status(rows.length ? plural("selected", this.viewer.rowStyles.chosen.size) : t("nothingSelected"));
  }

  /** Others are chosen than before: by this, or by going back. */
  follow() {
    const { viewer } = this;
    notifications.status("");
    if (viewer.highlights.clicked !== -1) return; // its panel stays until it is closed
    if (viewer.rowStyles.chosen.size) this.gallery();
    else if (panels.kind() === "selection") panels.hide();
  }

  gallery() {
    const { viewer } = this;
    panels.selection(viewer, [...viewer.rowStyles.chosen], {
      close: () => this.clear(),
      clear: () => this.clear(),
      open: this.open,
      download: () => this.download([...viewer.rowStyles.chosen], "wwzd-selection.csv"),
      only:
        viewer.rowStyles.chosen.size && viewer.rowStyles.chosen.size < viewer.collection.count && !viewer.tiled
          ? () => this.only()
          : null,
    });
  }

  /** All that is shown, as a gallery that follows the view. */
  shown() {
    const { viewer, filteredView } = this;
    viewer.highlights.click(-1);
    this.listing = true;
    this.shownVersion = filteredView.visible.version;
    const { rows } = filteredView.visible;
    panels.shown(viewer, rows, {
      close: () => this.leave(),
      open: this.open,
      download: () => this.exportShown(),
      choose: () => this.choose(rows),
    });
    this.changed();
  }

  leave() {
    this.listing = false;
    panels.hide();
    this.changed();
  }

  /** What the panel showed before a picture was opened. */
  back() {
    if (this.viewer.rowStyles.chosen.size) this.gallery();
    else if (this.listing) this.shown();
    else panels.hide();
  }

  /** A file of all that is shown, once a filter that was just set is applied. */
  async exportShown() {
    await this.filteredView.settled();
    return this.download(this.filteredView.visible.rows, "wwzd-shown.csv");
  }

  clear() {
    this.view.choose([]);
    notifications.status("");
    panels.hide();
  }

  /** Leave the others as grey context. */
  only() {
    this.view.change({ isolation: this.view.state.chosen, chosen: new Uint32Array() });
  }

  /** What is known of each, and where it lies, as a file. */
  async download(chosen, name) {
    const { collection } = this.viewer;
    const rows = [...chosen].sort((a, b) => a - b);
    try {
      save(await csvOf(collection, rows), name);
    } catch (error) {
      notifications.showError(error);
    }
  }
}
