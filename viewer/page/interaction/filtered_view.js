// The view's state → what the cloud shows of a collection: rows that are left out, put forward and coloured. The columns
// that it takes are fetched; whoever draws from it hears "changed" whenever something of it has changed.

import { colourRows } from "../data/colour_scale.js";
import { Columns, partOf } from "../data/columns.js";
import { distortionField, fetchDistortion, layoutOf } from "../data/layout_quality.js";
import { VisibleRows, without } from "../data/visible_rows.js";

const AT_A_TIME = 3; // columns on their way

export class FilteredView extends EventTarget {
  /** `failed(error)` is told what could not be fetched. */
  constructor(viewer, view, { failed }) {
    super();
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
    this.view = view;
    this.failed = failed;

    this.leave();
    view.subscribe(() => this.apply());
  }

  leave() {
    this.collection = null;
    this.columns = null; // of a collection that has fields
    this.visible = new VisibleRows(0);
    this.masks = new Map(); // part → what it was made of, and its mask
    this.applied = {}; // what the viewer was told
    this.fetching = null; // the columns that are being fetched
    this.due = 0;
    this.colours = null; // `{ name, entries }` once they are drawn
    this.hovered = null; // 1 for each row that is put forward for a moment
  }

  /** Begin with a collection whose points are there. */
  begin(collection) {
    this.leave();
    this.collection = collection;
    this.visible = new VisibleRows(collection.isTiled ? 0 : collection.count);
  }

  /** Have a collection's fields, which filters and colours need. Resolves when they are known. */
  async offer(collection) {
    const fields = collection.offers.images && !collection.isTiled ? await collection.fields().catch(() => []) : [];
    if (this.collection !== collection) return;
    const before = this.columns;
    this.columns = fields.length ? new Columns(collection, fields, this.visible) : null;
    if (before) this.columns?.keep(before);
    this.notify();
  }

  /**
   * Have those of these fields that are measured when they are asked for: the distortions of layouts. What cannot be had
   * is told. Whoever lists fields hears "fields".
   */
  async need(names) {
    const { collection } = this;
    const goesOn = () => this.collection === collection;
    for (const name of names) {
      const layout = layoutOf(name);
      if (!layout || this.columns?.fields.has(name)) continue;
      try {
        await collection.need([layout]);
        const values = await fetchDistortion(collection, layout, goesOn);
        if (!values || !goesOn()) return;
        this.columns ??= new Columns(collection, [], this.visible);
        this.columns.add(distortionField(collection.layout(layout), values), values);
        this.dispatchEvent(new Event("fields"));
      } catch (error) {
        if (goesOn()) this.failed(error);
      }
    }
  }

  notify() {
    this.dispatchEvent(new Event("changed"));
  }

  /** Those parts of a state that this collection can show. */
  fitting({ filters = new Map(), isolation = null, search = null, chosen = [], colour = "", size = 0 }) {
    const { fields = new Map() } = this.columns ?? {};
    const fits = (wanted, field) => field && Array.isArray(wanted) === !field.values;
    return {
      search,
      size,
      filters: new Map([...filters].filter(([name, wanted]) => fits(wanted, fields.get(name)))),
      isolation: isolation && this.within(isolation),
      chosen: this.within(chosen),
      colour: fields.has(colour) ? colour : "",
    };
  }

  within(rows) {
    return Uint32Array.from(rows.filter((row) => row < this.collection.count));
  }

  apply() {
    const { viewer, visible, collection, applied } = this;
    if (!collection || viewer.collection !== collection) return;
    const { isolation, search, chosen, size } = this.view.state;
    if (applied.size !== size) viewer.setZoom(2 ** (applied.size = size));
    if (collection.isTiled) return this.notify(); // its rows are not at hand
    this.setPart("isolation", isolation, () => without(isolation, collection.count));
    this.setPart("search", search?.only ? search.rows : null, () => without(search.rows, collection.count));
    this.filters();
    if ((applied.version ?? 0) !== visible.version) viewer.rowStyles.filter(visible.skip);
    applied.version = visible.version;
    if (applied.chosen !== chosen) viewer.rowStyles.choose((applied.chosen = chosen));
    this.emphasise();
    this.colour();
    this.notify();
  }

