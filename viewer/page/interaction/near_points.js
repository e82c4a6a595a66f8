// Points of nodes under the cursor and near the camera, found by the steps that they are stored as.

import { placeOf } from "../data/point_index.js";
import { diameter } from "../render/node_choice.js";

const STEPS = 65535;
const SLACK = 4; // CSS pixels beside a picture that count as on it: those of `picking.js`

/** How a linear form of places, `[a, b, c, d]`, is one of a node's steps. */
function ofSteps(/** @type {number[]} */ [a, b, c, d], { least: [x, y, z], size }, depth) {
  const [right, up, back] = size.map((value) => value / STEPS);
  return [a * right, b * up, c * depth * back, a * x + b * y + c * depth * z + d];
}

/**
 * The points that may cover a point of the pane: `{ rows, ids }`, their places and their rows. `nodes` are `{ node, data }`,
 * `m` is the clip matrix, and `view` as in `projection.js`.
 */
export function pointsUnder(nodes, view, m, x, y) {
  const { depth, width, height, size, scale, dot } = view;
  const half = 0.5 * size * scale;
  const reach = Math.max(SLACK, 0.8 * dot);
  const form = (at) => [m[at], m[at + 4], m[at + 8], m[at + 12]];
  const w = form(3);
  const across = form(0).map((value, at) => 0.5 * width * value - (x - 0.5 * width) * w[at]);
  const down = form(1).map((value, at) => 0.5 * height * value + (y - 0.5 * height) * w[at]);
  const [places, ids] = [[], []];
  for (const { node, data } of nodes) {
    if (!mayCover(node, { across, down, w, reach, half, depth })) continue;
    const { steps, rows } = data;
    const [a, b, c, d] = ofSteps(across, node, depth);
    const [e, f, g, h] = ofSteps(down, node, depth);
    const [i, j, k, l] = ofSteps(w, node, depth).map((value) => reach * value);
    for (let index = 0, at = 0; index < rows.length; index++, at += 3) {
      const [px, py, pz] = [steps[at], steps[at + 1], steps[at + 2]];
      const limit = i * px + j * py + k * pz + l + half;
      if (Math.abs(a * px + b * py + c * pz + d) > limit) continue;
      if (Math.abs(e * px + f * py + g * pz + h) > limit) continue;
      places.push(...placeOf(node, data, index));
      ids.push(rows[index]);
    }
  }
  return { rows: Float32Array.from(places), ids: Uint32Array.from(ids) };
}

/** Whether any point of a node may: the same for the sphere around it. */
function mayCover({ middle, radius }, { across, down, w, reach, half, depth }) {
  const [x, y, z] = [middle[0], middle[1], middle[2] * depth];
  const value = ([a, b, c, d]) => a * x + b * y + c * z + d;
  const slope = ([a, b, c]) => radius * Math.hypot(a, b, c);
  const limit = reach * (value(w) + slope(w)) + half;
  return [across, down].every((form) => Math.abs(value(form)) - slope(form) <= limit);
}

/**
 * The points that are drawn larger than `least` CSS pixels, the largest ones, `most` at most: `[{ row, side, place }]`.
 * `eye` is where the camera is.
 */
export function largestPoints(nodes, view, m, eye, least, most) {
  const { depth, width, height, size, scale } = view;
  const form = (at) => [m[at], m[at + 4], m[at + 8], m[at + 12]];
  const farthest = (size * scale) / least;
  const found = [];
  for (const { node, data } of nodes) {
    // As large as the node would be at that distance: no point of it is nearer.
    if (diameter(node, { eye, scale, depth }) < (2 * node.radius * scale) / farthest) continue;
    const { steps, rows } = data;
    const [i, j, k, l] = ofSteps(form(3), node, depth);
    const [a, b, c, d] = ofSteps(form(0), node, depth);
    const [e, f, g, h] = ofSteps(form(1), node, depth);
    for (let index = 0, at = 0; index < rows.length; index++, at += 3) {
      const [px, py, pz] = [steps[at], steps[at + 1], steps[at + 2]];
      const far = i * px + j * py + k * pz + l;
      if (far > farthest || far <= view.camera.near) continue;
      const side = (size * scale) / far;
      if (Math.abs(a * px + b * py + c * pz + d) > far * (1 + (2 * side) / width)) continue;
      if (Math.abs(e * px + f * py + g * pz + h) > far * (1 + (2 * side) / height)) continue;
      found.push({ row: rows[index], side, place: placeOf(node, data, index) });
    }
  }
  return found.sort((one, other) => other.side - one.side).slice(0, most);
}
