// Which rows are shown: those that no part of the view leaves out. Each filter, the isolation and the search is a part.

export class VisibleRows {
  constructor(count) {
    this.count = count;
    this.parts = new Map(); // name → 1 for each row that it leaves out
    this.missed = new Uint8Array(count); // how many parts leave a row out
    this.passing = null;
    this.version = 0; // counts what was put
  }

  /** Put a part's mask in place of its last one; null takes it away. */
  put(name, mask) {
    const before = this.parts.get(name) ?? null;
    if (before === mask) return;
    if (mask) this.parts.set(name, mask);
    else this.parts.delete(name);
    const { missed } = this;
    if (before && mask) for (let row = 0; row < missed.length; row++) missed[row] += mask[row] - before[row];
    else if (mask) for (let row = 0; row < missed.length; row++) missed[row] += mask[row];
    else for (let row = 0; row < missed.length; row++) missed[row] -= before[row];
    this.passing = null;
    this.version += 1;
  }

  /** 1 for each row that is left out. */
  get skip() {
    const skip = new Uint8Array(this.count);
    for (let row = 0; row < skip.length; row++) skip[row] = this.missed[row] ? 1 : 0;
    return skip;
  }

  /** The rows that are shown, ascending. */
  get rows() {
    if (!this.passing) {
      const rows = new Uint32Array(this.count);
      let count = 0;
      for (let row = 0; row < rows.length; row++) if (!this.missed[row]) rows[count++] = row;
      this.passing = rows.subarray(0, count);
    }
    return this.passing;
  }

  /** How often each of `kinds` codes occurs among the rows that are shown, or that only this part leaves out. */
  counts(codes, kinds, part) {
    const counts = new Uint32Array(kinds);
    const own = this.parts.get(part);
    const { missed } = this;
    if (own) {
      for (let row = 0; row < codes.length; row++) if (missed[row] === own[row]) counts[codes[row]] += 1;
    } else if (kinds <= 3) {
      // True and false, of which there may be dozens of fields: sums that are kept out of memory.
      const { rows } = this;
      let [first, second] = [0, 0];
      for (let at = 0; at < rows.length; at++) {
        const code = codes[rows[at]];
        first += code & 1;
        second += code >> 1;
      }
      counts.set([rows.length - first - second, first, second].slice(0, kinds));
    } else {
      const { rows } = this;
      for (let at = 0; at < rows.length; at++) counts[codes[rows[at]]] += 1;
    }
    return counts;
  }
}

/** Everything but these rows, as a mask. */
export function without(rows, count) {
  const mask = new Uint8Array(count).fill(1);
  for (const row of rows) if (row < count) mask[row] = 0;
  return mask;
}
