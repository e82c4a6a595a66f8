// Layouts as reducers give them → layouts as they are drawn: around the origin, of one size, and turned so that what is
// near in one lies near in the next. All are `(n, 3)` in one Float32Array.

const ENOUGH = 20_000; // distances to judge the cloud's size by

/** Move the middle to the origin, and scale so that 95 % of the pictures lie within a distance of 1. */
export function normalise(rows) {
  const [x, y, z] = middle(rows);
  const centred = new Float32Array(rows.length);
  const radius = radiusOf(rows, [x, y, z]);
  // Pictures that are one picture many times over lie on one spot, and are not blown up to fill the page.
  const scale = radius > 1e-6 ? 1 / radius : 1;
  for (let at = 0; at < rows.length; at += 3) {
    centred[at] = (rows[at] - x) * scale;
    centred[at + 1] = (rows[at + 1] - y) * scale;
    centred[at + 2] = (rows[at + 2] - z) * scale;
  }
  return { rows: centred, transform: (point) => [x, y, z].map((value, axis) => (point[axis] - value) * scale) };
}

/** The distance from a point within which 95 % of the pictures lie. */
export function radiusOf(rows, [x, y, z] = [0, 0, 0]) {
  const step = Math.ceil(rows.length / 3 / ENOUGH);
  const lengths = new Float32Array(Math.ceil(rows.length / 3 / step) || 0);
  for (let at = 0, sample = 0; at < rows.length; at += 3 * step, sample++) {
    lengths[sample] = Math.hypot(rows[at] - x, rows[at + 1] - y, rows[at + 2] - z);
  }
  lengths.sort();
  return lengths[Math.min(lengths.length - 1, Math.floor(0.95 * lengths.length))];
}

/** Each row where `transform` puts it. */
export function transformRows(rows, transform) {
  const all = new Float32Array(rows.length);
  for (let at = 0; at < rows.length; at += 3) all.set(transform(rows.subarray(at, at + 3)), at);
  return all;
}

function middle(rows) {
  let [x, y, z] = [0, 0, 0];
  for (let at = 0; at < rows.length; at += 3) {
    x += rows[at];
    y += rows[at + 1];
    z += rows[at + 2];
  }
  const count = rows.length / 3 || 1;
  return [x / count, y / count, z / count];
}

/**
 * The rotation, mirrored if that fits better, that brings `rows` nearest to `model`, both `(n, 3)` and of the same pictures,
 * around their middles: a 3 × 3 matrix. Procrustes without the scaling.
 */
export function fitRotation(rows, model) {
  const [from, to] = [middle(rows), middle(model)];
  const sums = [0, 1, 2].map(() => [0, 0, 0]);
  for (let row = 0; row < rows.length; row += 3) {
    for (let a = 0; a < 3; a++) {
      for (let b = 0; b < 3; b++) sums[a][b] += (rows[row + a] - from[a]) * (model[row + b] - to[b]);
    }
  }
  return bestRotation(sums);
}

/** A normalised layout, turned by a matrix, in the same array. */
export function applyRotation({ rows, transform }, matrix) {
  const [[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]] = matrix;
  for (let row = 0; row < rows.length; row += 3) {
    const [x, y, z] = [rows[row], rows[row + 1], rows[row + 2]];
    rows[row] = xx * x + xy * y + xz * z;
    rows[row + 1] = yx * x + yy * y + yz * z;
    rows[row + 2] = zx * x + zy * y + zz * z;
  }
  const rotate = (point) => matrix.map((line) => line[0] * point[0] + line[1] * point[1] + line[2] * point[2]);
  return { rows, transform: (point) => rotate(transform(point)) };
}

/** Of the best rotation and the best rotation of the mirror image, the one that fits better, as a 3 × 3 matrix. */
function bestRotation(s) {
  const straight = rotation(s);
  const mirrored = rotation([s[0], s[1], s[2].map((value) => -value)]);
  if (straight.fit >= mirrored.fit) return straight.matrix;
  return mirrored.matrix.map(([a, b, c]) => [a, b, -c]);
}

/** Horn's method: the rotation is the quaternion that a symmetric 4 × 4 matrix stretches most. */
function rotation([[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]]) {
  const horn = [
    [xx + yy + zz, yz - zy, zx - xz, xy - yx],
    [yz - zy, xx - yy - zz, xy + yx, zx + xz],
    [zx - xz, xy + yx, yy - xx - zz, yz + zy],
    [xy - yx, zx + xz, yz + zy, zz - xx - yy],
  ];
  const { value, vector } = largest(horn);
  const [w, x, y, z] = vector;
  return {
    fit: value,
    matrix: [
      [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
      [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
      [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ],
  };
}

/** The largest eigenvalue of a symmetric matrix and its vector: powers of it, shifted so that all are positive. */
function largest(matrix) {
  const shift = Math.max(...matrix.map((line) => line.reduce((sum, value) => sum + Math.abs(value), 0))) || 1;
  let power = matrix.map((line, row) => line.map((value, column) => value / shift + (row === column ? 1 : 0)));
  for (let doubling = 0; doubling < 24; doubling++) {
    const square = power.map((line) => power.map((_, column) => line.reduce((s, v, k) => s + v * power[k][column], 0)));
    const size = Math.max(...square.flat().map(Math.abs));
    power = square.map((line) => line.map((value) => value / size));
  }
  const column = [0, 1, 2, 3].reduce((a, b) => (power[b][b] > power[a][a] ? b : a));
  const long = power.map((line) => line[column]);
  const length = Math.hypot(...long);
  const vector = long.map((value) => value / length);
  const value = vector.reduce((sum, v, row) => sum + v * matrix[row].reduce((s, m, k) => s + m * vector[k], 0), 0);
  return { value, vector };
}
