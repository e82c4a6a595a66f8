// Which picture is under the cursor, and which are inside an outline.

import { clipMatrix, project, projectPoint } from "../render/projection.js";

const DEPTHS = 2 ** 24 - 1; // that the card tells apart
const SLACK = 4; // CSS pixels beside a picture that count as on it

/**
 * The picture that is seen at a point of the pane, or -1. Where none is, one that is within a few pixels counts. As the
 * card does it, depths are compared as whole numbers, and of pictures at the same depth the last one covers the others.
 */
export function pick(view, skip, x, y) {
  const { near, nearer, limits, dot } = view;
  const before = inFront(view, x, y);
  if (before !== null) return Math.max(before, -1);
  let [found, beside] = [-1, -1];
  let [nearest, next] = [Infinity, Infinity];
  const projection = view.camera.projectionMatrix.elements;
  const visit = (row, left, top, raw, far) => {
    const reach = Math.max(Math.abs(left - x), Math.abs(top - y));
    if (reach > SLACK && 2 * reach > Math.max(Math.min(raw, limits[2]), 1.6 * dot)) return;
    const z = projection[14] / far - projection[10] - (near.has(row) ? nearer : 0);
    const depth = Math.round((z * 0.5 + 0.5) * DEPTHS);
    if (depth <= nearest && covers(view, row, left - x, top - y, raw)) {
      found = row;
      nearest = depth;
    } else if (depth <= next && reach <= SLACK) {
      beside = row;
      next = depth;
    }
  };
  project(view, skip, visit, inReach(view, x, y, Math.max(SLACK, 0.8 * dot)));
  return found === -1 ? beside : found;
}

/**
 * The rows that may cover a point of the pane: their middles are within half a side and `least` CSS pixels of it. Of all
 * rows, so without a division and without a call for each.
 */
function inReach({ rows, depth, camera, width, height, size, scale }, x, y, least) {
  const m = clipMatrix(camera);
  const half = 0.5 * size * scale;
  // Distances from the point in CSS pixels, times how far away a row is.
  const across = [3, 7, 11, 15].map((at) => 0.5 * width * m[at - 3] - (x - 0.5 * width) * m[at]);
  const down = [3, 7, 11, 15].map((at) => 0.5 * height * m[at - 2] + (y - 0.5 * height) * m[at]);
  const [a, b, c, d] = across;
  const [e, f, g, h] = down;
  const [i, j, k, l] = [m[3], m[7], m[11], m[15]];
  const found = [];
  const count = rows.length / 3;
  for (let row = 0, at = 0; row < count; row++, at += 3) {
    const px = rows[at];
    const py = rows[at + 1];
    const pz = rows[at + 2] * depth;
    const reach = least * (i * px + j * py + k * pz + l) + half;
    if (Math.abs(a * px + b * py + c * pz + d) > reach) continue;
    if (Math.abs(e * px + f * py + g * pz + h) > reach) continue;
    found.push(row);
  }
  return found;
}

/** Whether a picture covers what is so far from its middle; `raw` is its side, if nothing limits it. */
function covers({ shapes, limits, pictures, dot, near }, row, right, down, raw) {
  const [wide, high] = [shapes[2 * row] / 510, shapes[2 * row + 1] / 510];
  if (!pictures || !wide) {
    const diameter = Math.min(Math.max(raw * 0.5, dot * 0.6), dot * 1.6);
    return Math.hypot(right, down) <= diameter / 2;
  }
  const side = Math.min(Math.max(raw, limits[0]), limits[near.has(row) ? 2 : 1]);
  return Math.abs(right) <= side * wide && Math.abs(down) <= side * high;
}

/** The row of what is drawn over all at a point, or null. */
function inFront(view, x, y) {
  for (const { row, position, shape, grow, least } of [...view.front].reverse()) {
    const found = projectPoint(view, position);
    if (!found) continue;
    const most = view.limits[2];
    const side = Math.max(found.side, least);
    const grown = Math.min(Math.max(side, Math.min(grow * side, most / 2)), most) / 2;
    if (Math.abs(found.x - x) <= grown * shape[0] && Math.abs(found.y - y) <= grown * shape[1]) return row;
  }
  return null;
}

/** The rows whose middle lies inside an outline, `[[x, y], …]`. */
export function inside(view, skip, outline) {
  const [xs, ys] = [outline.map(([x]) => x), outline.map(([, y]) => y)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const found = [];
  project(view, skip, (row, x, y) => {
    if (x >= left && x <= right && y >= top && y <= bottom && surrounded(outline, x, y)) found.push(row);
  });
  return found;
}

function surrounded(outline, x, y) {
  let odd = false;
  for (let at = 0, before = outline.length - 1; at < outline.length; before = at++) {
    const [ax, ay] = outline[at];
    const [bx, by] = outline[before];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  }
  return odd;
}
