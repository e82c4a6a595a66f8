// How far a layout can be trusted, as the service measures it; and for each picture, as a field of numbers that colours and
// filters.

import * as api from "./api.js";

const BINS = 20;
const PREFIX = "distortion:";

/** The name of the field that is a layout's distortion. */
export function distortionName(layout) {
  return PREFIX + layout;
}

/** The layout whose distortion a field is, or null. */
export function layoutOf(name) {
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length) : null;
}

/** What was measured of a layout, once it has been; null as soon as `goesOn()` says no. Raises `ApiError`. */
export function fetchQuality(collection, layout, goesOn) {
  const ask = () => api.json(`${collection.base}/layouts/${layout}/quality`);
  return api.untilThere(ask, ({ scores }) => scores, goesOn);
}

/** One number a picture, from 0 to 1, once they are measured; null as soon as `goesOn()` says no. Raises `ApiError`. */
export async function fetchDistortion(collection, layout, goesOn) {
  if (!(await fetchQuality(collection, layout, goesOn))) return null;
  return new Float32Array(await api.bytes(`${collection.base}/layouts/${layout}/distortion?format=raw`));
}

/** A layout's distortion as a field, summed up as the service does it for metadata; `layout` is what is known of it. */
export function distortionField(layout, values) {
  const max = Math.max(0.01, Math.ceil(100 * values.reduce((most, value) => Math.max(most, value), 0)) / 100);
  const counts = new Array(BINS).fill(0);
  for (const value of values) counts[Math.min(BINS - 1, Math.floor((BINS * value) / max))] += 1;
  return { name: distortionName(layout.name), type: "number", min: 0, max, histogram: { counts }, layout };
}

/** The rows with the greatest values, the greatest first; equal ones in their order. */
export function greatest(values, most) {
  const rows = Uint32Array.from(values, (_, row) => row);
  return [...rows.sort((a, b) => values[b] - values[a] || a - b).subarray(0, most)];
}
