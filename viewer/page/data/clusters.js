// The clusters of a collection as a tree, and which of them a view has room for: large ones from afar, their parts nearer.

import * as api from "./api.js";

const OPENED = 0.3; // of the view's shorter side: a cluster that reaches so far gives way to its parts
const LEFT = 1.2; // the same for one without parts: whoever is so near is inside
const FEW = 0.6; // of the reach of the level before, for a cluster without parts

/**
 * @typedef {{ key: string, level: number, id: number, row: number, size: number, label: string, named: boolean,
 *   traits: any[], field: string, parent: Cluster | null, parts: Cluster[] }} Cluster
 */

/** The clusters of a collection, as `treeOf` makes them. Raises `ApiError`. */
export async function fetchClusters(collection) {
  const { levels } = await api.json(`${collection.base}/clusters`);
  return treeOf(levels);
}

/**
 * Have the clusters computed of a collection from before they were found with each. `progress(share)` is told how far it
 * is, null while it waits for its turn. Returns whether they are there; false as soon as `goesOn()` says no. Raises `ApiError`.
 */
export async function computeClusters(collection, progress, goesOn) {
  const ask = () => api.json(`${collection.base}/clusters`, { method: "POST", headers: api.csrfHeaders() });
  const waiting = ({ status, progress: share }) => progress(status === "queued" ? null : share);
  return (await api.untilThere(ask, ({ status }) => status === "ready", goesOn, waiting)) !== null;
}

/** Give a cluster another name; an empty one takes it away. Raises `ApiError`. */
export async function renameCluster(collection, { level, id }, label) {
  await api.sendJson("PATCH", `${collection.base}/clusters/${level}/${id}`, { label });
}

/** Levels as the service tells them → `{ fields, all, roots }`: each level's field, its clusters, those in no other. */
export function treeOf(levels) {
  /** @type {Cluster[][]} */
  const made = [];
  for (const { level, field, clusters } of levels) {
    made.push(
      clusters.map(({ id, parent, size, medoid, label, is_named, traits }) => ({
        key: `${level}.${id}`,
        level,
        id,
        row: medoid.index,
        size,
        label,
        named: is_named,
        traits,
        field,
        parent: parent === null ? null : made.at(-1)[parent - 1],
        parts: [],
      })),
    );
  }
  const all = made.flat();
  for (const cluster of all) cluster.parent?.parts.push(cluster);
  return {
    fields: new Map(levels.map(({ field }, at) => [field, made[at]])),
    all,
    roots: all.filter(({ parent }) => !parent),
  };
}

/**
 * How far each cluster reaches in a layout, from its medoid to those of its parts: a Map of keys. One without parts
 * reaches as far as others of its level, or a little less than those of the level before.
 */
export function reaches({ all }, rows) {
  const found = new Map();
  /** @type {number[][]} */
  const ofLevel = [];
  for (const cluster of all) {
    const reach = Math.max(0, ...cluster.parts.map(({ row }) => distance(rows, cluster.row, row)));
    if (!reach) continue;
    found.set(cluster.key, reach);
    (ofLevel[cluster.level] ??= []).push(reach);
  }
  const usual = new Map();
  let before = 0;
  for (const level of new Set(all.map((cluster) => cluster.level))) {
    before = ofLevel[level] ? median(ofLevel[level]) : before ? before * FEW : extent(rows) / 8;
    usual.set(level, before);
  }
  for (const { key, level } of all) if (!found.has(key)) found.set(key, usual.get(level));
  return found;
}

/**
 * The clusters that stand for what is seen, the largest first. `reach(cluster)` is how far one reaches on the screen, as
 * a part of the view's shorter side, or 0 where it is not seen.
 */
export function standing({ roots }, reach) {
  const found = [];
  const waiting = [...roots];
  while (waiting.length) {
    const cluster = waiting.pop();
    const seen = reach(cluster);
    if (cluster.parts.length && seen > OPENED) waiting.push(...cluster.parts);
    else if (seen > 0 && seen < LEFT && belongs(cluster, seen)) found.push(cluster);
    else if (!seen) waiting.push(...cluster.parts); // its medoid is out of view, its parts may not be
  }
  return found.sort((a, b) => a.level - b.level || a.id - b.id);
}

/** One of the third level that lies in no larger cluster is shown when those that do may be. */
function belongs({ level, parent }, seen) {
  return level < 3 || parent || seen > OPENED / 2;
}

/** Those of `[{ left, top, right, bottom }]` that do not overlap one before them, at most so many: their places. */
export function apart(boxes, most) {
  const kept = [];
  for (const [at, box] of boxes.entries()) {
    if (kept.length === most) break;
    const free = kept.every((place) => {
      const other = boxes[place];
      return box.right <= other.left || box.left >= other.right || box.bottom <= other.top || box.top >= other.bottom;
    });
    if (free) kept.push(at);
  }
  return kept;
}

function distance(rows, a, b) {
  return Math.hypot(...[0, 1, 2].map((axis) => rows[3 * a + axis] - rows[3 * b + axis]));
}

function median(values) {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

/** The longest side of the box around a layout, or around a thousand of its rows. */
function extent(rows) {
  const step = 3 * Math.max(1, Math.floor(rows.length / 3000));
  return Math.max(
    ...[0, 1, 2].map((axis) => {
      let [least, most] = [Infinity, -Infinity];
      for (let at = axis; at < rows.length; at += step) {
        least = Math.min(least, rows[at]);
        most = Math.max(most, rows[at]);
      }
      return most - least;
    }),
  );
}
