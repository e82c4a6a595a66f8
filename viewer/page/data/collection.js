// What is looked at, the catalogue or an upload: how many pictures, where their vectors and tilemaps lie, their names.

import * as api from "./api.js";

const CATALOGUE = /^[0-9a-f]{16}(-2)?$/; // ids of uploads are longer
const FEW = 20; // records around one that is asked for
const MANY = 1000; // as many as the server tells at once
const FOUND_AT_ONCE = 60; // whose names are fetched with their rows

export class Collection {
  constructor({ kind, id, name, count, reducers, base, offers }) {
    this.kind = kind;
    this.id = id;
    this.name = name;
    this.count = count;
    this.reducers = reducers;
    this.base = base;
    this.offers = offers;

    this.reference = reducers[0]; // the layout that all others are turned onto
    this.facts = null; // what the service says of an upload
    this.growsAt = null; // where pictures are sent that are added to a catalogue; null where none can be
    this.demo = false;
    this.tiled = []; // layouts that are loaded as tiles of points, where there are too many to load them whole
    this.lacksClusters = false; // once its fields were asked for: whether clusters could be computed
    this.layouts = []; // what the service says of each, once it was asked
    this.records = new Map(); // row → what the server says of the picture
    this.pages = new Map();
  }

  static catalogue({ catalogue, reducers, offers }) {
    const { name, total, demo, text_search: text, add: growsAt, points: tiled = [] } = catalogue;
    const made = new Collection({
      kind: "catalogue",
      id: "",
      name,
      count: total,
      reducers,
      base: "/catalogue",
      offers: { ...offers, text },
    });
    return Object.assign(made, { demo, growsAt, tiled });
  }

  /** What has this id, an upload or a catalogue; the installed catalogue without one. Raises `ApiError`. */
  static open(id, facts) {
    if (!id) return Collection.catalogue(facts);
    return CATALOGUE.test(id) ? Collection.beside(id, facts) : Collection.dataset(id, facts);
  }

  /** A catalogue that is read by its id. Raises `ApiError` where there is none. */
  static async beside(id, { reducers, offers }) {
    const { catalogues } = await api.json("/catalogues");
    const found = catalogues.find((one) => one.id === id);
    if (!found) throw new api.ApiError("", 404);
    const { name, total, demo, add: growsAt, points: tiled = [] } = found;
    const made = new Collection({
      kind: "catalogue",
      id,
      name,
      count: total,
      reducers,
      base: `/dataset/${id}`,
      offers,
    });
    return Object.assign(made, { demo, growsAt, tiled });
  }

  /** Raises `ApiError` where there is no such dataset. */
  static async dataset(id, { reducers, offers }) {
    const base = `/dataset/${id}`;
    if (!offers.facts) {
      const { total } = await api.json(`${base}/features/${reducers[0]}`);
      return new Collection({ kind: "dataset", id, name: "", count: total, reducers, base, offers });
    }
    const facts = await api.json(base);
    if (facts.status === "failed") throw api.ApiError.of(facts.problem ?? { error: facts.error }, 400);
    const made = new Collection({ kind: "dataset", id, name: facts.name, count: facts.count, reducers, base, offers });
    made.facts = facts;
    made.offers = { ...offers, text: facts.text_search };
    // Names and neighbours come with the last results.
    if (facts.status !== "ready") made.offers = { ...made.offers, images: false, neighbors: false };
    made.reducers = reducers.filter((reducer) => facts.reducers.includes(reducer));
    return made;
  }

  /** Whether it is the catalogue that calls without an id are about. */
  get isInstalled() {
    return this.base === "/catalogue";
  }

  /** Where pictures are sent that are to be added to it; null where none can be. */
  get add() {
    return this.facts ? (this.facts.links.add ?? null) : this.growsAt;
  }

  get ranges() {
    return Math.ceil(this.count / 1000);
  }

  tilemap(range, tile) {
    const tilemaps = this.isInstalled ? "/tilemaps" : `${this.base}/tilemaps`;
    // An upload of one range is asked for as every server has it.
    const single = this.kind === "dataset" && this.ranges === 1;
    const address = single ? `${this.base}/tilemap` : `${tilemaps}/${String(range).padStart(3, "0")}`;
    return tile ? `${address}?tile=${tile}` : address;
  }

  /** Ask which layouts there are, and what others can be made. Raises `ApiError`. */
  async fetchLayouts() {
    const answer = await api.json(`${this.base}/layouts`);
    this.layouts = answer.layouts;
    return answer;
  }

  /** Whether it is a layout beside the reducers' that is there. */
  hasFurther(name) {
    return this.layouts.some((one) => one.name === name && one.status === "ready") && !this.reducers.includes(name);
  }

  /** Whether it is any layout that is there, as far as is known. */
  has(name) {
    return this.reducers.includes(name) || this.hasFurther(name);
  }

  /** Ask for what is known of layouts, where one of these is none of the reducers'. */
  async need(names) {
    if (names.some((name) => name && !this.has(name))) await this.fetchLayouts().catch(() => null);
  }

  /** What is known of a layout: its kind and parameters. */
  layout(name) {
    return this.layouts.find((one) => one.name === name) ?? { name, kind: name, parameters: {} };
  }

  isPlane(name) {
    return this.layouts.some((one) => one.name === name && one.dimensions === 2);
  }

