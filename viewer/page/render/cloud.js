// The cloud as three.js draws it: all pictures as points, those of a few pixels in one call and those that are close in
// another, and what is raised from them.

import { BufferAttribute, Color, Group, PerspectiveCamera, Points, Scene, Vector2, WebGLRenderer } from "three";
import { allDrawn } from "./fence.js";
import { ANGLE, collectNear, setProjection } from "./projection.js";
import { Overlays } from "./overlays.js";
import { DETAIL_NAMES, makeMaterials, makeUniforms, PALETTES, setColours, setFog, TINY } from "./materials.js";
import { dotSize, makeContext, makePoints, writeRows, written } from "./points.js";
import { Textures } from "./textures.js";

/** Units, and there metres, that the cloud's middle lies before someone who enters virtual reality. */
const IN_FRONT = 1.6;
/** A picture right before the camera takes this part of the view's height, not all of it. */
export const MOST_OF_VIEW = 0.42;
/** Stands in a row's place for the picture from outside. */
export const QUERY_IMAGE = -2;
const LARGEST_POINT = 128; // pixels; what is larger is near, and drawn as a quad

export class Cloud {
  /** `renderer` where it is not WebGL's. */
  constructor(canvas, renderer = null) {
    const options = { canvas, antialias: false, alpha: false, preserveDrawingBuffer: false };
    this.renderer = renderer ?? new WebGLRenderer(options);
    this.renderer.autoClear = false;
    this.camera = new PerspectiveCamera(ANGLE, 1, 0.004, 60);
    this.camera.position.set(0, 0, 2.9);
    this.eyes = this.camera.clone(); // in virtual reality the headset moves it
    this.floor = new Group().add(this.eyes);
    this.scene = new Scene();
    this.panes = [{ x: 0, width: 1, morph: 0 }];
    this.frames = 0;
    this.bordered = false; // whether some have borders
    this.filtered = false; // whether some are filtered out
    this.bare = true; // whether some are without a tile
    this.layoutAttributes = new Map(); // a layout's rows → its attribute
    this.programs = false; // whether those that draw tiles are made
    const gl = this.renderer.getContext();
    this.largest = Math.min(LARGEST_POINT, gl.getParameter(gl.ALIASED_POINT_SIZE_RANGE)[1]);
    this.shared = makeUniforms(this.largest);
    this.palette("dark");
    this.points = null;
    this.splitsNear = false; // whether some points are drawn as close, others as tiny
    this.textures = null;
    this.tiled = null; // knows places and shapes where the points are only some of them
    this.around = null; // the points of other pictures around these
    this.queryImage = null; // `{ shape, positionOf(rows) }` of the picture from outside
    const { pointMaterials, materials } = makeMaterials(this.shared);
    this.pointMaterials = pointMaterials;
    this.materials = materials;
    this.prepared = null;
    this.warm();
  }

  /** Have the program of the dots made while their places are still on their way: by drawing one out of sight. */
  warm() {
    this.begin(1);
    const nowhere = new Float32Array([0, 0, 1e6]);
    this.setLayouts(nowhere, nowhere);
    this.draw();
    this.clear();
  }

  /** Make room for `count` pictures, and forget those that were shown. They are dots until there are tiles. */
  begin(count) {
    this.clear();
    this.count = count;
    const { points, nearPoints } = makePoints(count, this.pointMaterials);
    this.points = points;
    this.nearPoints = nearPoints;
    this.overlays = new Overlays(this, this.materials);
    for (const part of this.parts) {
      part.frustumCulled = false;
      this.scene.add(part);
    }
  }

  /**
   * Room for the tiles of so many ranges, and the programs that draw them. After the first frame: it takes longer than
   * all that the dots need.
   */
  allocateTextures(ranges) {
    this.textures = new Textures(this.renderer, ranges);
    this.shared.uTiniest.value = this.textures.tiny;
    this.shared.uSmall.value = this.textures.small;
    this.shared.uMiddle.value = this.textures.middle;
    this.shared.uSharp.value = this.textures.sharp;
    this.shared.uBest.value = 0;
    this.prepared ??= this.prepare();
  }

