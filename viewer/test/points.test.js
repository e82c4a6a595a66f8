import { PerspectiveCamera } from "three";
import { expect, test } from "vitest";
import { NodeLoader } from "../page/data/node_loader.js";
import { placeOf, placesOf, readIndex, readNode, together } from "../page/data/point_index.js";
import { largestPoints, pointsUnder } from "../page/interaction/near_points.js";
import { chooseNodes, diameter, isSeen, planesOf } from "../page/render/node_choice.js";
import { clipMatrix, projectPoint } from "../page/render/projection.js";

const described = {
  parents: [-1, 0, 0, 1],
  counts: [3, 2, 2, 1],
  boxes: [
    [8, -2, -2, 12, 2, 2],
    [8, -2, -2, 9, 0, 0],
    [11, 1, 1, 12, 2, 2],
    [8, -2, -2, 8.5, -1, -1],
  ],
  middle: [10, 0, 0],
  radius: 2,
  stride: 13,
  colours: true,
  count: 8,
  nodes: "0123456789abcdef",
};
const index = readIndex(described);

const camera = new PerspectiveCamera(50, 1, 0.004, 60);
camera.position.set(0, 0, 3);
camera.updateMatrixWorld();
const view = {
  depth: 1,
  camera,
  width: 600,
  height: 600,
  size: 0.05,
  scale: 600 / (2 * Math.tan((25 * Math.PI) / 180)),
  limits: [2, 128, 252],
  dot: 3,
};
const seen = (more = {}) => ({ ...view, planes: planesOf(clipMatrix(camera)), eye: [0, 0, 3], ...more });

/** The bytes of a node of these rows. */
function bytesOf(rows, steps) {
  const buffer = new ArrayBuffer(13 * rows.length + (-(13 * rows.length) & 3));
  new Uint32Array(buffer, 0, rows.length).set(rows);
  new Uint16Array(buffer, 4 * rows.length, steps.length).set(steps);
  return buffer;
}

test("an index has its nodes where they are drawn, and their bytes one after the other", () => {
  const { nodes, transform } = index;
  expect(nodes.map(({ first, bytes }) => [first, bytes])).toEqual([
    [0, 40],
    [40, 28],
    [68, 28],
    [96, 16],
  ]);
  expect(nodes.map(({ children }) => children)).toEqual([[1, 2], [3], [], []]);
  expect([nodes[0].least, nodes[0].size]).toEqual([
    [-1, -1, -1],
    [2, 2, 2],
  ]);
  expect(transform([12, 2, 0])).toEqual([1, 1, 0]);
});

test("the points of a node lie at the steps across its box", () => {
  const data = readNode(bytesOf([7, 9], [0, 0, 0, 65535, 65535, 32768]), 0, { count: 2 }, true);
  expect([...data.rows]).toEqual([7, 9]);
  expect(data.colours.length).toBe(6);
  const places = placesOf(index.nodes[0], data);
  expect([...places.subarray(0, 3)]).toEqual([-1, -1, -1]);
  expect(places[5]).toBeCloseTo(0, 4);
  expect(placeOf(index.nodes[0], data, 1)).toEqual(places.subarray(3));
});

test("nodes that lie together are fetched together, the most urgent one among them", () => {
  const { nodes } = index;
  expect(together([nodes[2], nodes[0]], nodes).map(({ number }) => number)).toEqual([2]);
  expect(together([nodes[2], nodes[0], nodes[1]], nodes).map(({ number }) => number)).toEqual([0, 1, 2]);
});

test("a view takes what it sees, the largest first, and no more points than it may", () => {
  const numbers = (budget, more) => chooseNodes(index.nodes, seen(more), budget).map(({ number }) => number);
  expect(numbers(100)).toEqual([0, 1, 2, 3]);
  expect(numbers(100, { scale: 300 })).toEqual([0, 1, 2]); // the last one would be finer than anyone sees
  expect(numbers(5)).toEqual([0, 1]);
  expect(numbers(1)).toEqual([0]);
  expect(numbers(100, { scale: 10 })).toEqual([0]);
});

test("what lies beside or behind the view is not seen", () => {
  const planes = planesOf(clipMatrix(camera));
  const box = (x, y, z) => ({ least: [x, y, z], size: [0.1, 0.1, 0.1] });
  expect([box(0, 0, 0), box(1.3, 0, 0), box(2, 0, 0), box(0, 0, 4)].map((one) => isSeen(one, planes, 1))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(isSeen(box(0, 0, 4), planes, 0)).toBe(true); // flat, it lies in the middle
  expect(diameter(index.nodes[0], { eye: [0, 0, 1], scale: 100, depth: 1 })).toBe(Infinity);
});

test("points under the cursor and near the camera are found where they are drawn", () => {
  const steps = [0, 0, 0, 60000, 60000, 60000, 40000, 30000, 50000];
  const entry = { node: index.nodes[0], data: readNode(bytesOf([5, 6, 7], steps), 0, { count: 3 }, true) };
  const m = clipMatrix(camera);
  for (let at = 0; at < 3; at++) {
    const { x, y } = projectPoint({ ...view, rows: null }, placeOf(entry.node, entry.data, at));
    const found = pointsUnder([entry], view, m, x + 2, y - 2);
    expect([...found.ids]).toEqual([5 + at]);
    expect(found.rows).toEqual(placeOf(entry.node, entry.data, at));
  }
  expect(pointsUnder([entry], view, m, 300, 120).ids.length).toBe(0);
  const largest = largestPoints([entry], view, m, [0, 0, 3], 10, 2);
  expect(largest.map(({ row }) => row)).toEqual([6, 7]);
  expect(largest[0].side).toBeCloseTo(projectPoint(view, largest[0].place).side, 3);
  expect(largestPoints([entry], view, m, [0, 0, 3], 40, 2)).toEqual([]);
});

test("a loader keeps what was wanted last, and tells what it let go", async () => {
  const [asked, here] = [[], new Set()];
  const fetchBytes = async (first, last) => {
    asked.push([first, last]);
    return { buffer: new ArrayBuffer(last - first + 1), start: 0 };
  };
  const listener = { came: ({ number }) => here.add(number), went: ({ number }) => here.delete(number), failed() {} };
  const loader = new NodeLoader(index, fetchBytes, listener, 5);
  loader.want(index.nodes.slice(0, 2));
  await expect.poll(() => loader.idle).toBe(true);
  expect(asked).toEqual([[0, 67]]);
  loader.want([index.nodes[0], index.nodes[2]]);
  await expect.poll(() => loader.idle).toBe(true);
  expect([...here]).toEqual([0, 2]);
  expect(loader.points).toBe(5);
});

test("a loader gives up where its file is gone, and says so", async () => {
  const errors = [];
  const fetchBytes = () => Promise.reject(Object.assign(new Error(), { status: 404 }));
  const loader = new NodeLoader(index, fetchBytes, { came() {}, went() {}, failed: (error) => errors.push(error) }, 9);
  loader.want(index.nodes);
  await expect.poll(() => errors.length).toBe(1);
  expect(loader.idle).toBe(true);
});
