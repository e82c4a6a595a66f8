// The cloud on the page: which collection, by which reducer, seen from where, with what marked. Draws only when
// something changed.

import { CameraController } from "./interaction/camera_controller.js";
import { Cloud } from "./render/cloud.js";
import { PALETTES } from "./render/materials.js";
import { Framing } from "./interaction/framing.js";
import { loadLayout } from "./data/layouts.js";
import { Highlights } from "./render/highlights.js";
import { CanvasPicker } from "./interaction/canvas_picker.js";
import { LayoutView } from "./interaction/layout_view.js";
import { LevelOfDetail } from "./render/level_of_detail.js";
import { RowStyles } from "./render/row_styles.js";
import { SIDE } from "./render/textures.js";
import { Thumbnails } from "./render/thumbnails.js";
import { Tiles } from "./render/tiles.js";
import { openTiled } from "./tiling.js";

export class Viewer extends EventTarget {
  /** `free({ panels })` tells what of the canvas nothing covers, `{ left, top, right, bottom }` in CSS pixels. */
  constructor(canvas, free, renderer = null) {
    super();
    this.canvas = canvas;
    this.free = free;
    this.cloud = new Cloud(canvas, renderer);
    this.cameraController = new CameraController(this.cloud.camera, canvas, () => this.invalidate());
    this.collection = null;
    this.turn = 0; // counts what was shown and left
    /** @type {import("./tiled.js").TiledCloud} */
    this.tiled = null; // of a collection of which only some points are in memory
    this.pictures = true;
    this.flat = { now: 0, goal: 0 };
    this.zoom = 1;
    this.frameRequest = 0;
    this.last = 0;
    this.moving = false;
    this.layoutView = new LayoutView(this);
    this.rowStyles = new RowStyles(this);
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
    if (this.layoutView.split) this.cloud.panes = this.framing.halves();
    this.emit("panes", this.cloud.panes);
    this.framing.refit({ still: true });
    this.draw();
  }

  /** Show a collection by a reducer. Resolves when its points are drawn; tiles follow by themselves. */
  async show(collection, reducer) {
    this.leave();
    const { turn } = this;
    this.collection = collection;
    const { count, ranges } = collection;
    const tiled = collection.isTiled ? await openTiled(this, collection, reducer) : null;
    const first = tiled?.first ?? (await loadLayout(collection, reducer));
    performance.mark("wwzd:laid");
    if (this.turn !== turn) return tiled?.leave();
    this.tiled = tiled;
    if (!tiled && first.rows.length !== 3 * count) throw new Error("The vectors and the pictures do not fit together.");
    this.layoutView.begin(reducer, first);
    this.cloud.begin(first.rows.length / 3);
    if (tiled) Object.assign(this.cloud, { count, tiled });
    this.cloud.setLayouts(first.rows, first.rows);
    this.framing.refit({ still: true });
    performance.mark("wwzd:room");
    this.rowStyles.begin(tiled ? 0 : count);
    this.apply();
    this.draw();
    performance.mark("wwzd:asked");
    await this.cloud.drawn();
    if (this.turn !== turn) return;
    performance.mark("wwzd:points");
    this.cloud.allocateTextures(tiled ? 1 : ranges);
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
    tiled?.begin();
    Promise.all([tiled ? this.tiles.without() : this.tiles.load(), this.cloud.prepared]).then(() => {
      performance.mark("wwzd:tiles");
      this.levelOfDetail.settle();
    });
  }

  leave() {
    this.turn += 1;
    this.tiled?.leave();
    this.tiles?.stop();
    this.thumbnails?.stop();
    this.highlights.forget();
    this.levelOfDetail.forget();
    this.cloud.clear();
    this.layoutView.leave();
    this.rowStyles.borders = null;
    Object.assign(this, { tiled: null, tiles: null, collection: null });
    this.cloud.panes = [{ x: 0, width: 1, morph: 0 }];
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

  /** Glide to a picture, in an `area` of the canvas that nothing covers; until it is `distance` away, or fills a part. */
  approach(row, area, distance) {
    this.framing.approach(row, area, distance);
  }

  /** Glide aside, if something covers a picture. */
  reveal(row, area) {
    this.framing.reveal(row, area);
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
    shared.uChosen.value = this.rowStyles.some;
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
    more = this.layoutView.stepMorph(seconds) || more;
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
