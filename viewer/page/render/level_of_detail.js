// Which pictures are large enough on the canvas to be shown sharp: looked up when the view comes to rest, and now and
// then while it moves.

import { collectLargest } from "./projection.js";

const SHARP_FROM = 22; // CSS pixels: below, the middle tiles are as good
const PAUSE = 220; // milliseconds
const KEPT = 40; // slots for what stands in front

export class LevelOfDetail {
  constructor(viewer) {
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
    this.rows = [];
    this.sides = new Map(); // their sides in CSS pixels
    this.shown = new Set(); // those that are drawn as quads
    this.waiting = 0;
    this.seen = "";
  }

  forget() {
    this.rows = [];
    this.shown = new Set();
    this.seen = "";
  }

  /** Look soon, unless a look is due already. */
  settle() {
    this.waiting ||= setTimeout(() => {
      this.waiting = 0;
      this.look();
    }, PAUSE);
  }

  look() {
    const { viewer } = this;
    if (!viewer.tiles || viewer.layoutView.morph) return;
    const seen = this.view();
    if (seen === this.seen) return; // nothing has moved: no frame for its own sake
    this.seen = seen;
    this.rows = viewer.pictures ? this.near() : [];
    viewer.requestDetail();
    viewer.updateOverlays();
    viewer.invalidate();
    viewer.emit("settled");
  }

  /** All that decides which pictures are near. */
  view() {
    const { viewer } = this;
    const { width, height } = viewer.canvas;
    const loaded = viewer.tiles.shaped.reduce((sum, there) => sum + there, 0);
    const kind = [
      viewer.size,
      viewer.pictures,
      viewer.flat.now,
      viewer.layoutView.reducer,
      viewer.layoutView.split,
      viewer.rowStyles.version,
      viewer.moving,
    ];
    // Rounded: a camera that comes to rest creeps on by less and less, and each look at it draws a frame.
    const camera = viewer.cameraController.get().map((value) => value.toFixed(3));
    return [...camera, ...kind, width, height, loaded].join(" ");
  }

  /** The largest rows, in each pane, for which there is a slot; the largest first. */
  near() {
    const { viewer } = this;
    const { panes, textures } = viewer.cloud;
    const most = Math.floor((textures.slots - KEPT) / panes.length);
    const found = panes.flatMap((_, pane) =>
      viewer.tiled
        ? viewer.tiled.largest(viewer.view(pane), SHARP_FROM, most)
        : collectLargest(viewer.view(pane), viewer.rowStyles.skip, SHARP_FROM, most),
    );
    const raised = found.filter(({ row }) => !viewer.rowStyles.standsBack(row));
    raised.sort((a, b) => b.side - a.side);
    this.sides = new Map();
    const greatest = viewer.view().limits[2];
    for (const { row, side } of raised) if (!this.sides.has(row)) this.sides.set(row, Math.min(side, greatest));
    return [...this.sides.keys()];
  }

  /** Tell the cloud which of them have a sharp tile; what stands back or is filtered out gets none. */
  show() {
    const { viewer } = this;
    const { skip } = viewer.rowStyles;
    const items = [];
    const point = viewer.cloud.shared.uBest.value ? viewer.view().limits[1] : Infinity;
    for (const row of viewer.pictures ? this.rows : []) {
      const slot = viewer.slot(row);
      // A point cannot be as large as some: without a slot, they are drawn from the small tiles.
      if (slot === null && this.sides.get(row) <= point) continue;
      if (skip[row] || viewer.rowStyles.standsBack(row)) continue;
      items.push({ row, slot, border: viewer.rowStyles.borderOf(row) });
    }
    // At the same depth the last one is seen, as it is among the points.
    items.sort((a, b) => a.row - b.row);
    this.shown = new Set(items.map(({ row }) => row));
    viewer.cloud.overlays.setNear(items);
  }
}
