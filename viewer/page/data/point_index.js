// The index of a layout's tiles of points, as the server tells it, and the bytes of its nodes → what is drawn of them.

const STEPS = 65535; // of a coordinate in its box
const MOST_TOGETHER = 2 ** 20; // bytes that are fetched at a time

/**
 * A node: `least` and `size` are its box in the cloud's units, `middle` and `radius` the sphere around it, `first` and
 * `bytes` where it lies in the file.
 * @typedef {{ number: number, parent: number, children: number[], count: number, first: number, bytes: number,
 *   least: number[], size: number[], middle: number[], radius: number }} PointNode
 */

/** `{ nodes, transform, … }`: the nodes where they are drawn, and where a point of the server's lies among them. */
export function readIndex({ parents, counts, boxes, middle, radius, stride, colours, count, nodes: digest }) {
  // As `normalise` has it.
  const scale = radius > 1e-6 ? 1 / radius : 1;
  const transform = (point) => middle.map((value, axis) => (point[axis] - value) * scale);
  /** @type {PointNode[]} */
  const nodes = [];
  let first = 0;
  counts.forEach((own, number) => {
    const [least, most] = [transform(boxes[number]), transform(boxes[number].slice(3))];
    const size = most.map((value, axis) => value - least[axis]);
    const bytes = own * stride + (-(own * stride) & 3);
    nodes.push({
      number,
      parent: parents[number],
      children: [],
      count: own,
      first,
      bytes,
      least,
      size,
      middle: least.map((value, axis) => value + size[axis] / 2),
      radius: Math.hypot(...size) / 2,
    });
    first += bytes;
    if (number) nodes[parents[number]].children.push(number);
  });
  return { nodes, transform, digest, colours, count };
}

/** A node's bytes → its `rows`, `steps` (three a point, of 65535 across its box) and `colours` (three a point, or null). */
export function readNode(buffer, start, { count }, hasColours) {
  return {
    rows: new Uint32Array(buffer, start, count),
    steps: new Uint16Array(buffer, start + 4 * count, 3 * count),
    colours: hasColours ? new Uint8Array(buffer, start + 10 * count, 3 * count) : null,
  };
}

/** Where a node's points are, in the cloud's units: `(n, 3)`. */
export function placesOf({ least, size }, { steps }) {
  return Float32Array.from(steps, (step, at) => least[at % 3] + (step / STEPS) * size[at % 3]);
}

/** Where one of its points is. */
export function placeOf({ least, size }, { steps }, index) {
  return Float32Array.from(least, (value, axis) => value + (steps[3 * index + axis] / STEPS) * size[axis]);
}

/** Of wanted nodes, the most urgent one first: it and those that lie right beside it in the file, in its order. */
export function together(wanted, nodes) {
  const numbers = new Set(wanted.map(({ number }) => number));
  let [from, to] = [wanted[0].number, wanted[0].number];
  let bytes = nodes[from].bytes;
  for (let grown = true; grown;) {
    grown = false;
    for (const next of [to + 1, from - 1]) {
      if (!numbers.has(next) || bytes + nodes[next].bytes > MOST_TOGETHER) continue;
      bytes += nodes[next].bytes;
      if (next > to) to = next;
      else from = next;
      grown = true;
    }
  }
  return nodes.slice(from, to + 1);
}
