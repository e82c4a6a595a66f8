// What is looked at, written into the address: it can be sent to somebody, or opened again. Sets of rows that are too long
// for an address stay in the browser's history only, where reloading, back and forward find them.

import { Others } from "./data/columns.js";
import { comparison, frame, tellAround } from "./data/frame.js";
import { encodeRows, decodeRows } from "./data/row_sets.js";
import * as storage from "./data/storage.js";

const LONGEST = 6000; // characters of an address: servers refuse much longer ones, and mail programs cut them
const LONGEST_FRAMED = 2500; // where two stand in one
const VALUE = "is.";
const OTHER = "not.";
const RANGE = "in.";

export function read() {
  return parse(location.search, history.state ?? storage.passedRows(frameName(), location.search.slice(1)));
}

/** Another collection's address in place of this one's, which can be gone back to; "" is the catalogue's. */
export function push(id) {
  history.pushState(null, "", id ? `?dataset=${id}` : location.pathname);
}

/** The address of a page that shows a state, or without one what this address says, beside another collection. */
export function beside(state, id) {
  const { text, kept } = state ? format(state, LONGEST_FRAMED) : { text: location.search.slice(1), kept: {} };
  storage.passRows("left", text, kept);
  return comparison(text, id && `dataset=${id}`);
}

/** Show what stands in this frame alone, in the whole window. */
export function leaveFrame() {
  const query = location.search.slice(1);
  storage.passRows("", query, storage.passedRows(frameName(), query) ?? {});
  tellAround("alone");
}

function frameName() {
  return frame()?.name ?? "";
}

/** The state in the text of an address, or of a saved view; `kept` are sets of rows beside it. */
export function parse(text, kept = null) {
  const query = new URLSearchParams(text);
  const camera = (query.get("camera") ?? "").split(",").map(Number);
  const rows = (name) => decodeRows(query.get(name) ?? "") ?? kept?.[name] ?? null;
  const isDescribed = query.has("of");
  const search = query.get(isDescribed ? "of" : "find");
  return {
    dataset: query.get("dataset") ?? "",
    reducer: query.get("view") ?? "",
    split: query.get("beside") ?? "",
    mode: query.get("as") ?? "pictures",
    space: query.get("move") ?? "orbit",
    among: query.get("among") === "catalogue",
    camera: camera.length === 6 && camera.every(Number.isFinite) ? camera : null,
    picture: query.has("picture") ? Number(query.get("picture")) : -1,
    open: (query.get("open") ?? "").split(".").filter(Boolean),
    theme: query.get("theme"),
    landmarks: query.get("landmarks") !== "off",
    search: search ? { text: search, isDescribed, only: query.get("found") === "only" } : null,
    filters: filters(query),
    isolation: rows("only"),
    chosen: rows("selected") ?? [],
    colour: query.get("colour") ?? "",
    saved: query.get("saved") ?? "",
    tour: query.get("tour") ?? "",
    size: Math.min(Math.max(Number(query.get("size")) || 0, -2), 2.5),
  };
}

/** `is.kind=rose&is.kind=tulip` is a set of words, `not.kind=rose` all others, `in.size=3..9` a range. */
function filters(query) {
  const found = new Map();
  for (const [key, value] of query) {
    const name = key.slice(VALUE.length);
    if (key.startsWith(VALUE)) found.set(name, (found.get(name) ?? new Set()).add(value));
    if (key.startsWith(OTHER)) {
      const field = key.slice(OTHER.length);
      found.set(field, new Others((found.get(field)?.labels ?? new Set()).add(value)));
    }
    if (!key.startsWith(RANGE)) continue;
    const range = value.split("..").map(Number);
    if (range.length === 2 && range.every(Number.isFinite)) found.set(name, range);
  }
  return found;
}

/** Returns whether all of it stands in the address. */
export function write(state) {
  const { text, kept } = format(state, frame() ? LONGEST_FRAMED : LONGEST);
  history.replaceState(Object.keys(kept).length ? kept : null, "", text ? `?${text}` : location.pathname);
  if (frame()) storage.passRows(frameName(), location.search.slice(1), kept);
  tellAround("address");
  return Object.keys(kept).length === 0;
}

/** A state as text, and those sets of rows that would make it longer than so many characters. */
export function format(state, longest = LONGEST) {
  const query = new URLSearchParams();
  const put = (name, value, usual) => value && value !== usual && query.set(name, value);
  put("dataset", state.dataset);
  put("view", state.reducer, state.firstReducer);
  put("beside", state.split);
  put("as", state.mode, "pictures");
  put("move", state.space, "orbit");
  put("among", state.among && "catalogue");
  if (state.camera) query.set("camera", state.camera.map((value) => Number(value.toFixed(4))).join(","));
  if (state.picture >= 0) query.set("picture", state.picture);
  put("open", state.open.join("."));
  put("theme", state.theme);
  put("landmarks", state.landmarks === false && "off");
  put("colour", state.colour);
  if (state.size) query.set("size", state.size);
  put("tour", state.tour);
  put(state.search?.described ? "of" : "find", state.search?.text);
  put("found", state.search?.only && "only");
  for (const [name, wanted] of state.filters) {
    if (wanted instanceof Others) for (const value of wanted.labels) query.append(OTHER + name, value);
    else if (wanted instanceof Set) for (const value of wanted) query.append(VALUE + name, value);
    else query.set(RANGE + name, wanted.join(".."));
  }
  const kept = {};
  for (const [name, rows] of [
    ["only", state.isolation],
    ["selected", state.chosen.length ? state.chosen : null],
  ]) {
    const text = rows && encodeRows(rows);
    if (text && text.length + query.toString().length < longest) query.set(name, text);
    else if (text) kept[name] = rows;
  }
  return { text: query.toString().replaceAll("%2C", ","), kept };
}
