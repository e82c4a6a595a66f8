// The cloud on the page: which collection, by which reducer, seen from where, with what marked. Draws only when
// something changed.

import { ease, Rig } from "./camera.js";
import { Cloud, MOST_OF_VIEW, PALETTES } from "./cloud.js";
import { Marks } from "./marks.js";
import { inside, pick, place } from "./picking.js";
import { Sharpness } from "./sharpness.js";
import { Surroundings } from "./surroundings.js";
import { SIDE } from "./textures.js";
import { Tiles } from "./tiles.js";
import { aligned, normalised } from "./vectors.js";

const GLIDE = 1.2; // seconds from one layout to another
const OFF = 40; // CSS pixels that a picture keeps from what would cover it
const FARTHEST = 11; // units from the middle: the camera sees and goes little further
const HIDDEN = 0;
const PLAIN = 128;
const CHOSEN = 255;

export class Stage extends EventTarget {
  constructor(canvas) {
    super();
    this.canvas = canvas;
    this.cloud = new Cloud(canvas);
    this.rig = new Rig(this.cloud.camera, canvas, () => this.invalidate());
    this.collection = null;
    this.layouts = {};
    this.reducer = "";
    this.split = null;
    this.morph = null;
    this.pictures = true;
    this.flat = { now: 0, goal: 0 };
    this.zoom = 1;
    this.around = null;
    this.chosen = new Set();
    this.skip = null;
    this.borders = null;
    this.asked = 0;
    this.last = 0;
    this.painted = 0;
    this.marks = new Marks(this);
    this.sharpness = new Sharpness(this);
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.resize();
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  resize() {
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth || !clientHeight || this.cloud.renderer.xr.isPresenting) return;
    this.cloud.resize(clientWidth, clientHeight, Math.min(devicePixelRatio || 1, 2));
    this.draw();
  }

  /** Show a collection by a reducer. Resolves when its points are drawn; tiles follow by themselves. */
  async show(collection, reducer) {
    this.leave();
    this.collection = collection;
    const { count, ranges } = collection;
    const rows = collection.vectors(reducer);
    const fetched = await rows;
    performance.mark("wwzd:vectors");
    const layout = normalised(fetched);
    performance.mark("wwzd:laid");
    if (this.collection !== collection) return;
    if (layout.rows.length !== 3 * count) throw new Error("The vectors and the pictures do not fit together.");
    this.layouts = { [reducer]: layout };
    this.reducer = reducer;
    this.cloud.begin(count);
    this.cloud.layouts(layout.rows, layout.rows);
    performance.mark("wwzd:room");
    this.skip = new Uint8Array(count);
    this.chosen = new Set();
    this.apply();
    this.draw();
    performance.mark("wwzd:asked");
    await this.cloud.drawn();
    if (this.collection !== collection) return;
    performance.mark("wwzd:points");
    this.cloud.furnish(ranges);
    this.cloud.prepared.then(() => this.invalidate());
    this.tiles = new Tiles(this.cloud, collection, {
      changed: (sharp) => {
        if (sharp) this.raise();
        this.invalidate();
      },
      progress: (done, total) => this.tell("tiles", { done, total }),
      failed: (error) => this.tell("fault", { error }),
    });
    Promise.all([this.tiles.load(), this.cloud.prepared]).then(() => {
      performance.mark("wwzd:tiles");
      this.sharpness.settle();
    });
  }

  leave() {
    this.tiles?.stop();
    this.marks.forget();
    this.sharpness.forget();
    this.cloud.clear();
    Object.assign(this, { tiles: null, collection: null, around: null, morph: null, split: null, borders: null });
    this.cloud.panes = [{ x: 0, width: 1, morph: 0 }];
    this.invalidate();
  }

  /** Fetch a reducer's layout and turn it onto the first one. */
  async layout(reducer) {
    const { collection } = this;
    if (!this.layouts[reducer]) {
      const fresh = normalised(await collection.vectors(reducer));
      if (this.collection !== collection) return null;
      const model = Object.values(this.layouts)[0];
      this.layouts[reducer] = this.layouts[reducer] ?? aligned(fresh, model.rows);
    }
    await this.around?.load(reducer, this.layouts[reducer].place);
    return this.collection === collection ? this.layouts[reducer] : null;
  }

  /** Put the cloud, and what is around it, on the way from one layout to another, or in one. */
  lay(from, to = from) {
    this.cloud.layouts(this.layouts[from].rows, this.layouts[to].rows);
    const around = this.around?.layouts ?? {};
    this.cloud.surround(around[from] && around[to] ? { from: around[from], to: around[to] } : null);
  }

  /** Show the catalogue as grey dots around an upload that lies in its space; null: the upload alone. */
  async surround(catalogue) {
    const { collection } = this;
    if (!this.cloud.points) return; // its own are not there yet
    const around = catalogue && new Surroundings(catalogue);
    // All that were shown, so that a layout that is chosen meanwhile is there too.
    const loads = Object.entries(this.layouts).map(([reducer, { place }]) => around?.load(reducer, place));
    await Promise.all(loads);
    if (this.collection !== collection) return;
    this.finishMorph();
    this.around = around;
    await this.layout(this.reducer);
    if (this.collection !== collection) return;
    this.lay(this.reducer, this.split ?? this.reducer);
    this.invalidate();
  }

