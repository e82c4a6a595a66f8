// Pictures → a file of them: what is known of each, and where it lies in each layout, in the server's own numbers and
// under the heads of the server's own export.

import { ApiError } from "./api.js";

const DIGITS = 9; // bring every float32 back
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
const NUMBER = /^[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?$/;
const FACTS = ["width", "height", "bytes"];

/** The CSV of some rows of a collection. Raises `ApiError`. */
export async function csvOf(collection, rows) {
  const known = collection.offers.images ? collection.fields() : [];
  const [layouts, fields] = await Promise.all([loadVectors(collection), known, collection.fetchRecords(rows)]);
  const names = fields.map(({ name }) => name);
  const places = layouts.flatMap(({ reducer }) => ["x", "y", "z"].map((axis) => `${reducer}_${axis}`));
  const lines = rows.map((row) => {
    const record = collection.cachedRecord(row) ?? {};
    const vectors = layouts.flatMap(({ vectors }) => [...vectors.subarray(3 * row, 3 * row + 3)]);
    return [
      row,
      record.name,
      ...FACTS.map((fact) => record[fact]),
      ...vectors.map((value) => Number(value.toPrecision(DIGITS))),
      ...names.map((name) => record.metadata?.[name]),
    ];
  });
  const all = [heads(["index", "name", ...FACTS, ...places], names), ...lines];
  return new Blob([all.map((line) => `${line.map(cell).join(",")}\r\n`).join("")], { type: "text/csv" });
}

/** Heads of which no two are equal: a field called as one of the table's own columns is, `x`, becomes `x_`. */
function heads(own, fields) {
  const taken = new Set([...own, ...fields]);
  const renamed = fields.map((field) => {
    let name = field;
    if (own.includes(name)) while (taken.has(name)) name += "_";
    taken.add(name);
    return name;
  });
  return [...own, ...renamed];
}

/** The layouts that there are: a catalogue may lack one. */
async function loadVectors(collection) {
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

/**
 * A value as a cell; of none, and of a missing one, nothing. What a spreadsheet would run as a formula gets an apostrophe
 * in front, as OWASP advises.
 */
function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return value ? "True" : "False";
  const text = String(value);
  const safe = typeof value === "string" && FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
