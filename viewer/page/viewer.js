// The cloud on the page: which collection, by which reducer, seen from where, with what marked. Draws only when
// something changed.

import { ease, CameraController } from "./interaction/camera_controller.js";
import { Cloud } from "./render/cloud.js";
import { PALETTES } from "./render/materials.js";
import { Framing } from "./interaction/framing.js";
import { loadLayout } from "./data/layouts.js";
import { Highlights } from "./render/highlights.js";
import { CanvasPicker } from "./interaction/canvas_picker.js";
import { LevelOfDetail } from "./render/level_of_detail.js";
import { CatalogueContext } from "./data/catalogue_context.js";
import { SIDE } from "./render/textures.js";
import { Thumbnails } from "./render/thumbnails.js";
import { Tiles } from "./render/tiles.js";

const GLIDE = 1.2; // seconds from one layout to another
const HIDDEN = 0;
const PLAIN = 128;
const CHOSEN = 255;

export class Viewer extends EventTarget {
  /** `free({ panels })` tells what of the canvas nothing covers, `{ left, top, right, bottom }` in CSS pixels. */
  constructor(canvas, free, renderer = null) {
    super();
    this.canvas = canvas;
    this.free = free;
    this.cloud = new Cloud(canvas, renderer);
    this.cameraController = new CameraController(this.cloud.camera, canvas, () => this.invalidate());
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
    this.forward = null;
    this.skip = null;
    this.borders = null;
    this.frameRequest = 0;
    this.last = 0;
    this.paintVersion = 0;
    this.moving = false;
    this.highlights = new Highlights(this);
    this.levelOfDetail = new LevelOfDetail(this);
    this.framing = new Framing(this);
    this.picker = new CanvasPicker(this);
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.resize();
  }

  emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  resize() {
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth || !clientHeight || this.cloud.renderer.xr.isPresenting) return;
    this.cloud.resize(clientWidth, clientHeight, Math.min(devicePixelRatio || 1, 2));
    if (this.split) this.cloud.panes = this.framing.halves();
    this.emit("panes", this.cloud.panes);
    this.framing.refit({ still: true });
    this.draw();
  }

  /** Show a collection by a reducer. Resolves when its points are drawn; tiles follow by themselves. */
  async show(collection, reducer) {
    this.leave();
    this.collection = collection;
    const { count, ranges } = collection;
    const first = await loadLayout(collection, reducer);
    performance.mark("wwzd:laid");
    if (this.collection !== collection) return;
    if (first.rows.length !== 3 * count) throw new Error("The vectors and the pictures do not fit together.");
    this.layouts = { [reducer]: first };
    this.reducer = reducer;
    this.cloud.begin(count);
    this.cloud.setLayouts(first.rows, first.rows);
    this.framing.refit({ still: true });
    performance.mark("wwzd:room");
    this.skip = new Uint8Array(count);
    this.chosen = new Set();
    this.forward = null;
    this.apply();
    this.draw();
    performance.mark("wwzd:asked");
    await this.cloud.drawn();
    if (this.collection !== collection) return;
    performance.mark("wwzd:points");
    this.cloud.allocateTextures(ranges);
    this.cloud.prepared.then(() => this.invalidate());
    this.tiles = new Tiles(this.cloud, collection, {
      changed: (sharp) => {
        if (sharp) this.updateOverlays();
        this.invalidate();
      },
      progress: (done, total) => this.emit("tiles", { done, total }),
      failed: (error) => this.emit("fault", { error }),
    });
    this.thumbnails = new Thumbnails(this.cloud, collection, {
      changed: () => {
        this.updateOverlays();
        this.invalidate();
      },
    });
    this.emit("shown");
    Promise.all([this.tiles.load(), this.cloud.prepared]).then(() => {
      performance.mark("wwzd:tiles");
      this.levelOfDetail.settle();
    });
  }

  leave() {
    this.tiles?.stop();
    this.thumbnails?.stop();
    this.highlights.forget();
    this.levelOfDetail.forget();
    this.cloud.clear();
    Object.assign(this, {
      tiles: null,
      layouts: {},
      collection: null,
      around: null,
      morph: null,
      split: null,
      borders: null,
    });
    this.cloud.panes = [{ x: 0, width: 1, morph: 0 }];
    this.invalidate();
  }

  /** Have a reducer's layout, and that of what is around; null if something else is shown by then. */
  async layout(reducer) {
    const { collection } = this;
    if (!this.layouts[reducer]) {
      const fresh = await loadLayout(collection, reducer);
      if (this.collection !== collection) return null;
      this.layouts[reducer] ??= fresh;
    }
    await this.around?.load(reducer, this.layouts[reducer].transform);
    return this.collection === collection ? this.layouts[reducer] : null;
  }

  /** Put the cloud, and what is around it, on the way from one layout to another, or in one. */
  setLayouts(from, to = from) {
    this.cloud.setLayouts(this.layouts[from].rows, this.layouts[to].rows);
    const around = this.around?.layouts ?? {};
    this.cloud.surround(around[from] && around[to] ? { from: around[from], to: around[to] } : null);
  }

  /** Show the catalogue as grey dots around an upload that lies in its space; null: the upload alone. */
  async surround(catalogue) {
    const { collection } = this;
    if (!this.cloud.points) return; // its own are not there yet
    const around = catalogue && new CatalogueContext(catalogue);
    // All that were shown, so that a layout that is chosen meanwhile is there too.
    const loads = Object.entries(this.layouts).map(([reducer, { transform }]) => around?.load(reducer, transform));
    await Promise.all(loads);
    if (this.collection !== collection) return;
    this.finishMorph();
    this.around = around;
    await this.layout(this.reducer);
    if (this.collection !== collection) return;
    this.setLayouts(this.reducer, this.split ?? this.reducer);
    this.framing.refit();
    this.invalidate();
  }

  /** Glide to a reducer's layout. */
  async showLayout(reducer) {
    const next = await this.layout(reducer);
    if (!next || this.reducer === reducer) return;
    if (this.split) this.splitView(null);
    this.morph = { done: 0 };
    this.setLayouts(this.reducer, reducer);
    this.reducer = reducer;
    this.framing.refit();
    this.highlights.show();
    if (this.cameraController.still) this.morph.done = 1;
    this.invalidate();
  }

  /** Show a second reducer beside the first, seen by the same camera; null for one view. */
  async splitView(reducer) {
    if (reducer) {
      const other = await this.layout(reducer);
      if (!other) return;
      this.finishMorph();
      this.setLayouts(this.reducer, reducer);
      this.cloud.panes = this.framing.halves();
    } else {
      this.setLayouts(this.reducer);
      this.cloud.panes = [{ x: 0, width: 1, morph: 0 }];
    }
    this.split = reducer;
    this.emit("panes", this.cloud.panes);
    this.framing.refit();
    this.highlights.show();
    this.invalidate();
  }

  /** Glide to where all is seen. */
  overview() {
    this.framing.overview();
  }

  /** A panel was opened or closed. */
  makeRoom() {
    this.framing.makeRoom();
  }

  /** A list came up beside the cloud. */
  makeRoomForList() {
    this.framing.makeRoomForList();
  }

  /** Glide to a picture, in an `area` of the canvas that nothing covers. */
  approach(row, area) {
    this.framing.approach(row, area);
  }

  /** Glide aside, if something covers a picture. */
  reveal(row, area) {
    this.framing.reveal(row, area);
  }

  finishMorph() {
    if (!this.morph) return;
    this.setLayouts(this.reducer);
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
    this.highlights.show();
    this.invalidate();
  }

  setFlat(on) {
    this.flat.goal = on ? 1 : 0;
    if (this.cameraController.still) this.flat.now = this.flat.goal;
    this.cameraController.plane(on);
    if (on) this.cameraController.go(this.cameraController.start); // seen from the front
    this.framing.refit();
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
    shared.uChosen.value = this.forward !== null || this.chosen.size > 0;
    this.updateOverlays();
    this.levelOfDetail.settle();
    this.invalidate();
  }

  // Frames.

  invalidate() {
    if (!this.frameRequest && !this.cloud.renderer.xr.isPresenting) {
      this.frameRequest = requestAnimationFrame((now) => this.frame(now));
    }
  }

  frame(now) {
    this.frameRequest = 0;
    const seconds = Math.min(0.2, Math.max(0, now - this.last) / 1000);
    this.last = now;
    let more = this.cameraController.step(seconds);
    more = this.stepMorph(seconds) || more;
    more = this.stepFlat(seconds) || more;
    this.cloud.draw();
    this.emit("frame");
    this.moving = more;
    if (more) this.invalidate();
    this.levelOfDetail.settle();
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
    this.emit("settled");
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
  updateOverlays() {
    if (!this.cloud.points || !this.tiles) return;
    this.levelOfDetail.show();
    this.highlights.show();
  }

  /** Have the sharp tiles and thumbnails that are missing for it; what stands in front comes first. */
  requestDetail() {
    if (!this.tiles) return;
    const { highlights, levelOfDetail, moving } = this;
    this.tiles.want([...new Set([...highlights.rows, ...levelOfDetail.rows])]);
    const ratio = this.cloud.renderer.getPixelRatio();
    const sides = new Map();
    for (const { row, grow } of highlights.sizes) sides.set(row, grow * (this.positionOf(row)?.side ?? 0) * ratio);
    for (const row of levelOfDetail.rows) {
      const side = levelOfDetail.sides.get(row) * ratio;
      if (!(sides.get(row) >= side)) sides.set(row, side);
    }
    this.thumbnails.want(
      [...sides].map(([row, side]) => ({ row, side })),
      { moving },
    );
  }

  /** The best that there is of a row, as a quad's slot; null where only small tiles are. */
  slot(row) {
    return this.thumbnails.slot(row) ?? this.tiles.slot(row);
  }

  // What is where.

  view(pane = 0) {
    return this.picker.view(pane);
  }

  paneAt(x) {
    return this.picker.paneAt(x);
  }

  /** The row under a point of the canvas, or -1. */
  rowAt(x, y) {
    return this.picker.rowAt(x, y);
  }

  /** Where a row, or the query image, is drawn: `{ x, y, side, far }` on the canvas, or null. */
  positionOf(row, pane = 0) {
    return this.picker.positionOf(row, pane);
  }

  /** The rows inside an outline on the canvas; it belongs to the pane that it begins in. */
  rowsWithin(outline) {
    return this.picker.rowsWithin(outline);
  }

  // What is marked.

  /** Put these rows forward and let the others stand back; none: all are equal again. */
  choose(rows) {
    this.chosen = new Set(rows);
    this.paint();
  }

  /** Put the rows forward of which `mask` is 1, in place of the chosen ones; null: the chosen ones again. */
  highlight(mask) {
    this.forward = mask;
    this.paint();
  }

  standsBack(row) {
    return this.forward ? !this.forward[row] : this.chosen.size > 0 && !this.chosen.has(row);
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
    this.cloud.written("border");
    this.apply();
  }

  borderOf(row) {
    return this.borders ? [...this.borders.subarray(3 * row, 3 * row + 3)].map((byte) => byte / 255) : null;
  }

  paint() {
    this.emit("painted");
    this.paintVersion += 1;
    this.cloud.filtered = this.skip.includes(1);
    if (!this.cloud.points) return;
    const colours = this.cloud.array("colour");
    const { skip, chosen, forward } = this;
    for (let row = 0; row < skip.length; row++) {
      colours[4 * row + 3] = skip[row] ? HIDDEN : forward?.[row] ? CHOSEN : PLAIN;
    }
    if (!forward) for (const row of chosen) if (!skip[row]) colours[4 * row + 3] = CHOSEN;
    this.cloud.written("colour");
    this.apply();
  }

  /** The canvas as a PNG. */
  screenshot() {
    this.draw();
    return new Promise((resolve) => this.canvas.toBlob(resolve, "image/png"));
  }

  /** What a test or a benchmark wants to know. */
  get facts() {
    return { frames: this.cloud.frames, bytes: this.cloud.textures?.bytes ?? 0, slot: SIDE };
  }
}
