// Pictures → a file of them: row, name, and where they lie in each layout, in the server's own numbers.

import { ApiError } from "./api.js";

const DIGITS = 9; // bring every float32 back

/** The CSV of some rows of a collection. Raises `ApiError`. */
export async function table(collection, rows) {
  const [layouts] = await Promise.all([placed(collection), collection.recordAll(rows)]);
  const heads = layouts.flatMap(({ reducer }) => ["x", "y", "z"].map((axis) => `${reducer}_${axis}`));
  const lines = rows.map((row) => {
    const places = layouts.flatMap(({ vectors }) => [...vectors.subarray(3 * row, 3 * row + 3)]);
    const name = collection.known(row)?.name ?? "";
    return [row, quoted(name), ...places.map((value) => Number(value.toPrecision(DIGITS)))].join(",");
  });
  const all = [["index", "name", ...heads].join(","), ...lines];
  return new Blob([`${all.join("\r\n")}\r\n`], { type: "text/csv" });
}

/** The layouts that there are: a catalogue may lack one. */
async function placed(collection) {
  const asked = collection.reducers.map(async (reducer) => {
    try {
      return { reducer, vectors: await collection.vectors(reducer) };
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }
  });
  return (await Promise.all(asked)).filter(Boolean);
}

function quoted(text) {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
