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
import { closer } from "./picking.js";
import { Raised } from "./raised.js";
import * as shaders from "./shaders.js";
import { Textures } from "./textures.js";

export const ANGLE = 50; // degrees that the camera sees, from top to bottom
/** Units, and there metres, that the cloud's middle lies before someone who enters virtual reality. */
const IN_FRONT = 1.6;
/** A picture right before the camera takes this part of the view's height, not all of it. */
export const MOST_OF_VIEW = 0.42;
/** Stands in a row's place for the picture from outside. */
export const GUEST = -2;
const LARGEST_POINT = 128; // pixels; what is larger is near, and drawn as a quad
const TINY = 8; // pixels up to which a picture is drawn from the tiniest tiles

export const PALETTES = {
  dark: { ground: "#101216", muted: "#2c3038", around: "#68707e", accent: "#ffb454" },
  light: { ground: "#f4f4f1", muted: "#d5d5d0", around: "#a3a39c", accent: "#c2410c" },
};

export class Cloud {
  constructor(canvas) {
    this.renderer = new WebGLRenderer({ canvas, antialias: false, alpha: false, preserveDrawingBuffer: false });
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
    this.placed = new Map(); // a layout's rows → its attribute
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
      uPictures: { value: true },
      uChosen: { value: false },
      uDot: { value: 4 },
      uLimits: { value: new Vector2(2, this.largest) },
      uBest: { value: 0 },
      uMost: { value: 1 },
    };
    this.palette("dark");
    this.points = null;
    this.divided = false; // whether some points are drawn as close, others as tiny
    this.textures = null;
    this.around = null; // the points of other pictures around these
    this.guest = null; // `{ shape, spot(rows) }` of the picture from outside
    const all = { MOVING: 1, MARKED: 1 };
    const pair = (source) => [this.material(source), this.material(source, all)];
    this.looks = { dots: pair(shaders.dots), tiny: pair(shaders.tiny), pictures: pair(shaders.pictures) };
    this.materials = {
      around: this.material(shaders.dots, { MOVING: 1 }, { uDot: 2, uMuted: this.shared.uAround.value }),
      near: this.material(shaders.quads, all, { uNearer: 2e-6, uLeast: 0, uWidth: 2 }),
      front: this.material(shaders.quads, all, { uNearer: 0, uLeast: 34, uWidth: 3 }),
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
    this.layouts(nowhere, nowhere);
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
    this.points = new Points(geometry, this.looks.dots[0]);
    this.close = new Points(new BufferGeometry(), this.looks.pictures[0]);
    this.close.geometry.attributes = geometry.attributes;
    this.close.geometry.setIndex(new BufferAttribute(new Uint32Array(count), 1).setUsage(DynamicDrawUsage));
    this.close.renderOrder = -2; // in front of most: what they hide needs no colour
    this.raised = new Raised(this, this.materials);
    for (const part of this.parts) {
      part.frustumCulled = false;
      this.scene.add(part);
    }
  }

  /**
   * Room for the tiles of so many ranges, and the programs that draw them. After the first frame: it takes longer than
   * all that the dots need.
   */
  furnish(ranges) {
    this.textures = new Textures(this.renderer, ranges);
    this.shared.uTiniest.value = this.textures.tiny;
    this.shared.uSmall.value = this.textures.small;
    this.shared.uMiddle.value = this.textures.middle;
    this.shared.uSharp.value = this.textures.sharp;
    this.shared.uBest.value = 0;
    this.prepared ??= this.prepare();
  }

  get parts() {
    return [this.points, this.close, ...this.raised.parts];
  }

  /** Have the other programs made beside the page's own thread, where the browser can. */
  async prepare() {
    const all = new Scene();
    const [, ...looks] = Object.values(this.looks).flat(); // the first one draws already
    for (const look of looks) all.add(new Points(this.points.geometry, look));
    all.add(...this.raised.parts.map((part) => Object.assign(part.clone(), { visible: true })));
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
    this.guest = null;
    this.surround(null);
    for (const name of ["uTiniest", "uSmall", "uMiddle", "uSharp"]) this.shared[name].value = null;
    this.placed.clear();
    this.points = null;
  }

  material({ vertex, fragment }, defines = {}, own = {}) {
    const uniforms = { ...this.shared };
    for (const [name, value] of Object.entries(own)) uniforms[name] = { value };
    const sources = { glslVersion: GLSL3, vertexShader: vertex, fragmentShader: fragment };
    return new RawShaderMaterial({ ...sources, uniforms, defines });
  }

  /** Where the pictures are, and where they go as `morph` grows from 0 to 1. Each layout goes to the card once. */
  layouts(from, to) {
    this.lay(this.points.geometry, from, to);
    this.raised.refresh();
  }

