// Colours by a field: one for each of the frequent words, or a ramp for numbers.

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

const STEPS = 64; // of the ramp

/** How many words have a colour of their own. */
export const WORDS_SHOWN = WORDS.length;

/** A column and the summary of its field → three bytes a row, and for words what they mean: `[[word, colour], …]`. */
export function colourRows(column, { values, min, max }) {
  return column.numeric ? ramp(column.numbers, min ?? 0, max ?? 1) : classes(column, values);
}

function classes({ codes, labels }, values) {
  /** @type {[string, string][]} */
  const entries = WORDS.slice(0, values.length).map((colour, place) => [String(values[place].value), colour]);
  const known = new Map(entries);
  const table = ["", ...labels].map((label, code) => channels((code && known.get(label)) || REST));
  return { bytes: painted(codes.length, (row) => table[codes[row]]), entries };
}

function ramp(numbers, least, most) {
  const table = Array.from({ length: STEPS }, (_, step) => mixed(step / (STEPS - 1)));
  const rest = channels(REST);
  const wide = (most - least) / (STEPS - 1) || 1;
  const place = (value) => Math.max(0, Math.min(STEPS - 1, Math.round((value - least) / wide)));
  const colour = (row) => (Number.isNaN(numbers[row]) ? rest : table[place(numbers[row])]);
  return { bytes: painted(numbers.length, colour), entries: null };
}

/** The ramp's colour at a place from 0 to 1. */
function mixed(place) {
  const at = Math.min(place * (RAMP.length - 1), RAMP.length - 1.001);
  const [from, to] = [channels(RAMP[Math.floor(at)]), channels(RAMP[Math.floor(at) + 1])];
  return from.map((value, channel) => Math.round(value + (to[channel] - value) * (at % 1)));
}

/** The ramp as CSS draws it. */
export function gradient() {
  return `linear-gradient(to right, ${RAMP.join(", ")})`;
}

function painted(count, colour) {
  const bytes = new Uint8Array(3 * count);
  for (let row = 0; row < count; row++) bytes.set(colour(row), 3 * row);
  return bytes;
}

function channels(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}