  /** Put a part's mask where it belongs, made anew where it comes from something else than the last one. */
  setPart(name, source, make) {
    if (this.masks.get(name)?.source === source && source) return;
    if (source) this.masks.set(name, { source, mask: make() });
    else this.masks.delete(name);
    this.visible.put(name, this.masks.get(name)?.mask ?? null);
  }

  filters() {
    const { columns } = this;
    const { filters } = this.view.state;
    for (const part of [...this.masks.keys()]) {
      if (part.startsWith(partOf("")) && !filters.has(part.slice(partOf("").length))) this.setPart(part, null);
    }
    for (const [name, wanted] of columns ? filters : []) {
      const column = columns.fetched.get(name);
      if (column) this.setPart(partOf(name), wanted, () => column.excludedBy(wanted));
      else this.fetch(name);
    }
  }

  /** Have a filter's column and apply it then; a filter whose column cannot be had is taken back. */
  async fetch(name) {
    const { columns } = this;
    try {
      await columns.column(name);
      if (this.columns === columns) this.apply();
    } catch (error) {
      if (this.columns !== columns || !this.view.state.filters.has(name)) return;
      this.view.filter(name, null);
      this.failed(error);
    }
  }

  /** Resolves when all filters are applied, or taken back: what is shown is what they leave. */
  async settled() {
    const { columns } = this;
    const wanted = columns ? [...this.view.state.filters.keys()] : [];
    await Promise.allSettled(wanted.map((name) => columns.column(name)));
  }

  /** Have all columns, so that all counts follow. */
  async fetchAll() {
    const { columns } = this;
    if (this.fetching === columns) return;
    this.fetching = columns;
    const missing = [...columns.fields.keys()].filter((name) => !columns.asked.has(name));
    const next = async () => {
      while (missing.length && this.columns === columns) {
        await columns.column(missing.shift()).catch(() => null);
        if (this.columns === columns) this.notifyLater();
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, next));
    this.fetching = null;
  }

  /** Once a frame, however many columns arrive. */
  notifyLater() {
    this.due ||= requestAnimationFrame(() => {
      this.due = 0;
      this.notify();
    });
  }

  /** What stands out: what is pointed at in a legend, else what a search found, unless rows are chosen. */
  emphasise() {
    const { search, chosen } = this.view.state;
    const hits = search && !search.only && !chosen.length ? search : null;
    const source = this.hovered ?? hits;
    if (this.applied.emphasised === source) return;
    this.applied.emphasised = source;
    const mask = this.hovered ?? (hits && inverse(without(hits.rows, this.collection.count)));
    this.viewer.rowStyles.highlight(mask);
  }

  /** Put the rows forward of which a field has one of these codes; null ends it. */
  emphasiseCodes(name, codes) {
    const column = name && this.columns?.fetched.get(name);
    this.hovered = column && codes ? column.rowsWith(codes) : null;
    this.emphasise();
  }

  async colour() {
    const { columns, viewer } = this;
    const { colour } = this.view.state;
    if (this.applied.colour === colour || (colour && !columns)) return;
    this.applied.colour = colour;
    const { collection } = this;
    try {
      const column = colour && (await columns.column(colour));
      if (this.collection !== collection || this.applied.colour !== colour) return;
      const { bytes, entries } = colour ? colourRows(column, columns.fields.get(colour)) : { bytes: null };
      this.colours = colour ? { name: colour, entries } : null;
      if (bytes || viewer.rowStyles.borders) viewer.rowStyles.colour(bytes);
      this.notify();
    } catch (error) {
      if (this.collection !== collection) return;
      this.failed(error);
      this.view.change({ colour: "" });
    }
  }
}

function inverse(mask) {
  return mask.map((one) => 1 - one);
}
