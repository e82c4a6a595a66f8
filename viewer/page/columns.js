// Metadata in columns of small numbers, filters as masks, counts that follow them: among 200,000 pictures and 40 fields
// a filter takes some milliseconds.

const MISSING = 0; // the code of a picture without a value

/** One field of all pictures: a code for each, of which those of equal values, or of values in one bin, are equal. */
class Column {
  /** From the server's summary of the field and its values by row. */
  constructor({ type, min, max, histogram }, { texts, values }) {
    this.numeric = type !== "boolean" && type !== "text";
    if (this.numeric) {
      const bins = histogram?.counts.length ?? 1;
      const width = (max - min) / bins || 1;
      this.kinds = bins + 1;
      this.numbers = Float64Array.from(values, (value) => value ?? NaN);
      this.codes = Uint16Array.from(this.numbers, (value) =>
        Number.isNaN(value) ? MISSING : 1 + Math.max(0, Math.min(bins - 1, Math.floor((value - min) / width))),
      );
    } else {
      this.labels = type === "boolean" ? ["false", "true"] : texts;
      this.kinds = this.labels.length + 1;
      const Codes = this.kinds < 256 ? Uint8Array : Uint32Array;
      this.codes = Codes.from(values, (value) => (value === null ? MISSING : 1 + Number(value)));
    }
  }

  /** 1 for each row that is not as wanted: a set of labels, or `[least, most]`. */
  misses(wanted) {
    const { codes, numbers } = this;
    const missed = new Uint8Array(codes.length);
    if (this.numeric) {
      const [least, most] = wanted;
      for (let row = 0; row < missed.length; row++) missed[row] = numbers[row] >= least && numbers[row] <= most ? 0 : 1;
    } else {
      const wrong = Uint8Array.from({ length: this.kinds }, (_, code) => (wanted.has(this.labels[code - 1]) ? 0 : 1));
      for (let row = 0; row < missed.length; row++) missed[row] = wrong[codes[row]];
    }
    return missed;
  }
}

/** What is known of a collection's fields, what of it has been fetched, and which values are wanted. */
export class Columns {
  constructor(collection, fields) {
    this.collection = collection;
    this.fields = new Map(fields.map((field) => [field.name, field]));
    this.fetched = new Map(); // name → column
    this.asked = new Map(); // name → its promise
    this.filters = new Map(); // name → { wanted, missed }
    this.failed = new Uint8Array(collection.count); // how many filters a row does not pass
    this.passing = null;
  }

  /** A field's column, fetched when it is first needed. Raises `ApiError`. */
  column(name) {
    if (!this.asked.has(name)) {
      const asked = this.collection.field(name).then((answer) => {
        const made = new Column(this.fields.get(name), answer);
        this.fetched.set(name, made);
        return made;
      });
      asked.catch(() => this.asked.delete(name));
      this.asked.set(name, asked);
    }
    return this.asked.get(name);
  }

  wanted(name) {
    return this.filters.get(name)?.wanted;
  }

  /** Want some values of a field whose column is there: a set of labels, `[least, most]`, or null for all. */
  want(name, wanted) {
    const before = this.filters.get(name)?.missed;
    this.filters.delete(name);
    const after = wanted && this.fetched.get(name).misses(wanted);
    if (after) this.filters.set(name, { wanted, missed: after });
    const { failed } = this;
    for (let row = 0; row < failed.length; row++) failed[row] += (after ? after[row] : 0) - (before ? before[row] : 0);
    this.passing = null;
  }

  wantAll() {
    this.filters.clear();
    this.failed.fill(0);
    this.passing = null;
  }

  /** 1 for each row that some filter leaves out. */
  skipped() {
    return this.failed.map((count) => (count ? 1 : 0));
  }

  /** The rows that pass all filters, ascending. */
  left() {
    if (!this.passing) {
      const rows = new Uint32Array(this.failed.length);
      let count = 0;
      for (let row = 0; row < rows.length; row++) if (!this.failed[row]) rows[count++] = row;
      this.passing = rows.subarray(0, count);
    }
    return this.passing;
  }

  /** How often each code of a field occurs among the rows that pass all filters but its own; null while it is unknown. */
  counts(name) {
    const column = this.fetched.get(name);
    if (!column) return null;
    const counts = new Uint32Array(column.kinds);
    const { codes } = column;
    const own = this.filters.get(name)?.missed;
    if (own) {
      for (let row = 0; row < codes.length; row++) if (this.failed[row] === own[row]) counts[codes[row]] += 1;
    } else {
      for (const row of this.left()) counts[codes[row]] += 1;
    }
    return counts;
  }

  /** `[label, count]` of a field of words, the most frequent of all pictures first, counted among what is left. */
  values(name, most) {
    const known = this.fields.get(name).values.slice(0, most);
    const counts = this.filters.size ? this.counts(name) : null;
    const labels = this.fetched.get(name)?.labels;
    return known.map(({ value, count }) => {
      const label = String(value);
      return [label, counts ? counts[1 + labels.indexOf(label)] : count];
    });
  }

  /** How many numbers of a field lie in each bin, counted among what is left. */
  bins(name) {
    const known = this.fields.get(name).histogram?.counts ?? [];
    const counts = this.filters.size ? this.counts(name) : null;
    return counts ? [...counts.subarray(1)] : known;
  }
}
