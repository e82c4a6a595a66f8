// What else is known of the pictures: filters whose counts follow each other, and colours by one field.

import { fill, find, h } from "./dom.js";
import { many, number, t } from "./i18n.js";
import { heading } from "./panels.js";

const MOST_PICTURES = 30_000; // whose metadata the page holds
const MOST_VALUES = 30; // of a field, as boxes to tick
const BINS = 24;
const COLOURS = [
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

export class Metadata {
  constructor(stage, told) {
    this.stage = stage;
    this.told = told;
    this.reset();
  }

  reset() {
    this.fields = [];
    this.rows = null;
    this.chosen = new Map(); // field → a set of values, or [least, most]
    find("filters").hidden = true;
    find("filters-open").hidden = true;
    find("colour-row").hidden = true;
    find("legend").hidden = true;
  }

  /** Offer what a collection's fields allow; nothing where it has none. */
  async offer(collection) {
    this.reset();
    if (!collection.offers.images || collection.count > MOST_PICTURES) return;
    const first = await collection.page(0).catch(() => null);
    if (!first?.fields?.length || this.stage.collection !== collection) return;
    this.collection = collection;
    this.fields = first.fields;
    find("filters-open").hidden = false;
    find("colour-row").hidden = false;
    fill(
      find("colour"),
      h("option", { value: "" }, t("nothing")),
      this.fields.map(({ name }) => h("option", { value: name }, name)),
    );
  }

  /** Every picture's metadata, fetched when they are first needed. */
  async all() {
    if (!this.rows) {
      const pages = Array.from({ length: this.collection.ranges }, (_, page) => this.collection.page(page));
      await Promise.all(pages);
      this.rows = Array.from({ length: this.collection.count }, (_, row) => this.collection.known(row)?.metadata ?? {});
    }
    return this.rows;
  }

  async open() {
    const panel = find("filters");
    if (!panel.hidden) return this.close();
    await this.all();
    this.draw();
    panel.hidden = false;
    find("filters-open").setAttribute("aria-expanded", "true");
    panel.focus({ preventScroll: true });
  }

  close() {
    find("filters").hidden = true;
    find("filters-open").setAttribute("aria-expanded", "false");
  }

  passes(metadata, name) {
    const wanted = this.chosen.get(name);
    const value = metadata[name];
    if (!wanted) return true;
    if (wanted instanceof Set) return wanted.has(String(value));
    return typeof value === "number" && value >= wanted[0] && value <= wanted[1];
  }

  /** The rows that pass every filter but one: what that one's counts are counted in. */
  without(name) {
    const others = [...this.chosen.keys()].filter((other) => other !== name);
    return this.rows.filter((metadata) => others.every((other) => this.passes(metadata, other)));
  }

  apply() {
    const skip = new Uint8Array(this.collection.count);
    const names = [...this.chosen.keys()];
    this.rows.forEach((metadata, row) => {
      skip[row] = names.every((name) => this.passes(metadata, name)) ? 0 : 1;
    });
    this.stage.filter(skip);
    const left = skip.length - skip.reduce((sum, value) => sum + value, 0);
    this.told(names.length ? `${many("count", left)} / ${number(skip.length)}` : "");
    this.draw();
  }

  draw() {
    const panel = find("filters");
    const top = panel.scrollTop;
    const focused = document.activeElement?.dataset?.key;
    fill(
      panel,
      heading(t("filter"), () => this.close()),
      this.fields.map((field) => this.field(field)),
      this.chosen.size > 0 &&
        h(
          "button",
          {
            class: "more",
            onclick: () => {
              this.chosen.clear();
              this.apply();
            },
          },
          t("showAll"),
        ),
    );
    panel.scrollTop = top;
    if (focused) panel.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  field({ name, type }) {
    const known = this.without(name).map((metadata) => metadata[name]);
    if (type === "boolean" || type === "text") return this.values(name, known);
    return this.histogram(name, known);
  }

  values(name, known) {
    const counts = new Map();
    for (const row of this.rows) if (row[name] !== undefined && row[name] !== null) counts.set(String(row[name]), 0);
    for (const value of known) if (counts.has(String(value))) counts.set(String(value), counts.get(String(value)) + 1);
    const order = [...counts].sort((a, b) => b[1] - a[1]).slice(0, MOST_VALUES);
    const wanted = this.chosen.get(name);
    const most = Math.max(1, ...order.map(([, count]) => count));
    return h(
      "fieldset",
      { class: "values" },
      h("legend", {}, name),
      order.map(([value, count]) => {
        const input = h("input", { type: "checkbox", checked: wanted?.has(value), "data-key": `${name}=${value}` });
        input.addEventListener("change", () => {
          const set = new Set(this.chosen.get(name) ?? []);
          if (input.checked) set.add(value);
          else set.delete(value);
          if (set.size) this.chosen.set(name, set);
          else this.chosen.delete(name);
          this.apply();
        });
        const bar = h("i", { class: "bar", "aria-hidden": "true" });
        bar.style.width = `${(100 * count) / most}%`;
        return h("label", {}, input, h("span", {}, value), h("small", {}, number(count)), bar);
      }),
    );
  }

  histogram(name, known) {
    const all = this.rows.map((row) => row[name]).filter((value) => typeof value === "number");
    const [least, most] = all.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
    const bins = new Array(BINS).fill(0);
    const width = (most - least) / BINS || 1;
    for (const value of known) {
      if (typeof value === "number") bins[Math.min(BINS - 1, Math.floor((value - least) / width))] += 1;
    }
    const highest = Math.max(1, ...bins);
    const [from, to] = this.chosen.get(name) ?? [least, most];
    const inputs = [from, to].map((value, end) =>
      h("input", {
        type: "number",
        value: String(value),
        step: "any",
        "aria-label": `${name} ${end ? "≤" : "≥"}`,
        "data-key": `${name}:${end}`,
        onchange: () => {
          const range = inputs.map((input, at) => (input.value === "" ? [least, most][at] : Number(input.value)));
          if (range[0] <= least && range[1] >= most) this.chosen.delete(name);
          else this.chosen.set(name, range);
          this.apply();
        },
      }),
    );
    const bars = bins.map((count) => {
      const bar = h("i", {});
      bar.style.height = `${(100 * count) / highest}%`;
      return bar;
    });
    return h(
      "fieldset",
      { class: "values" },
      h("legend", {}, name),
      h("div", { class: "histogram", "aria-hidden": "true" }, bars),
      h("div", { class: "between" }, inputs[0], "–", inputs[1]),
    );
  }

  /** Colour each picture's border, and each dot, by a field; "" for none. */
  async colour(name) {
    const legend = find("legend");
    legend.hidden = !name;
    if (!name) return this.stage.colour(null);
    const values = (await this.all()).map((metadata) => metadata[name]);
    const numeric = !["boolean", "text"].includes(this.fields.find((field) => field.name === name).type);
    const { paint, entries } = numeric ? ramp(values) : classes(values);
    const bytes = new Uint8Array(3 * values.length);
    values.forEach((value, row) => bytes.set(channels(paint(value)), 3 * row));
    this.stage.colour(bytes);
    fill(
      legend,
      entries.map(([words, colour]) => {
        const swatch = h("i", {});
        swatch.style.background = colour;
        return h("span", { class: "swatch" }, swatch, words);
      }),
    );
  }
}

const GREY = "#6b7280";

function classes(values) {
  const counts = new Map();
  for (const value of values) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  const order = [...counts].sort((a, b) => b[1] - a[1]).map(([value]) => value);
  const colours = new Map(order.slice(0, COLOURS.length).map((value, place) => [value, COLOURS[place]]));
  return { paint: (value) => colours.get(String(value)) ?? GREY, entries: [...colours] };
}

function ramp(values) {
  const known = values.filter((value) => typeof value === "number").sort((a, b) => a - b);
  const [least, most] = [known[0] ?? 0, known.at(-1) ?? 1];
  const paint = (value) => {
    if (typeof value !== "number") return GREY;
    return RAMP[Math.min(RAMP.length - 1, Math.floor((RAMP.length * (value - least)) / (most - least || 1)))];
  };
  const step = (most - least) / RAMP.length;
  return { paint, entries: RAMP.map((colour, place) => [`≥ ${number(least + place * step)}`, colour]) };
}

function channels(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}
