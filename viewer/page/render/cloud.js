// The cloud as three.js draws it: all pictures as points, those of a few pixels in one call and those that are close in
// another, and what is raised from them.

import {
  BufferAttribute,
  BufferGeometry,
  Color,
  DynamicDrawUsage,
  GLSL3,
  Group,
  PerspectiveCamera,
  Points,
  RawShaderMaterial,
  Scene,
  Vector2,
  WebGLRenderer,
} from "three";
import { collectNear } from "./projection.js";
import { Overlays } from "./overlays.js";
import * as shaders from "./shaders.js";
import { DETAILS, Textures } from "./textures.js";

export const ANGLE = 50; // degrees that the camera sees, from top to bottom
/** Units, and there metres, that the cloud's middle lies before someone who enters virtual reality. */
const IN_FRONT = 1.6;
/** A picture right before the camera takes this part of the view's height, not all of it. */
export const MOST_OF_VIEW = 0.42;
/** Stands in a row's place for the picture from outside. */
export const QUERY_IMAGE = -2;
/** How far before its point a sharp picture lies, in clip space. */
export const NEARER = 2e-6;
/** Pixels that what stands in front of all has at least. */
export const LEAST_IN_FRONT = 34;
const DETAIL_NAMES = DETAILS.map(({ side }) => `uDetail${side}`);
const LARGEST_POINT = 128; // pixels; what is larger is near, and drawn as a quad
const TINY = 8; // pixels up to which a picture is drawn from the tiniest tiles

