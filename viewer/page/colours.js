// Colours by a field: one for each of the frequent words, or a ramp for numbers.

import { number } from "./i18n.js";

const WORDS = [
  "#4e9af1",
  "#f28e2b",
  "#59c36a",
  "#e15759",
  "#b07aa1",
  "#edc948",
  "#76d7d2",
  "#ff9da7",
  "#9c755f",
  "#bab0ac",
];
const RAMP = ["#3b2f8f", "#2a788e", "#2fb47c", "#c8e020", "#fff275"];
const REST = "#6b7280"; // words beyond the frequent ones, and pictures without a value

/** A column and the summary of its field → three bytes a row, and what the colours mean: `[[words, colour], …]`. */
export function coloured(column, { values, min, max }) {
  return column.numeric ? ramp(column.numbers, min ?? 0, max ?? 1) : classes(column, values);
}

function classes({ codes, labels }, values) {
  const entries = WORDS.slice(0, values.length).map((colour, place) => [String(values[place].value), colour]);
  const known = new Map(entries);
  const table = ["", ...labels].map((label, code) => channels((code && known.get(label)) || REST));
  return { bytes: painted(codes.length, (row) => table[codes[row]]), entries };
}

function ramp(numbers, least, most) {
  const step = (most - least) / RAMP.length || 1;
  const table = [...RAMP, REST].map(channels);
  const place = (value) => Math.max(0, Math.min(RAMP.length - 1, Math.floor((value - least) / step)));
  return {
    bytes: painted(numbers.length, (row) => table[Number.isNaN(numbers[row]) ? RAMP.length : place(numbers[row])]),
    entries: RAMP.map((colour, at) => [`≥ ${number(least + at * step)}`, colour]),
  };
}

function painted(count, colour) {
  const bytes = new Uint8Array(3 * count);
  for (let row = 0; row < count; row++) bytes.set(colour(row), 3 * row);
  return bytes;
}

function channels(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}