  async vectors(reducer) {
    if (this.hasFurther(reducer)) {
      const rows = await api.vectors(`${this.base}/layouts/${reducer}`);
      return this.isPlane(reducer) ? inSpace(rows) : rows;
    }
    return this.kind === "catalogue"
      ? this.rangeVectors(reducer, 0, this.ranges - 1)
      : api.vectors(`${this.base}/features/${reducer}`);
  }

  /** The vectors of the ranges from `first` to `last`, both inclusive. Raises `ApiError`. */
  rangeVectors(reducer, first, last) {
    const before = this.isInstalled ? "" : this.base;
    return api.vectors(`${before}/${reducer}/${first}/${last}/standalone`);
  }

  /** Whether it has so many pictures that only some of their points are in memory. */
  get isTiled() {
    return this.tiled.length > 0;
  }

  /** Which tiles of points a layout has. Raises `ApiError`. */
  pointIndex(layout) {
    return api.json(`${this.base}/points/${layout}`);
  }

  /** Some bytes of them. Raises `ApiError`. */
  pointNodes(layout, digest, first, last) {
    return api.part(`${this.base}/points/${layout}/${digest}`, first, last);
  }

  /** Where one picture lies in a layout, `(3,)` in the server's numbers. Raises `ApiError`. */
  async placeOf(layout, row) {
    const found = await api.vectors(`${this.base}/layouts/${layout}`, { offset: String(row), limit: "1" });
    return found.length === 2 ? inSpace(found) : found;
  }

  original(row) {
    return this.offers.images ? `${this.base}/images/${row}` : null;
  }

  thumbnail(row, size) {
    return this.offers.images ? `${this.base}/images/${row}/thumbnail?size=${size}` : null;
  }

  /** Where all of it is to be had as one ZIP, or null. */
  get archive() {
    const complete = this.isInstalled || this.facts?.status === "ready";
    return this.offers.export && complete ? `${this.base}/export` : null;
  }

  /** The cloud as a file for other programs, `glb` or `parquet`, where a layout puts it; null if it is not to be had. */
  cloudFile(suffix, layout) {
    return this.archive && this.count <= (this.offers.files ?? 0) ? `${this.archive}.${suffix}?layout=${layout}` : null;
  }

  neighbors(row, count) {
    return api.json(`${this.base}/images/${row}/neighbors?k=${count}`);
  }

  /** Pictures by their rows, as far as the server tells of them: name, size, metadata. */
  async record(row) {
    if (!this.offers.images) return null;
    if (!this.records.has(row)) await this.page(Math.floor(row / FEW), FEW);
    return this.records.get(row) ?? null;
  }

  /** What is known without asking. */
  cachedRecord(row) {
    return this.records.get(row) ?? null;
  }

  /** The records of these rows, as far as they can be had. */
  async fetchRecords(rows) {
    if (!this.offers.images) return;
    const numbers = new Set([...rows].filter((row) => !this.records.has(row)).map((row) => Math.floor(row / MANY)));
    await Promise.all([...numbers].map((number) => this.page(number, MANY).catch(() => null)));
  }

  page(number, size) {
    const key = `${size}:${number}`;
    if (!this.pages.has(key)) {
      const asked = this.images({ offset: number * size, limit: size });
      asked.catch(() => this.pages.delete(key));
      this.pages.set(key, asked);
    }
    return this.pages.get(key);
  }

  /** The rows of pictures that have this in their names, and what is told of the first ones. Raises `ApiError`. */
  async search(text) {
    const [{ rows }] = await Promise.all([
      api.json(`${this.base}/images/rows?${new URLSearchParams({ search: text })}`),
      this.images({ search: text, limit: FOUND_AT_ONCE }),
    ]);
    return rows;
  }

  /** The rows of pictures of exactly this name. Raises `ApiError`. */
  async named(name) {
    const found = [];
    for (let offset = 0, total = 1; offset < total; offset += MANY) {
      const answer = await this.images({ search: name, offset, limit: MANY });
      found.push(...answer.images.filter((record) => record.name === name).map(({ index }) => index));
      total = answer.total;
    }
    return found;
  }

  /** The pictures that a text describes best: `{ rows, similarities }`, the best first. Raises `ApiError`. */
  async described(text, count) {
    const where = this.isInstalled ? "catalogue" : this.id;
    const { neighbors } = await api.json(`/search?${new URLSearchParams({ text, in: where, k: String(count) })}`);
    const rows = neighbors.map(({ index }) => index);
    await this.fetchRecords(rows);
    return { rows, similarities: neighbors.map(({ similarity }) => similarity) };
  }

  /** What is known of each field: its type, how its values are spread. Raises `ApiError`. */
  async fields() {
    // Clusters that were computed since it was last asked are fields too.
    const answer = await api.json(`${this.base}/images/fields`, { cache: "no-cache" });
    this.lacksClusters = Boolean(answer.lacks_clusters);
    return answer.fields;
  }

  /** One field of all pictures: `{ values, texts }`. Raises `ApiError`. */
  field(name) {
    return api.json(`${this.base}/images/fields/${encodeURIComponent(name)}`);
  }

  /** Raises `ApiError`. */
  async images(query) {
    const answer = await api.json(`${this.base}/images?${new URLSearchParams(query)}`);
    for (const record of answer.images) this.records.set(record.index, record);
    return answer;
  }
}

/** `(n, 2)` → `(n, 3)`, all at the depth 0. */
export function inSpace(rows) {
  const all = new Float32Array((rows.length / 2) * 3);
  for (let from = 0, to = 0; from < rows.length; from += 2, to += 3) all.set(rows.subarray(from, from + 2), to);
  return all;
}
