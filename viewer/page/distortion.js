// How far each picture lies from where it belongs in a layout, shown: as colours of the cloud, and as a list of the worst.

import { distortionName, greatest } from "./data/layout_quality.js";
import { number, t } from "./i18n/index.js";
import { titleOf } from "./ui/layout_names.js";
import * as notifications from "./ui/notifications.js";

const WORST = 60; // pictures at most
const SHARE = 0.25; // of all at most, but
const LEAST = 10;

export class Distortion {
  constructor(viewer, { view, filteredView, controls, search }) {
    /** @type {import("./viewer.js").Viewer} */
    this.viewer = viewer;
    this.view = view;
    this.filteredView = filteredView;
    this.controls = controls;
    this.search = search;
  }

  /** Show a layout, coloured by its distortion. */
  async colour(layout) {
    if (await this.measured(layout)) this.view.change({ colour: distortionName(layout) });
  }

  /** List the pictures that lie worst in a layout, and mark them in it. */
  async worst(layout) {
    const column = await this.measured(layout);
    if (!column) return;
    const { collection } = this.viewer;
    const most = Math.min(WORST, Math.max(LEAST, Math.floor(SHARE * collection.count)));
    const rows = greatest(column.numbers, most);
    await collection.fetchRecords(rows);
    if (this.viewer.collection !== collection) return;
    this.search.show(rows, {
      title: t("worstIn", { layout: titleOf(collection.layout(layout)) }),
      remark: t("distortionMeans"),
      notes: rows.map((row) => number(Number(column.numbers[row].toFixed(3)))),
    });
  }

  /** The layout on the page, and its distortion as a column; null where that cannot be had. */
  async measured(layout) {
    const { collection, layoutView } = this.viewer;
    if (layoutView.reducer !== layout) await this.controls.to(layout);
    notifications.status(t("measuring"));
    await this.filteredView.need([distortionName(layout)]);
    notifications.status("");
    const isShown = this.viewer.collection === collection && layoutView.reducer === layout;
    return isShown ? this.filteredView.columns?.fetched.get(distortionName(layout)) : null;
  }
}
