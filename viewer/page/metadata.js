// What else is known of the pictures: a panel of filters whose counts follow each other, and colours by one field.

import { coloured } from "./colours.js";
import { Columns } from "./columns.js";
import { fill, find, h } from "./dom.js";
import { many, number, t } from "./i18n.js";
import { heading } from "./panels.js";

const MOST_VALUES = 30; // of a field, as boxes to tick
const AT_A_TIME = 3; // columns on their way

export class Metadata {
  /** `told(words)` what is left, `failed(error)` what could not be fetched. */
  constructor(stage, { told, failed }) {
    Object.assign(this, { stage, told, failed });
    this.reset();
  }

  reset() {
    this.columns = null;
    this.hoped = new Map(); // name → what is wanted of it, be its column there or on its way
    this.typing = false; // whether there is a number that is not entered yet: drawing would lose it
    this.due = false;
    find("filters").hidden = true;
    find("filters-open").hidden = true;
    find("colour-row").hidden = true;
    find("legend").hidden = true;
  }

  /** Offer what a collection's fields allow; nothing where it has none. */
  async offer(collection) {
    this.reset();
    if (!collection.offers.images) return;
    const fields = await collection.fields().catch(() => []);
    if (!fields.length || this.stage.collection !== collection) return;
    this.columns = new Columns(collection, fields);
    find("filters-open").hidden = false;
    find("colour-row").hidden = false;
    fill(
      find("colour"),
      h("option", { value: "" }, t("nothing")),
      fields.map(({ name }) => h("option", { value: name }, name)),
    );
  }

  toggle() {
    const panel = find("filters");
    if (!panel.hidden) return this.close();
    this.draw();
    panel.hidden = false;
    find("filters-open").setAttribute("aria-expanded", "true");
    panel.focus({ preventScroll: true });
  }

  close() {
    find("filters").hidden = true;
    find("filters-open").setAttribute("aria-expanded", "false");
  }

  /** Want some values of a field, or, with null, all of them. The others' counts follow as their columns arrive. */
  async want(name, wanted) {
    const { columns, hoped } = this;
    hoped.set(name, wanted);
    try {
      await columns.column(name);
      if (this.columns !== columns) return;
      columns.want(name, hoped.get(name));
      this.apply();
      await this.fetchAll(columns);
    } catch (error) {
      if (this.columns !== columns) return;
      hoped.delete(name);
      this.later();
      this.failed(error);
    }
  }

  wanted(name) {
    return this.hoped.has(name) ? this.hoped.get(name) : this.columns.wanted(name);
  }

  async fetchAll(columns) {
    const missing = [...columns.fields.keys()].filter((name) => !columns.asked.has(name));
    const next = async () => {
      while (missing.length && this.columns === columns) {
        await columns.column(missing.shift());
        if (this.columns === columns) this.later();
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, next));
  }

  apply() {
    const { columns } = this;
    const skip = columns.skipped();
    this.stage.filter(skip);
    this.told(columns.filters.size ? `${many("count", columns.left().length)} / ${number(skip.length)}` : "");
    this.draw();
  }

  /** Once a frame, however many columns arrive. */
  later() {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => {
      this.due = false;
      if (this.columns && !find("filters").hidden) this.draw();
    });
  }

  draw() {
    if (this.typing) return;
    const panel = find("filters");
    const top = panel.scrollTop;
    const focused = document.activeElement?.dataset?.key;
    const { columns } = this;
    fill(
      panel,
      heading(t("filter"), () => this.close()),
      [...columns.fields.values()].map((field) => (field.values ? this.values(field) : this.histogram(field))),
      columns.filters.size > 0 &&
        h(
          "button",
          {
            class: "more",
            onclick: () => {
              this.hoped.clear();
              columns.wantAll();
              this.apply();
            },
          },
          t("showAll"),
        ),
    );
    panel.scrollTop = top;
    if (focused) panel.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  values({ name }) {
    const wanted = this.wanted(name);
    const known = this.columns.values(name, MOST_VALUES);
    const most = Math.max(1, ...known.map(([, count]) => count));
    return h(
      "fieldset",
      { class: "values" },
      h("legend", {}, name),
      known.map(([value, count]) => {
        const input = h("input", { type: "checkbox", checked: wanted?.has(value), "data-key": `${name}=${value}` });
        input.addEventListener("change", () => {
          const set = new Set(this.wanted(name) ?? []);
          if (input.checked) set.add(value);
          else set.delete(value);
          this.want(name, set.size ? set : null);
        });
        const bar = h("i", { class: "bar", "aria-hidden": "true" });
        bar.style.width = `${(100 * count) / most}%`;
        return h("label", {}, input, h("span", {}, value), h("small", {}, number(count)), bar);
      }),
    );
  }

  histogram({ name, min, max }) {
    if (min === undefined) return null; // no picture has a value
    const bins = this.columns.bins(name);
    const highest = Math.max(1, ...bins);
    const [from, to] = this.wanted(name) ?? [min, max];
    const inputs = [from, to].map((value, end) =>
      h("input", {
        type: "number",
        value: String(value),
        step: "any",
        "aria-label": `${name} ${end ? "≤" : "≥"}`,
        "data-key": `${name}:${end}`,
        oninput: () => {
          this.typing = true;
        },
        onblur: () => {
          if (this.typing) this.later();
          this.typing = false;
        },
        onchange: () => {
          this.typing = false;
          const range = inputs.map((input, at) => (input.value === "" ? [min, max][at] : Number(input.value)));
          this.want(name, range[0] <= min && range[1] >= max ? null : range);
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
    const { columns } = this;
    legend.hidden = true;
    if (!name) return this.stage.colour(null);
    try {
      const { bytes, entries } = coloured(await columns.column(name), columns.fields.get(name));
      if (this.columns !== columns || find("colour").value !== name) return;
      this.stage.colour(bytes);
      legend.hidden = false;
      fill(
        legend,
        entries.map(([words, colour]) => {
          const swatch = h("i", {});
          swatch.style.background = colour;
          return h("span", { class: "swatch" }, swatch, words);
        }),
      );
    } catch (error) {
      if (this.columns === columns) this.failed(error);
    }
  }
}
