// The pictures as points: their attributes, a row each, and how rows are written.

import { BufferAttribute, BufferGeometry, DynamicDrawUsage, Points } from "three";

/** Those of a few pixels, and by an index of their own those that are close; both have the same attributes. */
export function makePoints(count, { dots, pictures }) {
  const geometry = new BufferGeometry();
  geometry.setAttribute("shape", new BufferAttribute(new Uint8Array(2 * count), 2, true));
  geometry.setAttribute("colour", new BufferAttribute(new Uint8Array(4 * count).fill(128), 4, true));
  geometry.setAttribute("border", new BufferAttribute(new Uint8Array(4 * count), 4, true));
  const points = new Points(geometry, dots[0]);
  const nearPoints = new Points(new BufferGeometry(), pictures[0]);
  nearPoints.geometry.attributes = geometry.attributes;
  nearPoints.geometry.setIndex(new BufferAttribute(new Uint32Array(count), 1).setUsage(DynamicDrawUsage));
  nearPoints.renderOrder = -2; // in front of most: what they hide needs no colour
  return { points, nearPoints };
}

/** Other pictures around them, drawn as those that are filtered out. */
export function makeContext(count, material) {
  const geometry = new BufferGeometry();
  geometry.setAttribute("colour", new BufferAttribute(new Uint8Array(4 * count), 4, true));
  const points = new Points(geometry, material);
  points.frustumCulled = false;
  points.renderOrder = -1;
  return points;
}

/** Some rows of an attribute: shapes, colours or borders. */
export function writeRows(attribute, first, values) {
  const start = first * attribute.itemSize;
  attribute.array.set(values, start);
  attribute.addUpdateRange(start, values.length);
  attribute.needsUpdate = true;
}

/** Have the card take all of an array that was written to. */
export function written(attribute) {
  attribute.addUpdateRange(0, attribute.array.length);
  attribute.needsUpdate = true;
}

/** A dot's diameter in the canvas's own pixels. */
export function dotSize(ratio, count) {
  return ratio * (count > 20_000 ? 3 : count > 2_000 ? 5 : 8);
}