  /** Glide to where all is seen: the cloud, and what is around it. */
  overview() {
    const [x, y, z, ...target] = this.rig.start;
    const wide = this.around ? Math.max(1, this.around.reach(this.reducer)) : 1;
    this.rig.go([x, y, Math.min(z * wide, FARTHEST), ...target]);
  }

  /** Glide to a reducer's layout. */
  async to(reducer) {
    const next = await this.layout(reducer);
    if (!next || this.reducer === reducer) return;
    if (this.split) this.both(null);
    this.morph = { done: 0 };
    this.lay(this.reducer, reducer);
    this.reducer = reducer;
    this.marks.show();
    if (this.rig.still) this.morph.done = 1;
    this.invalidate();
  }

  /** Show a second reducer beside the first, seen by the same camera; null for one view. */
  async both(reducer) {
    if (reducer) {
      const other = await this.layout(reducer);
      if (!other) return;
      this.finishMorph();
      this.lay(this.reducer, reducer);
      this.cloud.panes = [
        { x: 0, width: 0.5, morph: 0 },
        { x: 0.5, width: 0.5, morph: 1 },
      ];
    } else {
      this.lay(this.reducer);
      this.cloud.panes = [{ x: 0, width: 1, morph: 0 }];
    }
    this.split = reducer;
    this.marks.show();
    this.invalidate();
  }

  finishMorph() {
    if (!this.morph) return;
    this.lay(this.reducer);
    this.cloud.panes[0].morph = 0;
    this.morph = null;
  }

  setPictures(on) {
    this.pictures = on;
    this.apply();
  }

  setZoom(factor) {
    this.zoom = factor;
    this.apply();
  }

  setFade(amount) {
    this.cloud.shared.uFade.value = amount;
    this.invalidate();
  }

  setPalette(name) {
    this.cloud.palette(PALETTES[name] ? name : "dark");
    this.marks.show();
    this.invalidate();
  }

  setFlat(on) {
    this.flat.goal = on ? 1 : 0;
    if (this.rig.still) this.flat.now = this.flat.goal;
    this.rig.plane(on);
    this.apply();
  }

  /** A sprite's longer side in the cloud's units: the fewer pictures, the larger. */
  get size() {
    return (this.zoom * 0.8) / Math.cbrt(Math.max(this.collection?.count ?? 1, 8));
  }

  apply() {
    const { shared } = this.cloud;
    shared.uSize.value = this.size;
    shared.uPictures.value = this.pictures;
    shared.uChosen.value = this.chosen.size > 0;
    this.raise();
    this.sharpness.settle();
    this.invalidate();
  }

  // Frames.

  invalidate() {
    if (!this.asked && !this.cloud.renderer.xr.isPresenting) {
      this.asked = requestAnimationFrame((now) => this.frame(now));
    }
  }

  frame(now) {
    this.asked = 0;
    const seconds = Math.min(0.2, Math.max(0, now - this.last) / 1000);
    this.last = now;
    let more = this.rig.step(seconds);
    more = this.stepMorph(seconds) || more;
    more = this.stepFlat(seconds) || more;
    this.cloud.draw();
    this.tell("frame");
    if (more) this.invalidate();
    this.sharpness.settle();
  }

  draw() {
    this.cloud.draw();
  }

  stepMorph(seconds) {
    if (!this.morph) return false;
    this.morph.done = Math.min(1, this.morph.done + seconds / GLIDE);
    this.cloud.panes[0].morph = ease(this.morph.done);
    if (this.morph.done < 1) return true;
    this.finishMorph();
    this.tell("settled");
    return false;
  }

  stepFlat(seconds) {
    const { flat } = this;
    const way = flat.goal - flat.now;
    if (way) flat.now = Math.abs(way) < 0.01 ? flat.goal : flat.now + way * Math.min(1, seconds * 7);
    this.cloud.shared.uDepth.value = 1 - flat.now;
    return flat.now !== flat.goal;
  }

  /** Tell the cloud what is to be raised from its points: what is sharp, and what stands in front. */
  raise() {
    if (!this.cloud.points || !this.tiles) return;
    this.sharpness.show();
    this.marks.show();
  }

  /** Have the sharp tiles that are missing for it; what stands in front comes first. */
  wantSharp() {
    this.tiles?.want([...new Set([...this.marks.rows, ...this.sharpness.rows])]);
  }

  // What is where.

