// Where pictures are on the canvas: the same arithmetic as the shaders', for what is picked, chosen or shown sharp.
// 200,000 pictures take some milliseconds.

import { Matrix4 } from "three";

export const ANGLE = 50; // degrees that the camera sees, from top to bottom

const matrix = new Matrix4();

/** Have the camera see what a pane of so many pixels shows; a unit is as large in all panes of a canvas of that height. */
export function setProjection(camera, width, height, whole) {
  camera.aspect = width / height;
  camera.fov = (360 / Math.PI) * Math.atan((Math.tan((ANGLE * Math.PI) / 360) * height) / whole);
  camera.updateProjectionMatrix();
}

/** From the cloud's units to clip space: 16 numbers, good until the next call. */
export function clipMatrix(camera) {
  camera.updateMatrixWorld();
  return matrix.multiplyMatrices(camera.projectionMatrix, camera.matrixWorldInverse).elements;
}

/**
 * What is needed to project: `{ rows, depth, camera, width, height, size, scale, limits, shapes, pictures, dot, near, nearer, front }`,
 * of which `rows` is the layout, `width` and `height` the pane in CSS pixels, `scale` CSS pixels a unit at a distance of 1,
 * `limits` the smallest and largest side of a point and the largest of a quad in CSS pixels, `shapes` two bytes a picture,
 * `pictures` whether these are drawn and not dots, `dot` a dot's diameter, `near` the rows that are drawn as quads, `nearer` how far before their points
 * these lie in clip space, and `front` what is drawn over all, `[{ row, place, shape, grow, least }]`, the last one last.
 * Only the rows `among`, where these are given.
 */
export function project(view, skip, visit, among = null) {
  const { rows, depth, camera, width, height, size, scale } = view;
  const m = clipMatrix(camera);
  const count = among?.length ?? rows.length / 3;
  for (let at = 0; at < count; at++) {
    const row = among ? among[at] : at;
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
 * Fill `rowsFound` with the rows on a pane that are nearer than `far` → how many. Between two layouts, `rows` and `goal`,
 * they are `morph` of the way; `around` is how far beyond the pane's edge one can lie and be seen, in clip space. For
 * each frame, so without a call for each row.
 */
export function collectNear({ rows, goal, morph, depth, camera, far, around }, rowsFound) {
  const m = clipMatrix(camera);
  const [right, up] = around;
  const count = rows.length / 3;
  let found = 0;
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
    rowsFound[found++] = row;
  }
  return found;
}

/** Where a point is in the pane: `{ x, y, side }` in CSS pixels, `far` in the cloud's units; null behind the camera. */
export function projectPoint(view, point) {
  let found = null;
  project({ ...view, rows: point }, null, (_, x, y, side, far) => {
    found = { x, y, side: Math.max(side, view.limits[0]), far };
  });
  return found;
}

/** At most `most` rows on the pane that are drawn larger than `least` CSS pixels, the largest ones: `[{ row, side }]`. */
export function collectLargest(view, skip, least, most) {
  const found = [];
  const { width, height } = view;
  project(view, skip, (row, x, y, side) => {
    if (side > least && x > -side && x < width + side && y > -side && y < height + side) found.push({ row, side });
  });
  if (found.length > most) found.sort((a, b) => b.side - a.side);
  return found.slice(0, most);
}
