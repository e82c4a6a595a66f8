// Where landmarks stand on the canvas: the medoids of the clusters that a view has room for.

import { apart, reaches, standing } from "../data/clusters.js";

const FILLED = 0.45; // of the view's shorter side, by a cluster that was flown to: its parts are seen then

export class LandmarkPlacing {
  /** `width` and `height` of a landmark in CSS pixels. */
  constructor(viewer, { width, height }) {
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
    this.width = width;
    this.height = height;
    this.known = { tree: null, rows: null, reaches: new Map() };
  }

  /** How far a tree's clusters reach in the layout that is shown. */
  reaches(tree) {
    const { rows } = this.viewer.view();
    if (this.known.tree !== tree || this.known.rows !== rows) this.known = { tree, rows, reaches: reaches(tree, rows) };
    return this.known.reaches;
  }

  /** The clusters whose landmarks stand in an area of the canvas without covering each other, at most so many. */
  choose(tree, area, most) {
    const { viewer, width, height } = this;
    const { scale, width: wide, height: high } = viewer.view();
    const known = this.reaches(tree);
    const boxes = new Map();
    const reach = (cluster) => {
      const place = viewer.rowStyles.skip?.[cluster.row] ? null : viewer.positionOf(cluster.row);
      if (!place) return 0;
      const box = this.box(place);
      if (box.left < area.left || box.right > area.right || box.top < area.top || box.bottom > area.bottom) return 0;
      boxes.set(cluster, box);
      return (known.get(cluster.key) * scale) / place.far / Math.min(wide, high);
    };
    const found = standing(tree, reach);
    return apart(
      found.map((cluster) => boxes.get(cluster)),
      Math.min(most, Math.floor(((area.right - area.left) * (area.bottom - area.top)) / (4 * width * height)) + 3),
    ).map((at) => found[at]);
  }

  /** What of the canvas a landmark covers that stands at a place. */
  box({ x, y }) {
    const { width, height } = this;
    return { left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 };
  }

  /** Glide to a cluster until its parts are seen, in an area of the canvas that nothing covers. */
  fly(tree, cluster, area) {
    const { scale, width, height } = this.viewer.view();
    const reach = this.reaches(tree).get(cluster.key);
    this.viewer.approach(cluster.row, area, (reach * scale) / (FILLED * Math.min(width, height)));
  }
}