export const PALETTES = {
  dark: { ground: "#101216", muted: "#2c3038", around: "#68707e", accent: "#ffb454" },
  light: { ground: "#f4f4f1", muted: "#d5d5d0", around: "#a3a39c", accent: "#c2410c" },
};

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
    this.shared = {
      uMorph: { value: 0 },
      uDepth: { value: 1 },
      uSize: { value: 0.05 },
      uScale: { value: 1 },
      uFog: { value: new Vector2(2, 5) },
      uFade: { value: 0.5 },
      uGround: { value: new Color() },
      uMuted: { value: new Color() },
      uAround: { value: new Color() },
      uAccent: { value: new Color() },
      uView: { value: new Vector2(1, 1) },
      uTiny: { value: TINY },
      uTiniest: { value: null },
      uSmall: { value: null },
      uMiddle: { value: null },
      uSharp: { value: null },
      uDetail128: { value: null },
      uDetail256: { value: null },
      uDetail512: { value: null },
      uPictures: { value: true },
      uChosen: { value: false },
      uDot: { value: 4 },
      uLimits: { value: new Vector2(2, this.largest) },
      uBest: { value: 0 },
      uMost: { value: 1 },
    };
    this.palette("dark");
    this.points = null;
    this.splitsNear = false; // whether some points are drawn as close, others as tiny
    this.textures = null;
    this.around = null; // the points of other pictures around these
    this.queryImage = null; // `{ shape, positionOf(rows) }` of the picture from outside
    const all = { MOVING: 1, MARKED: 1, CONTEXT: 1 };
    const pair = (source, plain = {}) => [this.material(source, plain), this.material(source, all)];
    this.pointMaterials = {
      dots: pair(shaders.dots, { CONTEXT: 1 }),
      tiny: pair(shaders.tiny),
      pictures: pair(shaders.pictures),
    };
    this.materials = {
      around: this.material(shaders.dots, { MOVING: 1, CONTEXT: 1 }, { uDot: 2, uMuted: this.shared.uAround.value }),
      near: this.material(shaders.quads, all, { uNearer: NEARER, uLeast: 0, uWidth: 2 }),
      front: this.material(shaders.quads, all, { uNearer: 0, uLeast: LEAST_IN_FRONT, uWidth: 3 }),
      lines: this.material(shaders.lines, all),
    };
    this.materials.front.depthTest = false;
    this.materials.lines.depthTest = false;
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
    const geometry = new BufferGeometry();
    geometry.setAttribute("shape", new BufferAttribute(new Uint8Array(2 * count), 2, true));
    geometry.setAttribute("colour", new BufferAttribute(new Uint8Array(4 * count).fill(128), 4, true));
    geometry.setAttribute("border", new BufferAttribute(new Uint8Array(4 * count), 4, true));
    this.points = new Points(geometry, this.pointMaterials.dots[0]);
    this.nearPoints = new Points(new BufferGeometry(), this.pointMaterials.pictures[0]);
    this.nearPoints.geometry.attributes = geometry.attributes;
    this.nearPoints.geometry.setIndex(new BufferAttribute(new Uint32Array(count), 1).setUsage(DynamicDrawUsage));
    this.nearPoints.renderOrder = -2; // in front of most: what they hide needs no colour
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
    this.queryImage = null;
    this.surround(null);
    for (const name of ["uTiniest", "uSmall", "uMiddle", "uSharp", ...DETAIL_NAMES]) this.shared[name].value = null;
    this.layoutAttributes.clear();
    this.points = null;
  }

  material({ vertex, fragment }, defines = {}, own = {}) {
    const uniforms = { ...this.shared };
    for (const [name, value] of Object.entries(own)) uniforms[name] = { value };
    const sources = { glslVersion: GLSL3, vertexShader: vertex, fragmentShader: fragment };
    return new RawShaderMaterial({ ...sources, uniforms, defines });
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
      const geometry = new BufferGeometry();
      geometry.setAttribute("colour", new BufferAttribute(new Uint8Array(4 * count), 4, true)); // as if filtered out
      this.around = new Points(geometry, this.materials.around);
      this.around.frustumCulled = false;
      this.around.renderOrder = -1;
      this.materials.around.uniforms.uDot.value = this.dot(this.renderer.getPixelRatio(), count);
      this.scene.add(this.around);
    }
    this.setLayoutAttributes(this.around.geometry, from, to);
  }

  /** Some rows of an attribute of the points: their shapes, colours or borders. */
  writeRows(name, first, values) {
    const attribute = /** @type {BufferAttribute} */ (this.points.geometry.getAttribute(name));
    const start = first * attribute.itemSize;
    attribute.array.set(values, start);
    attribute.addUpdateRange(start, values.length);
    attribute.needsUpdate = true;
  }

  /** Have the card take all of an array that was written to. */
  written(name) {
    const attribute = /** @type {BufferAttribute} */ (this.points.geometry.getAttribute(name));
    attribute.addUpdateRange(0, attribute.array.length);
    attribute.needsUpdate = true;
  }

  /** Where a picture is in a layout: `(3,)`, or null if the query image has no place there. */
  positionOf(row, rows) {
    return row === QUERY_IMAGE ? (this.queryImage?.positionOf(rows) ?? null) : rows.subarray(3 * row, 3 * row + 3);
  }

  /** Width and height, of 1: a square while they are not known. */
  shape(row) {
    if (row === QUERY_IMAGE) return this.queryImage.shape;
    const { array } = this.points.geometry.getAttribute("shape");
    return [array[2 * row] / 255 || 1, array[2 * row + 1] / 255 || 1];
  }

  array(name) {
    return this.points.geometry.getAttribute(name).array;
  }

  palette(name) {
    const { ground, muted, around, accent } = PALETTES[name];
    const plain = (target, value) => target.value.setStyle(value, "srgb-linear"); // as it is, not made linear
    plain(this.shared.uGround, ground);
    plain(this.shared.uMuted, muted);
    plain(this.shared.uAround, around);
    plain(this.shared.uAccent, accent);
    this.accent = this.shared.uAccent.value.toArray();
    this.renderer.setClearColor(new Color(ground));
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
    this.fog(this.camera.position.length());
    for (const { x, width, height = 1, morph } of this.panes) {
      const high = Math.round(height * size.y);
      const pane = [Math.round(x * size.x), size.y - high, Math.round(width * size.x), high];
      this.renderer.setViewport(...pane);
      this.renderer.setScissor(...pane);
      this.setProjection(pane[2], pane[3], size.y);
      this.scale({ x: pane[2] * ratio, y: pane[3] * ratio });
      this.shared.uMorph.value = morph;
      this.shared.uDot.value = this.dot(ratio);
      if (this.points) this.collectNear(pane[2] * ratio, pane[3] * ratio);
      if (this.points) this.renderer.render(this.scene, this.camera);
    }
    this.frames += 1;
  }

  /** Have the camera see what a pane of so many pixels shows; a unit is as large in all panes of a canvas of that height. */
  setProjection(width, height, whole) {
    this.camera.aspect = width / height;
    this.camera.fov = (360 / Math.PI) * Math.atan((Math.tan((ANGLE * Math.PI) / 360) * height) / whole);
    this.camera.updateProjectionMatrix();
  }

  /** Draw for the two eyes of someone who stands in virtual reality. */
  drawAround() {
    const [eye] = this.renderer.xr.getCamera().cameras;
    if (!eye) return; // nobody has looked yet
    this.scale({ x: eye.viewport.z, y: eye.viewport.w }, eye.projectionMatrix.elements[5]);
    this.fog(IN_FRONT);
    this.shared.uMorph.value = this.panes[0].morph;
    this.shared.uDot.value = this.dot(1);
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

  fog(distance) {
    this.shared.uFog.value.set(Math.max(0.2, distance - 0.8), distance + 1.6);
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
    const gl = this.renderer.getContext();
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    return /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        const look = () => {
          if (gl.isContextLost() || gl.getSyncParameter(fence, gl.SYNC_STATUS) === gl.SIGNALED) resolve();
          else setTimeout(look, 4);
        };
        look();
      })
    ).finally(() => gl.deleteSync(fence));
  }

  dot(ratio, count = this.count) {
    return ratio * (count > 20_000 ? 3 : count > 2_000 ? 5 : 8);
  }

  /** For a view of so many pixels, which sees as much as its projection says. */
  scale({ x, y }, steep = 1 / Math.tan((this.camera.fov * Math.PI) / 360)) {
    this.shared.uView.value.set(x, y);
    this.shared.uMost.value = MOST_OF_VIEW * y;
    this.shared.uScale.value = (y / 2) * steep;
  }
}
