// What is looked at, the catalogue or an upload: how many pictures, where their vectors and tilemaps lie, their names.

import * as api from "./api.js";

const NAMES_AT_ONCE = 1000;

export class Collection {
  constructor({ kind, id, name, count, reducers, base, offers }) {
    Object.assign(this, { kind, id, name, count, reducers, base, offers });
    this.records = new Map(); // row → what the server says of the picture
    this.pages = new Map();
    this.fields = [];
  }

  static catalogue({ catalogue, reducers, offers }) {
    const { name, total, demo } = catalogue;
    const made = new Collection({
      kind: "catalogue",
      id: "",
      name,
      count: total,
      reducers,
      base: "/catalogue",
      offers,
    });
    return Object.assign(made, { demo });
  }

  /** Raises `ApiError` where there is no such dataset. */
  static async dataset(id, { reducers, offers }) {
    const base = `/dataset/${id}`;
    if (!offers.facts) {
      const { total } = await api.json(`${base}/features/${reducers[0]}`);
      return new Collection({ kind: "dataset", id, name: "", count: total, reducers, base, offers });
    }
    const facts = await api.json(base);
    if (facts.status === "failed") throw new api.ApiError(facts.error ?? "", 404);
    const made = new Collection({ kind: "dataset", id, name: facts.name, count: facts.count, reducers, base, offers });
    made.facts = facts;
    // Names and neighbours come with the last results.
    if (facts.status !== "ready") made.offers = { ...offers, images: false, neighbors: false };
    made.reducers = reducers.filter((reducer) => facts.reducers.includes(reducer));
    return made;
  }

  get ranges() {
    return Math.ceil(this.count / 1000);
  }

  tilemap(range, tile) {
    const address = this.kind === "catalogue" ? `/tilemaps/${String(range).padStart(3, "0")}` : `${this.base}/tilemap`;
    return tile ? `${address}?tile=${tile}` : address;
  }

  vectors(reducer) {
    const path =
      this.kind === "catalogue" ? `/${reducer}/0/${this.ranges - 1}/standalone` : `${this.base}/features/${reducer}`;
    return api.vectors(path);
  }

  original(row) {
    return this.offers.images ? `${this.base}/images/${row}` : null;
  }

  thumbnail(row, size) {
    return this.offers.images ? `${this.base}/images/${row}/thumbnail?size=${size}` : null;
  }

  neighbors(row, count) {
    return api.json(`${this.base}/images/${row}/neighbors?k=${count}`);
  }

  /** Pictures by their rows, as far as the server tells of them: name, size, metadata. */
  async record(row) {
    if (!this.offers.images) return null;
    if (!this.records.has(row)) await this.page(Math.floor(row / NAMES_AT_ONCE));
    return this.records.get(row) ?? null;
  }

  /** What is known without asking. */
  known(row) {
    return this.records.get(row) ?? null;
  }

  page(number) {
    if (!this.pages.has(number)) {
      const asked = this.images({ offset: number * NAMES_AT_ONCE, limit: NAMES_AT_ONCE });
      asked.catch(() => this.pages.delete(number));
      this.pages.set(number, asked);
    }
    return this.pages.get(number);
  }

  /** The rows of pictures that have this in their names. Raises `ApiError`. */
  async search(text) {
    const numbers = Array.from({ length: Math.ceil(this.count / NAMES_AT_ONCE) }, (_, number) => number);
    await Promise.all(numbers.map((number) => this.page(number)));
    const wanted = text.toLocaleLowerCase();
    const found = [...this.records.values()].filter(({ name }) => name.toLocaleLowerCase().includes(wanted));
    return found.map(({ index }) => index).sort((a, b) => a - b);
  }

  /** Raises `ApiError`. */
  async images(query) {
    const answer = await api.json(`${this.base}/images?${new URLSearchParams(query)}`);
    for (const record of answer.images) this.records.set(record.index, record);
    this.fields = answer.fields ?? this.fields;
    return answer;
  }
}
