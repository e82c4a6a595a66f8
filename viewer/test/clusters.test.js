import { describe, expect, test } from "vitest";
import { apart, reaches, standing, treeOf } from "../page/data/clusters.js";

const cluster = (id, parent, index, size = 10) => ({
  id,
  parent,
  size,
  medoid: { index, name: `${index}.jpg` },
  label: `label ${id}`,
  is_named: false,
  traits: [],
});

/** Two clusters, of which the first has two parts; and one of the second level that lies in neither. */
const tree = treeOf([
  { level: 1, field: "cluster", clusters: [cluster(1, null, 0, 50), cluster(2, null, 3, 20)] },
  { level: 2, field: "cluster.2", clusters: [cluster(1, 1, 1), cluster(2, 1, 2), cluster(3, null, 4)] },
]);
const rows = Float32Array.from([0, 0, 0, 1, 0, 0, 0, 2, 0, 9, 0, 0, 9, 9, 0]);
const seen = (reach) => standing(tree, reach).map(({ key }) => key);

describe("clusters", () => {
  test("know their parts, and what lies in no other is a root", () => {
    expect(tree.all.map(({ key }) => key)).toEqual(["1.1", "1.2", "2.1", "2.2", "2.3"]);
    expect(tree.all[0].parts.map(({ key }) => key)).toEqual(["2.1", "2.2"]);
    expect(tree.roots.map(({ key }) => key)).toEqual(["1.1", "1.2", "2.3"]);
    expect(tree.fields.get("cluster.2")).toHaveLength(3);
    expect(treeOf([]).roots).toEqual([]);
  });

  test("reach as far as their parts lie, or as others of their level do", () => {
    const found = reaches(tree, rows);
    expect(found.get("1.1")).toBe(2);
    expect(found.get("1.2")).toBe(2);
    expect(found.get("2.1")).toBeCloseTo(1.2);
    expect(reaches(treeOf([]), rows).size).toBe(0);
  });

  test("stand from afar, and give way to their parts nearer", () => {
    expect(seen(() => 0.1)).toEqual(["1.1", "1.2", "2.3"]);
    expect(seen(({ level }) => (level === 1 ? 0.5 : 0.2))).toEqual(["1.2", "2.1", "2.2", "2.3"]);
    expect(seen(() => 2)).toEqual([]);
  });

  test("whose medoid is out of view are told by their parts", () => {
    expect(seen(({ key }) => (key === "1.1" ? 0 : 0.1))).toEqual(["1.2", "2.1", "2.2", "2.3"]);
  });
});

test("landmarks do not cover each other, and are not too many", () => {
  const box = (left) => ({ left, right: left + 10, top: 0, bottom: 10 });
  expect(apart([box(0), box(5), box(10), box(30)], 9)).toEqual([0, 2, 3]);
  expect(apart([box(0), box(5), box(10), box(30)], 2)).toEqual([0, 2]);
  expect(apart([], 3)).toEqual([]);
});
