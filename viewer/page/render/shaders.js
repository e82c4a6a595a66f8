// What the graphics card runs. Colours are those of the pictures, byte for byte: nothing is lit or mapped.

const TILES = /* glsl */ `
precision highp float;
precision highp int;
precision highp sampler2DArray;

uniform sampler2DArray uSmall;   // every cell at 12 × 12 texels
uniform sampler2DArray uMiddle;  // every cell at 24 × 24
uniform sampler2DArray uSharp;   // a slot a layer, for pictures that are near
uniform sampler2DArray uDetail128; // the same at 128 texels and more, for those that are close
uniform sampler2DArray uDetail256;
uniform sampler2DArray uDetail512;

vec3 fromTilemap(sampler2DArray tilemapPages, float tile, vec2 corner, float layer, vec2 at) {
  vec2 texel = corner + clamp(at, 0.5, tile - 0.5);
  return textureLod(tilemapPages, vec3(texel / vec2(10.0 * tile, 100.0 * tile), layer), 0.0).rgb;
}

vec3 fromSlot(int slot, vec2 at) {
  vec3 place = vec3(at, float(slot % 1024));
  int level = slot / 1024;
  if (level == 0) return textureLod(uSharp, place, 0.0).rgb;
  if (level == 1) return textureLod(uDetail128, place, 0.0).rgb;
  if (level == 2) return textureLod(uDetail256, place, 0.0).rgb;
  return textureLod(uDetail512, place, 0.0).rgb;
}

vec3 fromRow(sampler2DArray tilemapPages, float tile, int row, vec2 at) {
  int cell = row % 1000;
  return fromTilemap(tilemapPages, tile, vec2(cell % 10, cell / 10) * tile, float(row / 1000), at * tile);
}
`;

// With MOVING, places glide from one layout to another; without, there is nothing of that to be fetched.
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
#ifdef MOVING
in vec3 goal;
#endif

vec4 seen() {
#ifdef MOVING
  vec3 place = mix(position, goal, uMorph);
#else
  vec3 place = position;
#endif
  place.z *= uDepth;
  return modelViewMatrix * vec4(place, 1.0);
}

float fog(float far) {
  return uFade * smoothstep(uFog.x, uFog.y, far);
}
`;

// With MARKED, a picture can have a border, or be a dot: where it is filtered out, and while there is no tile of it. With
// CONTEXT, some are filtered out.
const STATE = /* glsl */ `
uniform vec3 uGround;
uniform vec3 uMuted;
uniform bool uChosen;     // whether some pictures are chosen, and the others stand back
uniform float uDot;       // a dot's diameter in pixels
uniform vec2 uLimits;     // the smallest and the largest side of a point, in pixels
uniform float uTiny;      // pixels up to which a picture is drawn from the tiniest tiles

in vec4 colour;           // and the state: 0 where a picture is filtered out, a half where it is not chosen, 1 where it is
#ifdef MARKED
in vec4 border;
#endif

// What is filtered out, or around the collection, lies behind all of it.
vec4 onCanvas(vec4 place) {
  vec4 at = projectionMatrix * place;
#ifdef CONTEXT
  if (colour.a < 0.25) at.z = 0.99999 * at.w;
#endif
  return at;
}

float side(float far) {
  return clamp(uSize * uScale / far, uLimits.x, uLimits.y);
}

float dotSide(float far) {
  return colour.a > 0.25 ? clamp(side(far) * 0.5, uDot * 0.6, uDot * 1.6) : uDot * 0.5;
}

vec3 dotColour() {
  if (colour.a < 0.25) return uMuted;
#ifdef MARKED
  if (border.a > 0.5) return border.rgb;
#endif
  return colour.rgb;
}

float back(float far) {
  return max(fog(far), uChosen && colour.a < 0.75 ? 0.72 : 0.0);
}
`;

/** All pictures as dots. */
export const dots = {
  vertex: /* glsl */ `
${PLACE}
${STATE}
flat out vec3 vColour;

void main() {
  vec4 place = seen();
  gl_Position = onCanvas(place);
  gl_PointSize = dotSide(-place.z);
  vColour = mix(dotColour(), uGround, back(-place.z));
}
`,
  fragment: /* glsl */ `
precision highp float;
flat in vec3 vColour;
out vec4 fragment;

void main() {
  vec2 at = gl_PointCoord - 0.5;
  if (dot(at, at) > 0.25) discard;
  fragment = vec4(vColour, 1.0);
}
`,
};

// What pictures are drawn with that are points. A border of all of the side is a dot.
const POINT = /* glsl */ `
in vec2 shape;            // width and height, of 1; 0 until there is a tile

uvec3 cell() {            // column, row, layer
  uint number = uint(gl_VertexID);
  uint layer = number / 1000u;
  uint cell = number - 1000u * layer;
  return uvec3(cell % 10u, cell / 10u, layer);
}

#ifdef MARKED
flat out vec4 vMark;      // the border's colour, and its width, of the side

bool marked(float far) {  // whether there is a tile to be shown at all
  bool shown = shape.x > 0.0 && colour.a > 0.25;
  vMark = vec4(dotColour(), 1.0);
  if (shown) vMark.a = border.a > 0.5 ? max(1.0 / side(far), 0.07) : 0.0;
  return shown;
}
#else
bool marked(float far) {
  return true;
}
#endif
`;

const MARK = /* glsl */ `
#ifdef MARKED
flat in vec4 vMark;

