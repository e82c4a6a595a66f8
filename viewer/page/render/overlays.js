// What stands out of the cloud's points: those that are near as sharp quads, a few in front of all, and lines between.

import {
  BufferAttribute,
  BufferGeometry,
  InstancedBufferAttribute,
  InstancedBufferGeometry,
  LineSegments,
  Mesh,
} from "three";
import { SLOTS } from "./textures.js";

const MOST_IN_FRONT = 64;
const MOST_LINES = 64;
const QUAD = { position: 3, goal: 3, shape: 2, border: 4, row: 1, slot: 1, grow: 1 };

/**
 * A picture that is drawn as a quad.
 * @typedef {{ row: number, slot: number | null, border: number[] | null, grow?: number }} OverlayItem
 */

export class Overlays {
  /** Of a cloud that has its points. */
  constructor(cloud, { near, front, lines }) {
    this.cloud = cloud;
    /** @type {any} */
    this.near = quads(SLOTS, near);
    /** @type {any} */
    this.front = quads(MOST_IN_FRONT, front);
    this.front.renderOrder = 2;
    this.lines = strokes(MOST_LINES, lines);
    this.lines.renderOrder = 1;
    this.parts = [this.near, this.front, this.lines];
    this.setNear([]);
    this.setFront([]);
    this.setLines([]);
  }

  /** What to draw as quads: `[{ row, slot, border: [r, g, b] | null, grow }]`. */
  setNear(items) {
    this.fill(this.near, items);
  }

  setFront(items) {
    this.fill(this.front, items.slice(0, MOST_IN_FRONT));
  }

  fill(mesh, wanted) {
    mesh.items = wanted;
    const items = wanted.filter(({ row }) => this.hasPosition(row));
    mesh.visible = items.length > 0;
    if (!mesh.visible) return;
    const { cloud } = this;
    const { attributes } = mesh.geometry;
    const [from, to] = [cloud.array("position"), cloud.array("goal")];
    items.forEach(({ row, slot, border, grow = 1 }, index) => {
      attributes.position.array.set(cloud.positionOf(row, from), 3 * index);
      attributes.goal.array.set(cloud.positionOf(row, to), 3 * index);
      attributes.shape.array.set(cloud.shape(row), 2 * index);
      attributes.border.array.set(border ? [...border, 1] : [0, 0, 0, 0], 4 * index);
      attributes.row.array[index] = row;
      attributes.slot.array[index] = slot ?? -1;
      attributes.grow.array[index] = grow;
    });
    for (const name of Object.keys(QUAD)) attributes[name].needsUpdate = true;
    mesh.geometry.instanceCount = items.length;
  }

  /** Lines between pairs of rows. */
  setLines(pairs) {
    this.pairs = pairs.slice(0, MOST_LINES);
    const ends = this.pairs.filter((pair) => pair.every((row) => this.hasPosition(row))).flat();
    this.lines.visible = ends.length > 0;
    if (!this.lines.visible) return;
    const { geometry } = this.lines;
    for (const name of ["position", "goal"]) {
      const rows = this.cloud.array(name);
      const attribute = geometry.getAttribute(name);
      ends.forEach((row, end) => {
        attribute.array.set(this.cloud.positionOf(row, rows), 3 * end);
      });
      attribute.needsUpdate = true;
    }
    geometry.setDrawRange(0, ends.length);
  }

  /** After the layouts changed: quads and lines follow their pictures. */
  refresh() {
    this.setNear(this.near.items);
    this.setFront(this.front.items);
    this.setLines(this.pairs);
  }

  /** Whether a row, or the query image, has a place where the points come from and where they go. */
  hasPosition(row) {
    return ["position", "goal"].every((name) => this.cloud.positionOf(row, this.cloud.array(name)));
  }
}

function quads(most, material) {
  const geometry = new InstancedBufferGeometry();
  const corners = new Float32Array([-0.5, -0.5, 0.5, -0.5, 0.5, 0.5, -0.5, 0.5]);
  geometry.setAttribute("corner", new BufferAttribute(corners, 2));
  geometry.setIndex([0, 1, 2, 0, 2, 3]);
  for (const [name, size] of Object.entries(QUAD)) {
    geometry.setAttribute(name, new InstancedBufferAttribute(new Float32Array(size * most), size));
  }
  return new Mesh(geometry, material);
}

function strokes(most, material) {
  const geometry = new BufferGeometry();
  for (const name of ["position", "goal"]) {
    geometry.setAttribute(name, new BufferAttribute(new Float32Array(6 * most), 3));
  }
  return new LineSegments(geometry, material);
}
