// A cloud of which only some points are in memory: nodes of an octree, loaded as the camera needs them. A module of its
// own, which the page fetches for such a collection alone; what draws is the page's, and handed in.

import { NodeLoader } from "./data/node_loader.js";
import { placesOf, readIndex } from "./data/point_index.js";
import { largestPoints, pointsUnder } from "./interaction/near_points.js";
import { chooseNodes, planesOf } from "./render/node_choice.js";

const MOST = 2_500_000; // points on the canvas
const LEAST = 250_000; // where the card is slow
const KEPT = 6_000_000; // points in memory
const OFTEN = 120; // milliseconds between two looks at which nodes are seen
const SLOW = 80; // milliseconds of a frame, beyond which fewer points are drawn
const QUICK = 30; // and below which more are
const REMEMBERED = 4096; // rows whose places, or shapes, are known beside those that are near

export class TiledCloud {
  /** Of a layout of a collection, with the first node there. Raises `ApiError`. */
  static async open(viewer, collection, layout, tools) {
    const index = readIndex(await collection.pointIndex(layout));
    const made = new TiledCloud(viewer, collection, layout, index, tools);
    await made.loader.fetch(index.nodes.slice(0, 1));
    if (made.error) throw made.error;
    return made;
  }

  /** `tools` are `{ TilePoints, clipMatrix }`. */
  constructor(viewer, collection, layout, index, { TilePoints, clipMatrix }) {
    /** @type {import("./viewer.js").Viewer} */
    this.viewer = viewer;
    this.collection = collection;
    this.layout = layout;
    this.index = index;
    this.clipMatrix = clipMatrix;
    this.points = new TilePoints(viewer.cloud);

    this.data = new Map(); // number → `{ node, data, points }` of those that are there
    this.drawn = [];
    this.budget = MOST / 2;
    this.known = new Map(); // row → its place
    this.near = new Map(); // the same of those that are near the camera
    this.shapes = new Map(); // row → its picture's width and height, of 1
    this.asked = new Set(); // rows whose places are on their way
    this.began = 0; // of the last frame while the camera moved
    this.timer = 0;
    this.error = null;
    const fetchBytes = (first, last) => collection.pointNodes(layout, index.digest, first, last);
    const listener = {
      came: (node, data) => this.came(node, data),
      went: (node) => this.went(node),
      failed: (error) => this.failed(error),
    };
    this.loader = new NodeLoader(index, fetchBytes, listener, KEPT);
    this.follow = () => this.frame();
  }

  /** The first node, which the cloud draws as its own points: `{ rows, transform }`. */
  get first() {
    const { node, data } = this.data.get(0);
    return { rows: placesOf(node, data), transform: this.index.transform };
  }

  /** The rows of the first node. */
  get root() {
    return this.data.get(0).data;
  }

  /** Go on with the other nodes, once the first one is drawn. */
  begin() {
    const { colours } = this.root;
    if (colours) this.viewer.cloud.writeRows("colour", 0, opaque(colours));
    this.viewer.addEventListener("frame", this.follow);
    this.look();
  }

  leave() {
    this.viewer.removeEventListener("frame", this.follow);
    clearTimeout(this.timer);
    this.loader.stop();
    this.points.clear();
    this.data.clear();
    this.left = true;
  }

  came(node, data) {
    if (this.left) return;
    const points = node.number ? this.points.add(node, data) : null;
    this.data.set(node.number, { node, data, points });
    if (points) points.visible = false;
    this.settle();
  }

  went({ number }) {
    const { points } = this.data.get(number);
    if (!points) return; // the first one is the cloud's
    this.points.remove(points);
    this.data.delete(number);
  }

  failed(error) {
    this.error = error;
    this.viewer.emit("fault", { error });
  }

  frame() {
    this.measure();
    this.settle();
  }

  /** Look soon, unless a look is due already. */
  settle() {
    if (this.viewer.tiled !== this) return;
    this.timer ||= setTimeout(() => {
      this.timer = 0;
      this.look();
    }, OFTEN);
  }

