// What is where on the canvas: in which pane, under the cursor, inside an outline.

import { MOST_OF_VIEW } from "../render/cloud.js";
import { LEAST_IN_FRONT, NEARER } from "../render/materials.js";
import { dotSize } from "../render/points.js";
import { projectPoint, setProjection } from "../render/projection.js";
import { inside, pick } from "./picking.js";

const NONE = new Float32Array();

export class CanvasPicker {
  constructor(viewer) {
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
  }

  /** What is needed to project on a pane: see `projection.js`. */
  view(pane = 0) {
    const { x, width, height = 1 } = this.viewer.cloud.panes[pane] ?? this.viewer.cloud.panes[0];
    const { clientWidth, clientHeight } = this.viewer.canvas;
    const high = Math.round(height * clientHeight);
    const ratio = this.viewer.cloud.renderer.getPixelRatio();
    const reducer = pane === 1 ? this.viewer.layoutView.split : this.viewer.layoutView.reducer;
    const camera = this.viewer.cloud.camera;
    setProjection(this.viewer.cloud.camera, width * clientWidth, high, clientHeight);
    return {
      rows: this.viewer.layoutView.layouts[reducer].rows,
      depth: 1 - this.viewer.flat.now,
      camera,
      left: x * clientWidth,
      width: width * clientWidth,
      height: high,
      size: this.viewer.size,
      scale: high / (2 * Math.tan((camera.fov * Math.PI) / 360)),
      limits: [2 / ratio, this.viewer.cloud.largest / ratio, MOST_OF_VIEW * high],
      shapes: this.viewer.cloud.array("shape"),
      pictures: this.viewer.pictures,
      dot: dotSize(1, this.viewer.cloud.count),
      near: this.viewer.levelOfDetail.shown,
      nearer: NEARER,
      front: [],
    };
  }

  /** What stands in front of all, as it is drawn in a layout. What is under the cursor does not count: it grew only now. */
  inFront(rows) {
    const least = LEAST_IN_FRONT / this.viewer.cloud.renderer.getPixelRatio();
    const { front } = this.viewer.cloud.overlays;
    if (!front.visible) return [];
    const items = front.items.filter(
      ({ row }) => row !== this.viewer.highlights.hovered || row === this.viewer.highlights.clicked,
    );
    return items
      .map(({ row, grow = 1 }) => ({
        row,
        grow,
        least,
        position: this.viewer.cloud.positionOf(row, rows),
        shape: this.viewer.cloud.shape(row),
      }))
      .filter(({ position }) => position);
  }

  paneAt(x) {
    const found = this.viewer.cloud.panes.findIndex(
      (pane) => x <= (pane.x + pane.width) * this.viewer.canvas.clientWidth,
    );
    return found === -1 ? this.viewer.cloud.panes.length - 1 : found;
  }

  /** The row under a point of the canvas, or -1. */
  rowAt(x, y) {
    if (!this.viewer.cloud.points || this.viewer.layoutView.morph) return -1;
    const view = this.view(this.paneAt(x));
    // What is in the middle of the pixel.
    const at = [Math.floor(x) + 0.5 - view.left, Math.floor(y) + 0.5];
    const front = this.inFront(view.rows);
    if (!this.viewer.tiled) return pick({ ...view, front }, this.viewer.rowStyles.skip, ...at);
    const before = pick({ ...view, rows: NONE, front }, null, ...at);
    if (before !== -1) return before;
    const found = this.viewer.tiled.under(view, ...at);
    const index = pick({ ...view, ...found }, null, ...at);
    return index === -1 ? -1 : this.viewer.tiled.picked(found, index);
  }

  /** Where a row, or the query image, is drawn: `{ x, y, side, far }` on the canvas, or null. */
  positionOf(row, pane = 0) {
    if (!this.viewer.cloud.points || row === -1) return null;
    const view = this.view(pane);
    const point = this.viewer.cloud.positionOf(row, view.rows);
    const found = point && projectPoint(view, point);
    return found && { ...found, x: found.x + view.left };
  }

  /** The rows inside an outline on the canvas; it belongs to the pane that it begins in. */
  rowsWithin(outline) {
    if (!this.viewer.cloud.points || this.viewer.tiled) return [];
    const view = this.view(this.paneAt(outline[0][0]));
    return inside(
      view,
      this.viewer.rowStyles.skip,
      outline.map(([x, y]) => [x - view.left, y]),
    );
  }
}
