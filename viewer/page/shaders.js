// What the graphics card runs. Colours are those of the pictures, byte for byte: nothing is lit or mapped.

const TILES = /* glsl */ `
precision highp float;
precision highp int;
precision highp sampler2DArray;

uniform sampler2DArray uSmall;   // every cell at 12 × 12 texels
uniform sampler2DArray uMiddle;  // every cell at 24 × 24
uniform sampler2DArray uSharp;   // a slot a layer, for pictures that are near

vec3 fromSheet(sampler2DArray sheets, float tile, int row, vec2 at) {
  int cell = row % 1000;
  vec2 texel = vec2(cell % 10, cell / 10) * tile + clamp(at * tile, 0.5, tile - 0.5);
  return textureLod(sheets, vec3(texel / vec2(10.0 * tile, 100.0 * tile), float(row / 1000)), 0.0).rgb;
}
`;

const PLACE = /* glsl */ `
precision highp float;
precision highp int;

uniform mat4 modelViewMatrix;
uniform mat4 projectionMatrix;
uniform float uMorph;     // 0: this layout, 1: the next one
uniform float uDepth;     // 1: in space, 0: flat
uniform float uSize;      // a sprite's longer side, in the cloud's units
uniform float uScale;     // pixels that a unit has at a distance of 1
uniform vec2 uFog;        // the distances between which sprites fade
uniform float uFade;      // how much of them fades

in vec3 position;
in vec3 goal;
in vec2 shape;            // width and height, of 1

vec4 seen() {
  vec3 place = mix(position, goal, uMorph);
  place.z *= uDepth;
  return modelViewMatrix * vec4(place, 1.0);
}

float fog(float far) {
  return uFade * smoothstep(uFog.x, uFog.y, far);
}
`;

/** All pictures, as points: state is 0 where a picture is filtered out, 1 where it is not chosen, 2 where it is. */
export const points = {
  vertex: /* glsl */ `
${PLACE}
uniform highp sampler2D uReady;  // a texel a range: which tiles of it are there
uniform bool uPictures;
uniform float uDot;              // a dot's diameter in pixels
uniform vec2 uLimits;            // the smallest and the largest side of a point, in pixels

in vec4 colour;                  // and the state
in vec4 border;

flat out vec2 vShape;
flat out vec4 vColour;
flat out vec4 vBorder;
flat out int vRow;
flat out float vTile;
flat out float vFog;
flat out float vSide;

void main() {
  vec4 place = seen();
  gl_Position = projectionMatrix * place;
  float side = clamp(uSize * uScale / -place.z, uLimits.x, uLimits.y);
  vec2 ready = texelFetch(uReady, ivec2(gl_VertexID / 1000, 0), 0).rg;
  bool there = uPictures && ready.r > 0.5 && colour.a > 0.25;
  if (!there) side = colour.a > 0.25 ? clamp(side * 0.5, uDot * 0.6, uDot * 1.6) : uDot * 0.5;
  vTile = there ? (ready.g > 0.5 && side > 13.0 ? 24.0 : 12.0) : 0.0;
  vSide = side;
  vShape = shape;
  vColour = colour;
  vBorder = border;
  vRow = gl_VertexID;
  vFog = fog(-place.z);
  gl_PointSize = side;
}
`,
  fragment: /* glsl */ `
${TILES}
uniform vec3 uGround;
uniform vec3 uMuted;
uniform bool uChosen;            // whether some pictures are chosen, and the others stand back

flat in vec2 vShape;
flat in vec4 vColour;
flat in vec4 vBorder;
flat in int vRow;
flat in float vTile;
flat in float vFog;
flat in float vSide;
out vec4 fragment;

void main() {
  vec2 at = gl_PointCoord - 0.5;
  vec3 seen = vColour.rgb;
  if (vTile == 0.0) {
    if (dot(at, at) > 0.25) discard;
    if (vColour.a < 0.25) seen = uMuted;
    else if (vBorder.a > 0.5) seen = vBorder.rgb;
  } else {
    vec2 inside = at / vShape;
    if (abs(inside.x) > 0.5 || abs(inside.y) > 0.5) discard;
    inside += 0.5;
    seen = vTile > 12.0 ? fromSheet(uMiddle, 24.0, vRow, inside) : fromSheet(uSmall, 12.0, vRow, inside);
    if (vBorder.a > 0.5) {
      vec2 edge = min(inside, 1.0 - inside) * vShape * vSide;
      if (min(edge.x, edge.y) < max(1.0, vSide * 0.07)) seen = vBorder.rgb;
    }
  }
  float back = uChosen && vColour.a < 0.75 ? 0.72 : 0.0;
  fragment = vec4(mix(seen, uGround, max(vFog, back)), 1.0);
}
`,
};

/** A few pictures as quads, of any size: the sharp ones that are near, and those that stand in front of all. */
export const quads = {
  vertex: /* glsl */ `
${PLACE}
uniform vec2 uView;              // the canvas in pixels
uniform float uNearer;           // how far in front of its point a quad lies, in clip space
uniform float uLeast;            // pixels that it has at least
uniform float uMost;             // and at most

in vec2 corner;                  // −0.5 … 0.5
in vec4 border;
in float row;
in float slot;                   // of uSharp; negative where there is none
in float grow;

flat out vec2 vPixels;
flat out vec4 vBorder;
flat out int vRow;
flat out int vSlot;
flat out float vFog;
out vec2 vAt;

void main() {
  vec4 place = seen();
  vec4 centre = projectionMatrix * place;
  float side = max(uSize * uScale / -place.z, uLeast);
  side = min(max(side, min(grow * side, uMost * 0.5)), uMost);  // what is large already needs not grow
  vPixels = shape * side;
  vBorder = border;
  vRow = int(row + 0.5);
  vSlot = int(floor(slot + 0.5));
  vFog = fog(-place.z);
  vAt = vec2(corner.x + 0.5, 0.5 - corner.y);
  centre.xy += corner * vPixels / uView * 2.0 * centre.w;
  centre.z -= uNearer * centre.w;
  gl_Position = centre;
}
`,
  fragment: /* glsl */ `
${TILES}
uniform vec3 uGround;
uniform float uWidth;            // of the border, in pixels
uniform int uBest;               // the tiles that all have: 0, 12 or 24

flat in vec2 vPixels;
flat in vec4 vBorder;
flat in int vRow;
flat in int vSlot;
flat in float vFog;
in vec2 vAt;
out vec4 fragment;

void main() {
  vec3 seen = vBorder.rgb;
  vec2 edge = min(vAt, 1.0 - vAt) * vPixels;
  if (vBorder.a < 0.5 || min(edge.x, edge.y) >= uWidth) {
    if (vSlot >= 0) seen = textureLod(uSharp, vec3(vAt, float(vSlot)), 0.0).rgb;
    else if (uBest == 24) seen = fromSheet(uMiddle, 24.0, vRow, vAt);
    else if (uBest == 12) seen = fromSheet(uSmall, 12.0, vRow, vAt);
    else seen = vec3(0.5);
  }
  fragment = vec4(mix(seen, uGround, vFog), 1.0);
}
`,
};

/** Lines from the clicked picture to its neighbours. */
export const lines = {
  vertex: /* glsl */ `
${PLACE}
void main() {
  gl_Position = projectionMatrix * seen();
}
`,
  fragment: /* glsl */ `
precision highp float;
uniform vec3 uAccent;
out vec4 fragment;
void main() {
  fragment = vec4(uAccent, 1.0);
}
`,
};
