// Which nodes of points a view takes: those on the canvas, the largest there first, as many as there are points for.

const FINE = 200; // CSS pixels that a node's diameter has, from which on its children are wanted
const SEEN = 8; // and that it has at least to be drawn at all

/** The six planes of a clip matrix, `[a, b, c, d]`: what is seen has `a x + b y + c z + d ≥ 0` for each. */
export function planesOf(m) {
  const row = (at) => [m[at], m[at + 4], m[at + 8], m[at + 12]];
  const w = row(3);
  return [0, 1, 2].flatMap((axis) => [
    row(axis).map((value, at) => w[at] + value),
    row(axis).map((value, at) => w[at] - value),
  ]);
}

/** Whether any of a box may be on the canvas; `depth` flattens it. */
export function isSeen({ least, size }, planes, depth) {
  const [x, y, z] = least;
  const [right, up, back] = size;
  return planes.every(
    ([a, b, c, d]) =>
      a * (a > 0 ? x + right : x) + b * (b > 0 ? y + up : y) + c * depth * (c > 0 ? z + back : z) + d >= 0,
  );
}

/** CSS pixels that a node's diameter has; endless around the camera. */
export function diameter({ middle, radius }, { eye, scale, depth }) {
  const far = Math.hypot(middle[0] - eye[0], middle[1] - eye[1], middle[2] * depth - eye[2]) - radius;
  return far > 0 ? (2 * radius * scale) / far : Infinity;
}

/**
 * The nodes that a view takes, the largest first; a node comes after its parent. `view` is `{ planes, eye, scale, depth }`,
 * `scale` being CSS pixels a unit at a distance of 1; at most `budget` points, but the first node always.
 */
export function chooseNodes(nodes, view, budget) {
  const chosen = [];
  const waiting = [{ node: nodes[0], size: Infinity }];
  let left = budget;
  while (waiting.length) {
    const { node, size } = take(waiting);
    if (chosen.length && node.count > left) break;
    left -= node.count;
    chosen.push(node);
    if (size < FINE) continue;
    for (const number of node.children) {
      const child = nodes[number];
      const childSize = diameter(child, view);
      if (childSize >= SEEN && isSeen(child, view.planes, view.depth)) put(waiting, { node: child, size: childSize });
    }
  }
  return chosen;
}

// A binary heap, the largest first.

function put(heap, item) {
  let at = heap.push(item) - 1;
  while (at && heap[(at - 1) >> 1].size < item.size) {
    heap[at] = heap[(at - 1) >> 1];
    at = (at - 1) >> 1;
  }
  heap[at] = item;
}

function take(heap) {
  const top = heap[0];
  const item = heap.pop();
  if (!heap.length) return top;
  let at = 0;
  for (let child = 1; child < heap.length; child = 2 * at + 1) {
    if (child + 1 < heap.length && heap[child + 1].size > heap[child].size) child += 1;
    if (heap[child].size <= item.size) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = item;
  return top;
}