  /** Make room for thumbnails of the originals, unless there is. */
  makeDetails() {
    this.textures.makeDetails();
    DETAIL_NAMES.forEach((name, level) => {
      this.shared[name].value = this.textures.details[level];
    });
  }

  get parts() {
    return [this.points, this.nearPoints, ...this.overlays.parts];
  }

  /** Have the other programs made beside the page's own thread, where the browser can. */
  async prepare() {
    const all = new Scene();
    const [, ...materials] = Object.values(this.pointMaterials).flat(); // the first one draws already
    for (const material of materials) all.add(new Points(this.points.geometry, material));
    all.add(...this.overlays.parts.map((part) => Object.assign(part.clone(), { visible: true })));
    if (this.renderer.extensions.has("KHR_parallel_shader_compile")) {
      await this.renderer.compileAsync(all, this.camera);
    } else {
      this.renderer.compile(all, this.camera);
      await this.drawn();
    }
    this.programs = true;
  }

  clear() {
    if (!this.points) return;
    for (const part of this.parts) {
      this.scene.remove(part);
      part.geometry.dispose();
    }
    this.textures?.dispose();
    this.textures = null;
    this.bordered = false;
    this.filtered = false;
    this.bare = true;
    this.queryImage = this.tiled = null;
    this.surround(null);
    for (const name of ["uTiniest", "uSmall", "uMiddle", "uSharp", ...DETAIL_NAMES]) this.shared[name].value = null;
    this.layoutAttributes.clear();
    this.points = null;
  }

  /** Where the pictures are, and where they go as `morph` grows from 0 to 1. Each layout goes to the card once. */
  setLayouts(from, to) {
    this.setLayoutAttributes(this.points.geometry, from, to);
    this.overlays.refresh();
  }

  setLayoutAttributes(geometry, from, to) {
    for (const [name, rows] of Object.entries({ position: from, goal: to })) {
      if (!this.layoutAttributes.has(rows)) this.layoutAttributes.set(rows, new BufferAttribute(rows, 3));
      geometry.setAttribute(name, this.layoutAttributes.get(rows));
    }
  }

  /** Other pictures as grey dots around these, in layouts of their own: `{ from, to }`, or null for none. */
  surround(layouts) {
    if (this.around && !layouts) {
      this.scene.remove(this.around);
      this.around.geometry.dispose();
      this.around = null;
    }
    if (!layouts) return;
    const { from, to } = layouts;
    if (!this.around) {
      const count = from.length / 3;
      this.around = makeContext(count, this.materials.around);
      this.materials.around.uniforms.uDot.value = dotSize(this.renderer.getPixelRatio(), count);
      this.scene.add(this.around);
    }
    this.setLayoutAttributes(this.around.geometry, from, to);
  }

  /** Some rows of an attribute of the points: their shapes, colours or borders. */
  writeRows(name, first, values) {
    writeRows(this.points.geometry.getAttribute(name), first, values);
  }

  /** Have the card take all of an array that was written to. */
  written(name) {
    written(this.points.geometry.getAttribute(name));
  }

  /** Where a picture is in a layout: `(3,)`, or null if the query image has no place there. */
  positionOf(row, rows) {
    if (row === QUERY_IMAGE) return this.queryImage?.positionOf(rows) ?? null;
    return this.tiled ? this.tiled.place(row) : rows.subarray(3 * row, 3 * row + 3);
  }

  /** Width and height, of 1: a square while they are not known. */
  shape(row) {
    if (row === QUERY_IMAGE) return this.queryImage.shape;
    if (this.tiled) return this.tiled.shape(row);
    const { array } = this.points.geometry.getAttribute("shape");
    return [array[2 * row] / 255 || 1, array[2 * row + 1] / 255 || 1];
  }

  array(name) {
    return this.points.geometry.getAttribute(name).array;
  }

  palette(name) {
    setColours(this.shared, PALETTES[name]);
    this.accent = this.shared.uAccent.value.toArray();
    this.renderer.setClearColor(new Color(PALETTES[name].ground));
  }

  resize(width, height, ratio) {
    this.renderer.setPixelRatio(ratio);
    this.renderer.setSize(width, height, false);
  }