  lay(geometry, from, to) {
    for (const [name, rows] of Object.entries({ position: from, goal: to })) {
      if (!this.placed.has(rows)) this.placed.set(rows, new BufferAttribute(rows, 3));
      geometry.setAttribute(name, this.placed.get(rows));
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
    this.lay(this.around.geometry, from, to);
  }

  /** Some rows of an attribute of the points: their shapes, colours or borders. */
  writeRows(name, first, values) {
    const attribute = this.points.geometry.getAttribute(name);
    const start = first * attribute.itemSize;
    attribute.array.set(values, start);
    attribute.addUpdateRange(start, values.length);
    attribute.needsUpdate = true;
  }

  /** Where a picture is in a layout: `(3,)`, or null if the guest has no place there. */
  spot(row, rows) {
    return row === GUEST ? (this.guest?.spot(rows) ?? null) : rows.subarray(3 * row, 3 * row + 3);
  }

  /** Width and height, of 1: a square while they are not known. */
  shape(row) {
    if (row === GUEST) return this.guest.shape;
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
    if (this.points) this.dress();
    if (this.renderer.xr.isPresenting) return this.drawAround();
    const size = this.renderer.getSize(new Vector2());
    const ratio = this.renderer.getPixelRatio();
    this.renderer.setScissorTest(false);
    this.renderer.clear();
    this.renderer.setScissorTest(this.panes.length > 1);
    this.fog(this.camera.position.length());
    for (const { x, width, morph } of this.panes) {
      const pane = [Math.round(x * size.x), 0, Math.round(width * size.x), size.y];
      this.renderer.setViewport(...pane);
      this.renderer.setScissor(...pane);
      this.camera.aspect = pane[2] / pane[3];
      this.camera.updateProjectionMatrix();
      this.scale({ x: pane[2] * ratio, y: pane[3] * ratio });
      this.shared.uMorph.value = morph;
      this.shared.uDot.value = this.dot(ratio);
      if (this.points) this.divide(pane[2] * ratio, pane[3] * ratio);
      if (this.points) this.renderer.render(this.scene, this.camera);
    }
    this.frames += 1;
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
  stand(high) {
    this.floor.position.set(0, -high, IN_FRONT);
    this.floor.updateMatrixWorld();
  }

  fog(distance) {
    this.shared.uFog.value.set(Math.max(0.2, distance - 0.8), distance + 1.6);
  }

  /** Choose the programs that draw the points: where all are alike and at rest, those that know less. */
  dress() {
    const tiled = Boolean(this.programs && this.shared.uPictures.value && this.textures?.some);
    const moving = this.panes.some(({ morph }) => morph > 0);
    const all = moving || this.bordered || (tiled && (this.filtered || this.bare)) ? 1 : 0;
    const presenting = this.renderer.xr.isPresenting; // to two eyes, which are not at one distance from what is close
    this.points.material = this.looks[tiled ? (presenting ? "pictures" : "tiny") : "dots"][all];
    this.close.material = this.looks.pictures[all];
    this.divided = tiled && !presenting;
    this.close.visible = false;
  }

  /** Find those that a pane of so many pixels shows close: the program of the others leaves them out. */
  divide(width, height) {
    if (!this.divided) return;
    const { uSize, uScale, uMorph, uDepth } = this.shared;
    const { index } = this.close.geometry;
    const side = uSize.value * uScale.value;
    const count = closer(
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
    this.close.geometry.setDrawRange(0, count);
    this.close.visible = count > 0;
    index.clearUpdateRanges();
    index.addUpdateRange(0, count);
    index.needsUpdate = true;
  }

  /** Resolves when the card has drawn what it was asked for: calls return long before. */
  drawn() {
    const gl = this.renderer.getContext();
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    return new Promise((resolve) => {
      const look = () => {
        if (gl.isContextLost() || gl.getSyncParameter(fence, gl.SYNC_STATUS) === gl.SIGNALED) resolve();
        else setTimeout(look, 4);
      };
      look();
    }).finally(() => gl.deleteSync(fence));
  }

  dot(ratio, count = this.count) {
    return ratio * (count > 20_000 ? 3 : count > 2_000 ? 5 : 8);
  }

  /** For a view of so many pixels, which sees as much as its projection says. */
  scale({ x, y }, steep = 1 / Math.tan((ANGLE * Math.PI) / 360)) {
    this.shared.uView.value.set(x, y);
    this.shared.uMost.value = MOST_OF_VIEW * y;
    this.shared.uScale.value = (y / 2) * steep;
  }
}
