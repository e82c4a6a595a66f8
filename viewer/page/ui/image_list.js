// The pictures as a list, in the cloud's place, for browsers that do not draw with WebGL.

import { fill, find, h } from "./dom.js";
import { t } from "../i18n/index.js";
import { gallery } from "./panels.js";

export class ImageList {
  /** `open(row)` when a picture is clicked. */
  constructor(viewer, view, { open }) {
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
    this.view = view;
    this.open = open;

    view.subscribe(() => this.later());
    document.documentElement.dataset.cloud = "none";
    find("plain").hidden = false;
    for (const event of ["shown", "painted"]) viewer.addEventListener(event, () => this.later());
    viewer.addEventListener("tiles", ({ detail }) => detail.done === detail.total && this.later());
    this.due = false;
  }

  later() {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => {
      this.due = false;
      this.draw();
    });
  }

  draw() {
    const { viewer } = this;
    const { collection } = viewer;
    const { skip } = viewer.rowStyles;
    if (!collection || !skip) return fill(find("plain"));
    const rows = Array.from({ length: collection.count }, (_, row) => row).filter((row) => !skip[row]);
    const marked = new Set(viewer.rowStyles.chosen.size ? viewer.rowStyles.chosen : this.view.state.search?.rows);
    const first = rows.filter((row) => marked.has(row));
    fill(
      find("plain"),
      h("p", { class: "soft" }, t("withoutGraphics")),
      gallery(viewer, first.length ? first : rows, this.open),
    );
  }
}