  /** Draw every pane: a part of the canvas that shows the layouts at its own stage of the way between them. */
  draw() {
    if (this.points) this.selectMaterials();
    if (this.renderer.xr.isPresenting) return this.drawAround();
    const size = this.renderer.getSize(new Vector2());
    const ratio = this.renderer.getPixelRatio();
    this.renderer.setScissorTest(false);
    this.renderer.clear();
    this.renderer.setScissorTest(this.panes.length > 1);
    setFog(this.shared, this.camera.position.length());
    for (const { x, width, height = 1, morph } of this.panes) {
      const high = Math.round(height * size.y);
      const pane = [Math.round(x * size.x), size.y - high, Math.round(width * size.x), high];
      this.renderer.setViewport(...pane);
      this.renderer.setScissor(...pane);
      setProjection(this.camera, pane[2], pane[3], size.y);
      this.scale({ x: pane[2] * ratio, y: pane[3] * ratio });
      this.shared.uMorph.value = morph;
      this.shared.uDot.value = dotSize(ratio, this.count);
      if (this.points) this.collectNear(pane[2] * ratio, pane[3] * ratio);
      if (this.points) this.renderer.render(this.scene, this.camera);
    }
    this.frames += 1;
  }

  /** Draw for the two eyes of someone who stands in virtual reality. */
  drawAround() {
    const [eye] = this.renderer.xr.getCamera().cameras;
    if (!eye) return; // nobody has looked yet
    this.scale({ x: eye.viewport.z, y: eye.viewport.w }, eye.projectionMatrix.elements[5]);
    setFog(this.shared, IN_FRONT);
    this.shared.uMorph.value = this.panes[0].morph;
    this.shared.uDot.value = dotSize(1, this.count);
    this.renderer.setScissorTest(false);
    this.renderer.clear();
    if (this.points) this.renderer.render(this.scene, this.eyes);
    this.frames += 1;
  }

  /** Have someone in virtual reality stand before the cloud, its middle so many metres above where heights begin. */
  standBefore(high) {
    this.floor.position.set(0, -high, IN_FRONT);
    this.floor.updateMatrixWorld();
  }

  /** Choose the programs that draw the points: where all are alike and at rest, those that know less. */
  selectMaterials() {
    const tiled = Boolean(this.programs && this.shared.uPictures.value && this.textures?.some);
    const moving = this.panes.some(({ morph }) => morph > 0);
    const all = moving || this.bordered || (tiled && (this.filtered || this.bare)) ? 1 : 0;
    const presenting = this.renderer.xr.isPresenting; // to two eyes, which are not at one distance from what is close
    this.points.material = this.pointMaterials[tiled ? (presenting ? "pictures" : "tiny") : "dots"][all];
    this.nearPoints.material = this.pointMaterials.pictures[all];
    this.splitsNear = tiled && !presenting;
    this.nearPoints.visible = false;
  }

  /** Find those that a pane of so many pixels shows close: the program of the others leaves them out. */
  collectNear(width, height) {
    if (!this.splitsNear) return;
    const { uSize, uScale, uMorph, uDepth } = this.shared;
    const { index } = this.nearPoints.geometry;
    const side = uSize.value * uScale.value;
    const count = collectNear(
      {
        rows: this.array("position"),
        goal: this.array("goal"),
        morph: uMorph.value,
        depth: uDepth.value,
        camera: this.camera,
        far: (1.002 * side) / TINY, // the card counts less exactly
        around: [side / width, side / height],
      },
      index.array,
    );
    this.nearPoints.geometry.setDrawRange(0, count);
    this.nearPoints.visible = count > 0;
    index.clearUpdateRanges();
    index.addUpdateRange(0, count);
    index.needsUpdate = true;
  }

  /** Resolves when the card has drawn what it was asked for: calls return long before. */
  drawn() {
    return allDrawn(this.renderer.getContext());
  }

  /** For a view of so many pixels, which sees as much as its projection says. */
  scale({ x, y }, steep = 1 / Math.tan((this.camera.fov * Math.PI) / 360)) {
    this.shared.uView.value.set(x, y);
    this.shared.uMost.value = MOST_OF_VIEW * y;
    this.shared.uScale.value = (y / 2) * steep;
  }
}
