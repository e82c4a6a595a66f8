// What the graphics card runs. Colours are those of the pictures, byte for byte: nothing is lit or mapped.

const TILES = /* glsl */ `
precision highp float;
precision highp int;
precision highp sampler2DArray;

uniform sampler2DArray uSmall;   // every cell at 12 × 12 texels
uniform sampler2DArray uMiddle;  // every cell at 24 × 24
uniform sampler2DArray uSharp;   // a slot a layer, for pictures that are near

vec3 fromSheet(sampler2DArray sheets, float tile, vec2 corner, float layer, vec2 at) {
  vec2 texel = corner + clamp(at, 0.5, tile - 0.5);
  return textureLod(sheets, vec3(texel / vec2(10.0 * tile, 100.0 * tile), layer), 0.0).rgb;
}

vec3 fromRow(sampler2DArray sheets, float tile, int row, vec2 at) {
  int cell = row % 1000;
  return fromSheet(sheets, tile, vec2(cell % 10, cell / 10) * tile, float(row / 1000), at * tile);
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

// With BORDERS, a colour of its own for each: the border of a picture, the whole of a dot.
const STATE = /* glsl */ `
uniform vec3 uGround;
uniform vec3 uMuted;
uniform bool uChosen;     // whether some pictures are chosen, and the others stand back
uniform float uDot;       // a dot's diameter in pixels
uniform vec2 uLimits;     // the smallest and the largest side of a point, in pixels

in vec4 colour;           // and the state: 0 where a picture is filtered out, a half where it is not chosen, 1 where it is
#ifdef BORDERS
in vec4 border;
#endif

float side(float far) {
  return clamp(uSize * uScale / far, uLimits.x, uLimits.y);
}

float dotSide(float far) {
  return colour.a > 0.25 ? clamp(side(far) * 0.5, uDot * 0.6, uDot * 1.6) : uDot * 0.5;
}

vec3 dotColour() {
  if (colour.a < 0.25) return uMuted;
#ifdef BORDERS
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
  gl_Position = projectionMatrix * place;
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

/**
 * All pictures as points that show their tiles; those without are small squares. What goes from the one shader to the
 * other is packed: each number of it costs, 200,000 times.
 */
export const pictures = {
  vertex: /* glsl */ `
${PLACE}
${STATE}
uniform int uBest;               // the tiles that all have: 0, 12 or 24

in vec2 shape;                   // width and height, of 1; 0 until there is a tile

flat out vec4 vColour;           // the ground's, and how much of it shines through; or a dot's
flat out vec2 vScale;            // texels of the tile that the point is wide and high
flat out uint vCell;             // column, row, layer, and whether the tile is a middle one
#ifdef BORDERS
flat out vec4 vBorder;           // and its width, of the side
#endif

void main() {
  vec4 place = seen();
  float far = -place.z;
  gl_Position = projectionMatrix * place;
  float size = side(far);
  bool there = shape.x > 0.0 && colour.a > 0.25;
  bool middle = there && uBest == 24 && size > 13.0;
  gl_PointSize = there ? size : dotSide(far);
  vColour = there ? vec4(uGround, back(far)) : vec4(mix(dotColour(), uGround, back(far)), 1.0);
  vScale = there ? (middle ? 24.0 : 12.0) / shape : vec2(12.0);
  uint row = uint(gl_VertexID);
  uint range = row / 1000u;
  uint cell = row - 1000u * range;
  uint line = cell / 10u;
  vCell = (cell - 10u * line) | line << 4 | range << 11 | (middle ? 1u << 31 : 0u);
#ifdef BORDERS
  vBorder = vec4(border.rgb, there && border.a > 0.5 ? max(1.0 / size, 0.07) : 0.0);
#endif
}
`,
  fragment: /* glsl */ `
${TILES}
flat in vec4 vColour;
flat in vec2 vScale;
flat in uint vCell;
#ifdef BORDERS
flat in vec4 vBorder;
#endif
out vec4 fragment;

void main() {
  bool middle = vCell >> 31 == 1u;
  float tile = middle ? 24.0 : 12.0;
  vec2 at = (gl_PointCoord - 0.5) * vScale + tile * 0.5;
  ivec2 texel = ivec2(floor(at));
  if (max(uint(texel.x), uint(texel.y)) >= uint(tile)) discard;  // negative ones are large, too
  vec2 corner = vec2(vCell & 15u, vCell >> 4 & 127u) * tile;
  uint layer = vCell >> 11 & 1048575u;
  vec3 seen;
  // As small as that, the nearest texel does, and costs a fraction.
  if (middle) seen = fromSheet(uMiddle, 24.0, corner, float(layer), at);
  else seen = texelFetch(uSmall, ivec3(ivec2(corner) + texel, int(layer)), 0).rgb;
#ifdef BORDERS
  vec2 edge = min(at, tile - at) / vScale;
  if (min(edge.x, edge.y) < vBorder.a) seen = vBorder.rgb;
#endif
  fragment = vec4(mix(seen, vColour.rgb, vColour.a), 1.0);
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
    else if (uBest == 24) seen = fromRow(uMiddle, 24.0, vRow, vAt);
    else if (uBest == 12) seen = fromRow(uSmall, 12.0, vRow, vAt);
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