  /** Choose the nodes that are seen, draw those that are there and fetch the others. */
  look() {
    const { cloud } = this.viewer;
    const view = this.viewer.view();
    const { x, y, z } = cloud.camera.position;
    const planes = planesOf(this.clipMatrix(cloud.camera));
    const chosen = chooseNodes(this.index.nodes, { ...view, planes, eye: [x, y, z] }, this.budget);
    this.loader.want(chosen);
    const drawn = chosen.map(({ number }) => this.data.get(number)).filter(Boolean);
    if (drawn.length === this.drawn.length && drawn.every((one, at) => one === this.drawn[at])) return;
    for (const { points } of this.drawn) if (points) points.visible = false;
    for (const { points } of drawn) if (points) points.visible = true;
    this.drawn = drawn;
    this.viewer.levelOfDetail.seen = "";
    this.viewer.invalidate();
  }

  /** Draw fewer points where frames take long, more where they do not. */
  measure() {
    const now = performance.now();
    const took = now - this.began;
    this.began = this.viewer.moving ? now : 0;
    if (took === now) return;
    if (took > SLOW) this.budget = Math.max(LEAST, this.budget * 0.9);
    else if (took < QUICK) this.budget = Math.min(MOST, this.budget * 1.05);
  }

  // What is where.

  /** The points that may be drawn at a point of the pane, as `pick` takes them; `ids` are their rows. */
  under(view, x, y) {
    const { rows, ids } = pointsUnder(this.drawn, view, this.clipMatrix(view.camera), x, y);
    const near = new Set([...ids.keys()].filter((at) => view.near.has(ids[at])));
    const shapes = new Uint8Array(2 * ids.length);
    for (const at of near)
      shapes.set(
        this.shape(ids[at]).map((side) => Math.round(255 * side)),
        2 * at,
      );
    return { rows, ids, near, shapes };
  }

  /** The row of one of these points; where it lies is known from now on. */
  picked({ rows, ids }, index) {
    this.remember(ids[index], rows.slice(3 * index, 3 * index + 3));
    return ids[index];
  }

  /** The largest points, as `collectLargest` tells them. */
  largest(view, least, most) {
    const { x, y, z } = view.camera.position;
    const found = largestPoints(this.drawn, view, this.clipMatrix(view.camera), [x, y, z], least, most);
    this.near = new Map(found.map(({ row, place }) => [row, place]));
    return found;
  }

  /** Where a row is, or null while that is not known. */
  place(row) {
    return this.near.get(row) ?? this.known.get(row) ?? null;
  }

  remember(row, place) {
    keep(this.known, row, place);
  }

  /** A picture's width and height, of 1: a square until some of it has come. */
  shape(row) {
    return this.shapes.get(row) ?? [1, 1];
  }

  /** A picture came, of so many pixels. */
  shaped(row, size) {
    const longer = Math.max(...size);
    const shape = Array.from(size, (side) => side / longer);
    keep(this.shapes, row, shape);
  }

  /** Have the places of these rows. Resolves to whether any were missing. */
  async locate(rows) {
    const missing = rows.filter((row) => row >= 0 && !this.place(row) && !this.asked.has(row));
    const one = async (row) => {
      this.asked.add(row);
      try {
        const place = await this.collection.placeOf(this.layout, row);
        this.remember(row, Float32Array.from(this.index.transform(place)));
      } catch {
        // It stays unmarked in the cloud.
      } finally {
        this.asked.delete(row);
      }
    };
    await Promise.all(missing.map(one));
    return missing.length > 0 && !this.left;
  }

  /** What a test or a benchmark wants to know. */
  get idle() {
    return !this.timer && this.loader.idle;
  }

  get facts() {
    const points = this.drawn.reduce((sum, { node }) => sum + node.count, 0);
    return { drawn: points, nodes: this.drawn.length, kept: this.loader.points, budget: Math.round(this.budget) };
  }
}

/** Put a value into a map of so many, from which the oldest one goes. */
function keep(map, row, value) {
  map.delete(row);
  map.set(row, value);
  if (map.size > REMEMBERED) map.delete(map.keys().next().value);
}

/** Colours of three bytes → of four, as those of rows that are not chosen. */
function opaque(colours) {
  return Uint8Array.from({ length: (colours.length / 3) * 4 }, (_, at) =>
    at % 4 === 3 ? 128 : colours[(at >> 2) * 3 + (at % 4)],
  );
}
