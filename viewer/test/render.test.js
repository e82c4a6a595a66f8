import { PerspectiveCamera } from "three";
import { expect, test } from "vitest";
import { fitCamera } from "../page/interaction/camera_fit.js";
import { inside, pick } from "../page/interaction/picking.js";
import { LayerPool } from "../page/render/layer_pool.js";
import { collectLargest, collectNear, projectPoint } from "../page/render/projection.js";

const rows = Float32Array.from([0, 0, 0, 0, 0, 1, 0.9, 0, 0, 0, 0, 9]); // the last one lies behind the camera
const camera = new PerspectiveCamera(50, 1, 0.004, 60);
camera.position.set(0, 0, 3);
camera.updateMatrixWorld();
const view = {
  rows,
  depth: 1,
  camera,
  width: 600,
  height: 600,
  size: 0.2,
  scale: 600 / (2 * Math.tan((25 * Math.PI) / 180)),
  limits: [2, 128, 252],
  shapes: new Uint8Array(8).fill(255),
  pictures: true,
  dot: 5,
  near: new Set(),
  nearer: 2e-6,
  front: [],
};

test("the picture in front is picked, the one behind it where the first is filtered out, and none beside", () => {
  expect(pick(view, null, 300, 300)).toBe(1);
  expect(pick(view, Uint8Array.from([0, 1, 0, 0]), 300, 300)).toBe(0);
  expect(pick(view, null, 10, 10)).toBe(-1);
});

test("what stands in front of all is picked first, the last one first", () => {
  const position = rows.subarray(6, 9);
  const one = { position, shape: [1, 1], grow: 1, least: 34 };
  const front = [
    { ...one, row: 2 },
    { ...one, row: 0 },
  ];
  const { x, y } = projectPoint(view, position);
  expect(pick({ ...view, front }, null, x, y)).toBe(0);
});

test("an outline holds the pictures whose middles lie inside it", () => {
  const { x, y } = projectPoint(view, rows.subarray(6, 9));
  expect(
    inside(view, null, [
      [x - 5, y - 5],
      [x + 5, y - 5],
      [x, y + 9],
    ]),
  ).toEqual([2]);
  expect(
    inside(view, null, [
      [0, 0],
      [600, 0],
      [600, 600],
      [0, 600],
    ]),
  ).toEqual([0, 1, 2]);
});

test("near rows are those on the pane and nearer than a distance; the largest come first", () => {
  const found = new Uint32Array(4);
  const asked = { rows, goal: rows, morph: 0, depth: 1, camera, far: 2.5, around: [0, 0] };
  expect([...found.subarray(0, collectNear(asked, found))]).toEqual([1]);
  expect([...found.subarray(0, collectNear({ ...asked, far: 3.5 }, found))]).toEqual([0, 1, 2]);
  expect(collectLargest(view, null, 10, 1).map(({ row }) => row)).toEqual([1]);
});

test("the fitted camera sees every picture whole, with one at each edge that binds", () => {
  const edges = { depth: 1, half: 0.1, left: -0.4, right: 0.2, bottom: -0.45, top: 0.45 };
  const cloud = Float32Array.from({ length: 300 }, (_, at) => Math.sin(at * at));
  const [x, y, z] = fitCamera([{ rows: cloud, ...edges }]);
  let [left, right] = [Infinity, Infinity];
  for (let at = 0; at < cloud.length; at += 3) {
    const far = z - cloud[at + 2];
    left = Math.min(left, cloud[at] - 0.1 - x - edges.left * far);
    right = Math.min(right, x + edges.right * far - cloud[at] - 0.1);
    expect(Math.abs(cloud[at + 1] - y) + 0.1).toBeLessThanOrEqual(0.45 * far + 1e-6);
  }
  expect(Math.min(left, right)).toBeGreaterThan(-1e-6);
});

test("layers are lent anew from the row that was wanted least lately", () => {
  const pool = new LayerPool(2);
  const first = pool.take(10);
  pool.take(20);
  pool.touch(10);
  pool.take(30);
  expect([pool.has(20), pool.get(10)]).toEqual([false, first]);
  pool.release(10);
  expect(pool.take(40)).toBe(first);
});