  view(pane = 0) {
    const { x, width } = this.cloud.panes[pane] ?? this.cloud.panes[0];
    const { clientWidth, clientHeight } = this.canvas;
    const ratio = this.cloud.renderer.getPixelRatio();
    const reducer = pane === 1 ? this.split : this.reducer;
    const camera = this.cloud.camera;
    camera.aspect = (width * clientWidth) / clientHeight;
    camera.updateProjectionMatrix();
    return {
      rows: this.layouts[reducer].rows,
      depth: 1 - this.flat.now,
      camera,
      left: x * clientWidth,
      width: width * clientWidth,
      height: clientHeight,
      size: this.size,
      scale: clientHeight / (2 * Math.tan((camera.fov * Math.PI) / 360)),
      limits: [2 / ratio, MOST_OF_VIEW * clientHeight],
      shapes: this.cloud.array("shape"),
      dot: this.pictures ? 0 : this.cloud.dot(1),
    };
  }

  paneAt(x) {
    return this.cloud.panes.findIndex((pane) => x <= (pane.x + pane.width) * this.canvas.clientWidth);
  }

  /** The row under a point of the canvas, or -1. */
  at(x, y) {
    if (!this.cloud.points || this.morph) return -1;
    const view = this.view(this.paneAt(x));
    return pick(view, this.skip, x - view.left, y);
  }

  /** Where a row, or the guest, is drawn: `{ x, y, side, far }` on the canvas, or null. */
  where(row, pane = 0) {
    if (!this.cloud.points || row === -1) return null;
    const view = this.view(pane);
    const point = this.cloud.spot(row, view.rows);
    const found = point && place(view, point);
    return found && { ...found, x: found.x + view.left };
  }

  /** The rows inside an outline on the canvas; it belongs to the pane that it begins in. */
  within(outline) {
    if (!this.cloud.points) return [];
    const view = this.view(this.paneAt(outline[0][0]));
    return inside(
      view,
      this.skip,
      outline.map(([x, y]) => [x - view.left, y]),
    );
  }

  // What is marked.

  /** Put these rows forward and let the others stand back; none: all are equal again. */
  choose(rows) {
    this.chosen = new Set(rows);
    this.paint();
  }

  /** Leave the rows of which `skip` is 1 as grey context. */
  filter(skip) {
    this.skip = skip;
    this.paint();
  }

  /** Colour borders, a colour a row (three bytes) or null. */
  colour(borders) {
    this.borders = borders;
    this.cloud.bordered = borders !== null;
    const target = this.cloud.array("border");
    for (let row = 0; row < this.collection.count; row++) {
      for (let channel = 0; channel < 3; channel++) target[4 * row + channel] = borders?.[3 * row + channel] ?? 0;
      target[4 * row + 3] = borders ? 255 : 0;
    }
    this.cloud.writeRows("border", 0, target.slice());
    this.apply();
  }

  borderOf(row) {
    return this.borders ? [...this.borders.subarray(3 * row, 3 * row + 3)].map((byte) => byte / 255) : null;
  }

  paint() {
    this.painted += 1;
    this.cloud.filtered = this.skip.some(Boolean);
    if (!this.cloud.points) return;
    const colours = this.cloud.array("colour");
    for (let row = 0; row < this.collection.count; row++) {
      colours[4 * row + 3] = this.skip[row] ? HIDDEN : this.chosen.has(row) ? CHOSEN : PLAIN;
    }
    this.cloud.writeRows("colour", 0, colours.slice());
    this.apply();
  }

  /** Glide to a picture until it fills a part of the view, in that `area` of the canvas that nothing covers. */
  approach(row, area) {
    const spot = this.cloud.spot(row, this.layouts[this.reducer].rows);
    if (!spot) return;
    const point = [...spot];
    point[2] *= 1 - this.flat.goal;
    const { width, height, scale } = this.view();
    const [x, y] = nearest(area, width / 2, height / 2);
    this.rig.approach(point, Math.max(0.06, this.size * 7), [(x - width / 2) / scale, (y - height / 2) / scale]);
  }

  /** Glide aside, if something covers a picture, until it lies in that `area` of the canvas that nothing covers. */
  reveal(row, area) {
    const found = this.where(row);
    if (!found || this.morph) return;
    const { width, scale } = this.view();
    const [x, y] = nearest({ ...area, right: Math.min(area.right, width) }, found.x, found.y);
    const step = [x - found.x, y - found.y].map((pixels) => (pixels * found.far) / scale);
    if (step[0] || step[1]) this.rig.shift(...step);
  }

  /** The canvas as a PNG. */
  picture() {
    this.draw();
    return new Promise((resolve) => this.canvas.toBlob(resolve, "image/png"));
  }

  /** What a test or a benchmark wants to know. */
  get facts() {
    return { frames: this.cloud.frames, bytes: this.cloud.textures?.bytes ?? 0, slot: SIDE };
  }
}

/** The point of an area, some pixels off its edge, that is nearest to a point. */
function nearest({ left, top, right, bottom }, x, y) {
  const within = (value, least, most) =>
    least + OFF > most - OFF ? (least + most) / 2 : Math.min(Math.max(value, least + OFF), most - OFF);
  return [within(x, left, right), within(y, top, bottom)];
}
