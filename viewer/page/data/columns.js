// Metadata in columns of small numbers, filters as masks, counts that follow them: among 200,000 pictures and 40 fields
// a filter takes some milliseconds.

const MISSING = 0; // the code of a picture without a value

/** A filter by words: all but these, and what has none. */
export class Others {
  /** `labels`: a Set of those that are not wanted. */
  constructor(labels) {
    this.labels = labels;
  }

  has(label) {
    return !this.labels.has(label);
  }
}

/** A filter by words, or undefined, with a word more or less → another one; null where it leaves nothing out, or nothing. */
export function withWord(wanted, label, on) {
  const isOthers = wanted instanceof Others;
  const labels = new Set(isOthers ? wanted.labels : wanted);
  if (on === isOthers) labels.delete(label);
  else labels.add(label);
  if (!labels.size) return null;
  return isOthers ? new Others(labels) : labels;
}

/** One field of all pictures: a code for each, of which those of equal values, or of values in one bin, are equal. */
class Column {
  /** From the server's summary of the field and its values by row. */
  constructor({ type, min, max, histogram, values: frequent }, { texts, values }) {
    // Integers beyond 2⁵³ come as texts: they name things, and are chosen as words are.
    if (type === "integer" && frequent) [texts, values] = numbered(values);
    this.numeric = !frequent;
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
      this.codes = /** @type {any} */ (Codes).from(values, (value) => (value === null ? MISSING : 1 + Number(value)));
    }
  }

  /** 1 for each row that is not as wanted: labels as a Set or `Others`, or `[least, most]`. */
  excludedBy(wanted) {
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

  /** 1 for each row that has one of these codes. */
  rowsWith(codes) {
    const wanted = Uint8Array.from({ length: this.kinds }, (_, code) => Number(codes.includes(code)));
    const mask = new Uint8Array(this.codes.length);
    for (let row = 0; row < mask.length; row++) mask[row] = wanted[this.codes[row]];
    return mask;
  }
}

/** Values → the different ones as texts, and each value's number among them. */
function numbered(values) {
  const indices = new Map();
  const numbers = values.map((value) => {
    if (value === null) return null;
    const text = String(value);
    if (!indices.has(text)) indices.set(text, indices.size);
    return indices.get(text);
  });
  return [[...indices.keys()], numbers];
}

/** What is known of a collection's fields, and what of it has been fetched. */
export class Columns {
  constructor(collection, fields, shown) {
    this.collection = collection;
    this.shown = shown;

    this.fields = new Map(fields.map((field) => [field.name, field]));
    this.fetched = new Map(); // name → column
    this.asked = new Map(); // name → its promise
  }

  /** Take over what is at hand of the same collection's columns before. */
  keep({ fields, fetched, asked }) {
    for (const [name, column] of fetched) {
      if (!this.fields.has(name)) this.fields.set(name, fields.get(name));
      this.fetched.set(name, column);
      this.asked.set(name, asked.get(name));
    }
  }

  /** Take a field whose values are at hand. */
  add(field, values) {
    const made = new Column(field, { texts: [], values });
    this.fields.set(field.name, field);
    this.fetched.set(field.name, made);
    this.asked.set(field.name, Promise.resolve(made));
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

  /** How often each code of a field occurs among what all but its own filter leave; null while it is unknown. */
  counts(name) {
    const column = this.fetched.get(name);
    return column ? this.shown.counts(column.codes, column.kinds, partOf(name)) : null;
  }

  /** `[label, count]` of a field of words, the most frequent of all pictures first, counted among what is left. */
  values(name, most) {
    const known = this.fields.get(name).values.slice(0, most);
    const counts = this.shown.parts.size ? this.counts(name) : null;
    const labels = this.fetched.get(name)?.labels;
    return known.map(({ value, count }) => {
      const label = String(value);
      return [label, counts ? counts[1 + labels.indexOf(label)] : count];
    });
  }

  /** How many numbers of a field lie in each bin, counted among what is left. */
  bins(name) {
    const known = this.fields.get(name).histogram?.counts ?? [];
    const counts = this.shown.parts.size ? this.counts(name) : null;
    return counts ? [...counts.subarray(1)] : known;
  }
}

/** The name of the part of the view that is a field's filter. */
export function partOf(name) {
  return `field:${name}`;
}
