// What of a collection is shown, and how: one state, told to whoever asks, whose changes can be undone. It knows nothing
// of the page: filters, isolation, search, selection, colours and the address are its clients.

const MOST_STEPS = 100; // that can be undone

/**
 * A state is never changed, only replaced:
 * `filters`: a Map of a field's name → a Set of its values as words, `Others` than these, or `[least, most]`;
 * `isolation`: the only rows that are shown, an ascending Uint32Array, or null;
 * `search`: `{ text, rows, only, described }`: what a search found, ascending, whether the others are hidden, and, where the
 * text describes pictures, `{ rows, similarities }`, the best first; or null;
 * `chosen`: the selected rows, an ascending Uint32Array;
 * `colour`: the field that colours tell apart, or "";
 * `size`: of the pictures, as a power of two.
 */
const BEGINNING = Object.freeze({
  filters: new Map(),
  isolation: null,
  search: null,
  chosen: new Uint32Array(),
  colour: "",
  size: 0,
});

export class ViewState {
  constructor() {
    this.listeners = new Set();
    this.begin();
  }

  /** A collection's first state, from an address or as usual. Nothing before it can be undone. */
  begin(state = {}) {
    this.state = Object.freeze({ ...BEGINNING, ...state });
    this.past = [];
    this.future = [];
    this.run = null;
    this.notify(null);
  }

  /** `heard(state, before)` after each change; `before` is null at a beginning. Returns what ends it. */
  subscribe(heard) {
    this.listeners.add(heard);
    return () => this.listeners.delete(heard);
  }

  notify(before) {
    for (const heard of this.listeners) heard(this.state, before);
  }

  /** Replace parts of the state. Changes of one `run` that follow each other are one step back. */
  change(parts, { run = null } = {}) {
    const before = this.state;
    const next = Object.freeze({ ...before, ...parts });
    if (Object.keys(next).every((name) => same(next[name], before[name]))) return;
    if (run === null || run !== this.run) this.past = [...this.past, before].slice(-MOST_STEPS);
    this.run = run;
    this.future = [];
    this.state = next;
    this.notify(before);
  }

  undo() {
    this.step(this.past, this.future);
  }

  redo() {
    this.step(this.future, this.past);
  }

  step(from, to) {
    if (!from.length) return;
    const before = this.state;
    to.push(before);
    this.state = from.pop();
    this.run = null;
    this.notify(before);
  }

  /** Want some values of a field, or, with null, all. */
  filter(name, wanted) {
    const filters = new Map(this.state.filters);
    if (wanted) filters.set(name, wanted);
    else filters.delete(name);
    this.change({ filters });
  }

  /** Show these rows only, or, with null, all that filters and search leave. */
  isolate(rows) {
    this.change({ isolation: rows && ascending(rows) });
  }

  /** What a search found; null ends it. `only` hides the others; `described` tells how well the text describes each. */
  found(text, rows, { only = false, described = null } = {}) {
    this.change({ search: rows && { text, rows: ascending(rows), only, described } }, { run: only ? null : "search" });
  }

  /** Whether the search's hits are the only ones that are shown. */
  onlyFound(only) {
    const { search } = this.state;
    if (search) this.change({ search: { ...search, only } });
  }

  choose(rows) {
    this.change({ chosen: ascending(rows) });
  }

  /** Hide nothing. What is marked and coloured stays so. */
  showAll() {
    const { search } = this.state;
    this.change({ filters: BEGINNING.filters, isolation: null, search: search && { ...search, only: false } });
  }

  /** Whether anything may be hidden. */
  get isNarrowed() {
    const { filters, isolation, search } = this.state;
    return filters.size > 0 || isolation !== null || Boolean(search?.only);
  }
}

function ascending(rows) {
  return Uint32Array.from(new Set(rows)).sort();
}

function same(a, b) {
  if (a === b) return true;
  if (a instanceof Map && b instanceof Map) {
    return a.size === b.size && [...a].every(([name, value]) => same(value, b.get(name)));
  }
  if (a instanceof Set && b instanceof Set) return a.size === b.size && [...a].every((value) => b.has(value));
  if (a?.labels && b?.labels) return same(a.labels, b.labels);
  if (a?.length !== undefined && b?.length !== undefined && typeof a !== "string") {
    return a.length === b.length && a.every((value, at) => value === b[at]);
  }
  return false;
}
