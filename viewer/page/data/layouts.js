// A collection's layouts as they are drawn: all turned onto the same one, whichever is asked for first, so that an
// address shows the same pictures on every way to it.

import { ApiError } from "./api.js";
import { applyRotation, fitRotation, normalise } from "./vectors.js";

const SAMPLED_RANGES = 4; // ranges of a large catalogue that its layouts are turned by: a rotation needs no more

/** `{ rows, transform }` of a reducer: `(n, 3)`, and where a point of the server's lies among them. Raises `ApiError`. */
export async function loadLayout(collection, reducer) {
  // What lies on a plane stays on it, seen from the front.
  const isTurned = reducer !== collection.reference && !collection.isPlane?.(reducer);
  const model = isTurned ? sample(collection) : null;
  model?.catch(() => {}); // told below, unless the vectors fail first
  const vectors = await collection.vectors(reducer);
  performance.mark("wwzd:vectors");
  const fresh = normalise(vectors);
  const matched = await model;
  return matched ? applyRotation(fresh, fitRotation(matched.of(vectors), matched.rows)) : fresh;
}

/** Places of a layout that is still being computed, turned as the others are. Raises `ApiError`. */
export async function turned(collection, vectors) {
  const { rows, of } = await sample(collection);
  const fresh = normalise(vectors);
  return applyRotation(fresh, fitRotation(of(vectors), rows));
}

/** Rows of the layout that others are turned onto, and `of`, which takes the same pictures' rows from another. */
async function sample(collection) {
  const { kind, ranges, reference } = collection;
  try {
    if (kind !== "catalogue" || ranges <= SAMPLED_RANGES) {
      return { rows: await collection.vectors(reference), of: (vectors) => vectors };
    }
    const numbers = Array.from({ length: SAMPLED_RANGES }, (_, part) => Math.floor((part * ranges) / SAMPLED_RANGES));
    const parts = await Promise.all(numbers.map((number) => collection.rangeVectors(reference, number, number)));
    return {
      rows: joined(parts),
      of: (vectors) => joined(numbers.map((number) => vectors.subarray(3000 * number, 3000 * (number + 1)))),
    };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null; // there is none: all stay as they are
    throw error;
  }
}

function joined(parts) {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
