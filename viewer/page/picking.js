// Where pictures are on the canvas: the same arithmetic as the shaders', for the one under the cursor, for those inside
// an outline, and for those that are large enough to be shown sharp. 200,000 pictures take some milliseconds.

import { Matrix4 } from "three";

const matrix = new Matrix4();

/**
 * What is needed to project: `{ rows, depth, camera, width, height, size, scale, limits, shapes, dot }`, of which `rows`
 * is the layout, `width` and `height` the pane in CSS pixels, `scale` CSS pixels a unit at a distance of 1, `limits` the
 * smallest and largest point in CSS pixels, `shapes` two bytes a picture, `dot` a dot's diameter or 0 for pictures.
 */
function each(view, skip, visit) {
  const { rows, depth, camera, width, height, size, scale } = view;
  camera.updateMatrixWorld();
  const m = matrix.multiplyMatrices(camera.projectionMatrix, camera.matrixWorldInverse).elements;
  const count = rows.length / 3;
  for (let row = 0; row < count; row++) {
    if (skip?.[row]) continue;
    const x = rows[3 * row];
    const y = rows[3 * row + 1];
    const z = rows[3 * row + 2] * depth;
    const far = m[3] * x + m[7] * y + m[11] * z + m[15];
    if (far <= camera.near) continue;
    const left = ((m[0] * x + m[4] * y + m[8] * z + m[12]) / far + 1) * 0.5 * width;
    const top = (1 - (m[1] * x + m[5] * y + m[9] * z + m[13]) / far) * 0.5 * height;
    visit(row, left, top, (size * scale) / far, far);
  }
}

/**
 * Fill `found` with the rows on a pane that are nearer than `far` → how many. Between two layouts, `rows` and `goal`,
 * they are `morph` of the way; `around` is how far beyond the pane's edge one can lie and be seen, in clip space. For
 * each frame, so without a call for each row.
 */
export function closer({ rows, goal, morph, depth, camera, far, around }, found) {
  camera.updateMatrixWorld();
  const m = matrix.multiplyMatrices(camera.projectionMatrix, camera.matrixWorldInverse).elements;
  const [right, up] = around;
  const count = rows.length / 3;
  let place = 0;
  for (let row = 0, at = 0; row < count; row++, at += 3) {
    let x = rows[at];
    let y = rows[at + 1];
    let z = rows[at + 2];
    if (morph > 0) {
      x += (goal[at] - x) * morph;
      y += (goal[at + 1] - y) * morph;
      z += (goal[at + 2] - z) * morph;
    }
    z *= depth;
    const w = m[3] * x + m[7] * y + m[11] * z + m[15];
    if (w > far || w <= 0) continue;
    if (Math.abs(m[0] * x + m[4] * y + m[8] * z + m[12]) > w + right) continue;
    if (Math.abs(m[1] * x + m[5] * y + m[9] * z + m[13]) > w + up) continue;
    found[place++] = row;
  }
  return place;
}

/** The picture that is drawn at a point of the pane, or -1. Within a few pixels of small ones counts as on them. */
export function pick(view, skip, x, y) {
  const { shapes, limits, dot } = view;
  let found = -1;
  let nearest = Infinity;
  each(view, skip, (row, left, top, raw, far) => {
    if (far >= nearest) return;
    const side = Math.min(Math.max(raw, limits[0]), limits[1]);
    const slack = dot ? Math.max(dot / 2, 4) : 0;
    const wide = slack || Math.max((side * shapes[2 * row]) / 510, 3);
    const high = slack || Math.max((side * shapes[2 * row + 1]) / 510, 3);
    if (Math.abs(left - x) <= wide && Math.abs(top - y) <= high) {
      found = row;
      nearest = far;
    }
  });
  return found;
}

/** Where a point is in the pane: `{ x, y, side }` in CSS pixels, `far` in the cloud's units; null behind the camera. */
export function place(view, point) {
  let found = null;
  each({ ...view, rows: point }, null, (_, x, y, side, far) => {
    found = { x, y, side: Math.max(side, view.limits[0]), far };
  });
  return found;
}

/** The rows whose middle lies inside an outline, `[[x, y], …]`. */
export function inside(view, skip, outline) {
  const [xs, ys] = [outline.map(([x]) => x), outline.map(([, y]) => y)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const found = [];
  each(view, skip, (row, x, y) => {
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

/** At most `most` rows on the pane that are drawn larger than `least` CSS pixels, the largest first. */
export function largest(view, skip, least, most) {
  const found = [];
  const { width, height } = view;
  each(view, skip, (row, x, y, side) => {
    if (side > least && x > -side && x < width + side && y > -side && y < height + side) found.push([side, row]);
  });
  if (found.length > most) found.sort((a, b) => b[0] - a[0]);
  return found.slice(0, most).map(([, row]) => row);
}
