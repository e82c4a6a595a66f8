// Which layouts are shown: one, one on its way to another, or two side by side; and the catalogue around an upload.

import { CatalogueContext } from "../data/catalogue_context.js";
import { loadLayout } from "../data/layouts.js";
import { ease } from "./camera_controller.js";

const GLIDE = 1.2; // seconds from one layout to another
const STEP = 0.6; // and from one moment of a layout that is being computed to the next
const FORMING = "forming"; // the name of such a one here

export class LayoutView {
  constructor(viewer) {
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
    this.reducer = "";
    this.leave();
  }

  leave() {
    this.layouts = {}; // reducer → `{ rows, transform }`, of those that were shown
    this.split = null; // the second of two reducers
    this.morph = null; // `{ done, seconds }` on the way from one layout to another
    this.around = null;
    this.wasFormed = false; // whether its computing was watched
    this.passed = null; // rows of the moment before the one that is left now
  }

  /** Whether what is shown is a layout that is still being computed. */
  get isForming() {
    return this.reducer === FORMING;
  }

  /** Glide on to where the pictures lie now while they are laid out. */
  form(layout) {
    this.finishMorph();
    const { cloud } = this.viewer;
    const { rows } = this.layouts[this.reducer];
    cloud.setLayouts(rows, layout.rows);
    cloud.layoutAttributes.delete(this.passed); // it is not shown again
    this.passed = this.isForming ? rows : null;
    this.layouts[FORMING] = layout;
    this.reducer = FORMING;
    this.wasFormed = true;
    this.morph = { done: this.viewer.cameraController.still ? 1 : 0, seconds: STEP };
    this.viewer.framing.refit();
    this.viewer.invalidate();
  }

  /** Begin with a reducer's layout, loaded. */
  begin(reducer, layout) {
    this.layouts = { [reducer]: layout };
    this.reducer = reducer;
  }

  /** Have a reducer's layout, and that of what is around; null if something else is shown by then. */
  async layout(reducer) {
    const { collection } = this.viewer;
    if (!this.layouts[reducer]) {
      const fresh = await loadLayout(collection, reducer);
      if (this.viewer.collection !== collection) return null;
      this.layouts[reducer] ??= fresh;
    }
    // The pictures around it have the reducers' layouts alone.
    if (!collection.hasFurther(reducer)) await this.around?.load(reducer, this.layouts[reducer].transform);
    return this.viewer.collection === collection ? this.layouts[reducer] : null;
  }

  /** Put the cloud, and what is around it, on the way from one layout to another, or in one. */
  setLayouts(from, to = from) {
    this.viewer.cloud.setLayouts(this.layouts[from].rows, this.layouts[to].rows);
    const around = this.around?.layouts ?? {}; // of the reducers' layouts alone
    this.viewer.cloud.surround(around[from] && around[to] ? { from: around[from], to: around[to] } : null);
  }

  /** Show the catalogue as grey dots around an upload that lies in its space; null: the upload alone. */
  async surround(catalogue) {
    const { collection } = this.viewer;
    if (!this.viewer.cloud.points) return; // its own are not there yet
    const around = catalogue && new CatalogueContext(catalogue);
    // All that were shown, so that a layout that is chosen meanwhile is there too.
    const loads = Object.entries(this.layouts).map(([reducer, { transform }]) => around?.load(reducer, transform));
    await Promise.all(loads);
    if (this.viewer.collection !== collection) return;
    this.finishMorph();
    this.around = around;
    await this.layout(this.reducer);
    if (this.viewer.collection !== collection) return;
    this.setLayouts(this.reducer, this.split ?? this.reducer);
    this.viewer.framing.refit();
    this.viewer.invalidate();
  }

  /** Glide to a reducer's layout. */
  async showLayout(reducer) {
    if (this.viewer.tiled) return this.showTiled(reducer);
    const next = await this.layout(reducer);
    if (!next || this.reducer === reducer) return;
    if (this.split) this.splitView(null);
    this.morph = { done: 0, seconds: GLIDE };
    this.setLayouts(this.reducer, reducer);
    this.reducer = reducer;
    this.viewer.framing.refit();
    this.viewer.highlights.show();
    if (this.viewer.cameraController.still) this.morph.done = 1;
    this.viewer.invalidate();
  }

  /** Show another layout of a collection of which only some points are loaded: others, so nothing glides. */
  async showTiled(reducer) {
    const { viewer } = this;
    const { collection } = viewer;
    const { clicked, neighbors } = viewer.highlights;
    const before = this.reducer;
    try {
      await viewer.show(collection, reducer);
    } catch (error) {
      if (viewer.collection === collection) await viewer.show(collection, before);
      throw error;
    }
    if (viewer.collection === collection) viewer.highlights.click(clicked, neighbors);
  }

  /** Show a second reducer beside the first, seen by the same camera; null for one view. */
  async splitView(reducer) {
    if (reducer) {
      const other = await this.layout(reducer);
      if (!other) return;
      this.finishMorph();
      this.setLayouts(this.reducer, reducer);
      this.viewer.cloud.panes = this.viewer.framing.halves();
    } else {
      this.setLayouts(this.reducer);
      this.viewer.cloud.panes = [{ x: 0, width: 1, morph: 0 }];
    }
    this.split = reducer;
    this.viewer.emit("panes", this.viewer.cloud.panes);
    this.viewer.framing.refit();
    this.viewer.highlights.show();
    this.viewer.invalidate();
  }

  finishMorph() {
    if (!this.morph) return;
    this.setLayouts(this.reducer);
    this.viewer.cloud.panes[0].morph = 0;
    this.morph = null;
  }

  /** Go on with a morph. Returns whether more of it is to come. */
  stepMorph(seconds) {
    if (!this.morph) return false;
    this.morph.done = Math.min(1, this.morph.done + seconds / this.morph.seconds);
    this.viewer.cloud.panes[0].morph = ease(this.morph.done);
    if (this.morph.done < 1) return true;
    this.finishMorph();
    this.viewer.emit("settled");
    return false;
  }
}
