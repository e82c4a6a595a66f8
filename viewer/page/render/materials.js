// The programs that draw the points and quads, and what they are told: one set of uniforms for all of them.

import { Color, GLSL3, RawShaderMaterial, Vector2 } from "three";
import * as shaders from "./shaders.js";
import { DETAILS } from "./textures.js";

/** How far before its point a sharp picture lies, in clip space. */
export const NEARER = 2e-6;
/** Pixels that what stands in front of all has at least. */
export const LEAST_IN_FRONT = 34;
export const TINY = 8; // pixels up to which a picture is drawn from the tiniest tiles
export const DETAIL_NAMES = DETAILS.map(({ side }) => `uDetail${side}`);

export const PALETTES = {
  dark: { ground: "#101216", muted: "#2c3038", around: "#68707e", accent: "#ffb454" },
  light: { ground: "#f4f4f1", muted: "#d5d5d0", around: "#a3a39c", accent: "#c2410c" },
};

/** Told to all programs; `largestPoint` in pixels. */
export function makeUniforms(largestPoint) {
  return {
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
    uLimits: { value: new Vector2(2, largestPoint) },
    uBest: { value: 0 },
    uMost: { value: 1 },
  };
}

/** Colours of the points, as they are written: not made linear. */
export function setColours(shared, { ground, muted, around, accent }) {
  const plain = (target, value) => target.value.setStyle(value, "srgb-linear");
  plain(shared.uGround, ground);
  plain(shared.uMuted, muted);
  plain(shared.uAround, around);
  plain(shared.uAccent, accent);
}

/** Of a cloud whose middle lies at a distance. */
export function setFog(shared, distance) {
  shared.uFog.value.set(Math.max(0.2, distance - 0.8), distance + 1.6);
}

/** Those of the points, each for what is at rest and alike and for all else, and the others. */
export function makeMaterials(shared) {
  const make = (source, defines = {}, own = {}) => material(shared, source, defines, own);
  const all = { MOVING: 1, MARKED: 1, CONTEXT: 1 };
  const pair = (source, plain = {}) => [make(source, plain), make(source, all)];
  const pointMaterials = {
    dots: pair(shaders.dots, { CONTEXT: 1 }),
    tiny: pair(shaders.tiny),
    pictures: pair(shaders.pictures),
  };
  const materials = {
    around: make(shaders.dots, { MOVING: 1, CONTEXT: 1 }, { uDot: 2, uMuted: shared.uAround.value }),
    near: make(shaders.quads, all, { uNearer: NEARER, uLeast: 0, uWidth: 2 }),
    front: make(shaders.quads, all, { uNearer: 0, uLeast: LEAST_IN_FRONT, uWidth: 3 }),
    lines: make(shaders.lines, all),
  };
  materials.front.depthTest = false;
  materials.lines.depthTest = false;
  return { pointMaterials, materials };
}

/** That of nodes of points, whose own place takes care of the depth; grey where they have no colours. */
export function tileMaterial(shared) {
  const made = material(shared, shaders.dots, { CONTEXT: 1 }, { uDepth: 1 });
  made.defaultAttributeValues = /** @type {any} */ ({ colour: [0.5, 0.5, 0.5, 1] });
  return made;
}

function material(shared, { vertex, fragment }, defines, own) {
  const uniforms = { ...shared };
  for (const [name, value] of Object.entries(own)) uniforms[name] = { value };
  const sources = { glslVersion: GLSL3, vertexShader: vertex, fragmentShader: fragment };
  return new RawShaderMaterial({ ...sources, uniforms, defines });
}