vec3 marked(vec3 seen, vec2 at) {
  return min(min(at.x, at.y), 1.0 - max(at.x, at.y)) < vMark.a ? vMark.rgb : seen;
}
#else
vec3 marked(vec3 seen, vec2 at) {
  return seen;
}
#endif
`;

// Parts a picture from what lies behind it, whatever the colours of both: a line of one pixel towards grey.
const HAIRLINE = /* glsl */ `
vec3 outlined(vec3 seen, vec2 at, vec2 pixels) {
  vec2 edge = min(at, 1.0 - at) * pixels;
  return min(edge.x, edge.y) < 1.0 ? mix(seen, vec3(0.5), 0.4) : seen;
}
`;

/**
 * All pictures as points of a few pixels, which are most of a large collection: one texel each, of the tiniest tiles.
 * What the one shader gives to the other costs 200,000 times, and a second texture as much as the first.
 */
export const tiny = {
  vertex: /* glsl */ `
${PLACE}
${STATE}
${POINT}
flat out vec4 vTile;             // its middle in the page, and the texels that the point is wide and high
flat out float vLayer;
flat out vec4 vFog;              // what is added of the ground, and what is left of the picture

void main() {
  vec4 place = seen();
  float far = -place.z;
  float size = side(far);
  // Larger ones are drawn by the program below.
  gl_Position = size > uTiny ? vec4(0.0, 0.0, 2.0, 1.0) : onCanvas(place);
  bool shown = marked(far);
  uvec3 which = cell();
  gl_PointSize = shown ? size : dotSide(far);
  vTile = vec4(vec2(which.xy) * 6.0 + 3.0, 6.0 / (shown ? shape : vec2(1.0)));
  vLayer = float(which.z);
  float fog = back(far);
  vFog = vec4(uGround * fog, 1.0 - fog);
}
`,
  fragment: /* glsl */ `
precision highp float;
precision highp int;
precision highp sampler2DArray;
${MARK}
uniform sampler2DArray uTiniest; // every cell at 6 × 6 texels
flat in vec4 vTile;
flat in float vLayer;
flat in vec4 vFog;
out vec4 fragment;

void main() {
  vec2 off = (gl_PointCoord - 0.5) * vTile.zw;
  if (max(abs(off.x), abs(off.y)) >= 3.0) discard;
  vec3 seen = texelFetch(uTiniest, ivec3(vTile.xy + off, vLayer), 0).rgb;
  fragment = vec4(marked(seen, off / 6.0 + 0.5) * vFog.a + vFog.rgb, 1.0);
}
`,
};

/** Pictures as points of any size. */
export const pictures = {
  vertex: /* glsl */ `
${PLACE}
${STATE}
${POINT}
uniform int uBest;               // the tiles that all have: 0, 12 or 24

flat out vec3 vTile;             // column and row in the page, and the tile's side in texels
flat out vec2 vShape;
flat out vec2 vPixels;           // width and height
flat out vec2 vLayer;            // and how much of the ground shines through

void main() {
  vec4 place = seen();
  float far = -place.z;
  float size = side(far);
  gl_Position = onCanvas(place);
  bool shown = marked(far);
  uvec3 which = cell();
  gl_PointSize = shown ? size : dotSide(far);
  vTile = vec3(which.xy, uBest == 24 && size > 13.0 ? 24.0 : 12.0);
  vShape = shown ? shape : vec2(1.0);
  vPixels = vShape * gl_PointSize;
  vLayer = vec2(which.z, back(far));
}
`,
  fragment: /* glsl */ `
${TILES}
${MARK}
${HAIRLINE}
uniform vec3 uGround;
flat in vec3 vTile;
flat in vec2 vShape;
flat in vec2 vPixels;
flat in vec2 vLayer;
out vec4 fragment;

void main() {
  vec2 at = (gl_PointCoord - 0.5) / vShape + 0.5;
  if (min(at.x, at.y) < 0.0 || max(at.x, at.y) >= 1.0) discard;
  vec2 corner = vTile.xy * vTile.z;
  vec3 seen;
  if (vTile.z > 12.0) seen = outlined(fromTilemap(uMiddle, 24.0, corner, vLayer.x, at * 24.0), at, vPixels);
  else seen = fromTilemap(uSmall, 12.0, corner, vLayer.x, at * 12.0);
  fragment = vec4(mix(marked(seen, at), uGround, vLayer.y), 1.0);
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
in vec2 shape;
in vec4 border;
in float row;
in float slot;                   // a layer, and 1024 more for each level of detail; negative where there is none
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
${HAIRLINE}
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
    if (vSlot >= 0) seen = fromSlot(vSlot, vAt);
    else if (uBest == 24) seen = fromRow(uMiddle, 24.0, vRow, vAt);
    else if (uBest == 12) seen = fromRow(uSmall, 12.0, vRow, vAt);
    else seen = vec3(0.5);
    if (vBorder.a < 0.5) seen = outlined(seen, vAt, vPixels);
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
