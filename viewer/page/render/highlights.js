// What stands in front of the cloud: the picture under the cursor, the clicked one or a query image, and its neighbours.

import { QUERY_IMAGE } from "./cloud.js";
import { QUERY_IMAGE_LEVEL } from "./query_image.js";

const NONE = -1;
const GROWN = 1.5;

export class Highlights {
  constructor(viewer) {
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
    this.forget();
  }

  /** As a new collection begins: its slots are not those of the last one. */
  forget() {
    this.hovered = NONE;
    this.clicked = NONE; // a row, or QUERY_IMAGE
    this.queryImage = null;
    this.neighbors = [];
  }

  hover(row) {
    if (row === this.hovered) return;
    this.hovered = row;
    this.changed();
  }

  click(row, neighbors = []) {
    if (row !== QUERY_IMAGE) this.removeQueryImage();
    this.clicked = row;
    this.neighbors = neighbors;
    this.changed();
  }

  /** Show a picture from outside where it would lie, as if it was clicked, until something else is. */
  showQueryImage(queryImage, neighbors) {
    this.removeQueryImage();
    const { cloud } = this.viewer;
    const { layouts } = this.viewer.layoutView;
    this.queryImage = queryImage;
    cloud.queryImage = { shape: queryImage.shape, positionOf: (rows) => queryImage.positionOf(layouts, rows) };
    this.click(QUERY_IMAGE, neighbors);
  }

  removeQueryImage() {
    this.viewer.thumbnails?.release(QUERY_IMAGE);
    this.queryImage = null;
    this.viewer.cloud.queryImage = null;
  }

  changed() {
    this.viewer.requestDetail();
    this.show();
    this.viewer.invalidate();
    this.viewer.tiled?.locate(this.rows).then((found) => found && this.changed());
  }

  /** The collection's rows among them: their tiles are wanted first. */
  get rows() {
    return [this.hovered, this.clicked, ...this.neighbors].filter((row) => row >= 0);
  }

  /** All of them, and by how much they are larger than they would be in their places. */
  get sizes() {
    const grown = [this.hovered, this.clicked].filter((row) => row !== NONE).map((row) => ({ row, grow: GROWN }));
    return [...grown, ...this.neighbors.map((row) => ({ row, grow: 1 }))];
  }

  /** Tell the cloud. */
  show() {
    const { cloud, tiles } = this.viewer;
    if (!cloud.points || !tiles) return;
    const { accent } = cloud;
    /** @type {import("./overlays.js").OverlayItem[]} */
    const front = this.neighbors.map((row) => ({ row, slot: this.slot(row), border: accent }));
    front.reverse();
    const clicked = this.clicked !== NONE;
    if (clicked) front.push({ row: this.clicked, slot: this.slot(this.clicked), border: accent, grow: GROWN });
    if (this.hovered >= 0) {
      const border = this.hovered === this.clicked ? accent : [1, 1, 1];
      front.push({ row: this.hovered, slot: this.slot(this.hovered), border, grow: GROWN });
    }
    cloud.overlays.setFront(front);
    cloud.overlays.setLines(clicked ? this.neighbors.map((row) => [this.clicked, row]) : []);
  }

  slot(row) {
    const { thumbnails } = this.viewer;
    if (row === QUERY_IMAGE && thumbnails.slot(QUERY_IMAGE) === null)
      thumbnails.put(QUERY_IMAGE, QUERY_IMAGE_LEVEL, this.queryImage.texels);
    return this.viewer.slot(row);
  }
}
