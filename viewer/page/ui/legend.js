// What the colours mean, on the canvas as long as they mean something: words with their counts, which filter when they are
// clicked and put their pictures forward when they are pointed at; numbers as a ramp, of which a part can be swept.

import { gradient, WORDS_SHOWN } from "../data/colour_scale.js";
import { Others, withWord } from "../data/columns.js";
import { fill, find, h, icon } from "./dom.js";
import { titled, worded } from "./filter_fields.js";
import { number, t } from "../i18n/index.js";

const STILL = 4; // pixels that a click on the ramp may slip

export class Legend {
  constructor(view, filteredView) {
    this.view = view;
    this.filteredView = filteredView;

    this.drawn = null; // the colours that it tells of
    this.update = () => {};
    filteredView.addEventListener("changed", () => this.follow());
  }

  follow() {
    const { colours } = this.filteredView;
    const legend = find("legend");
    legend.hidden = !colours;
    if (colours && this.drawn !== colours) this.draw(legend, colours);
    this.drawn = colours;
    if (colours) this.update();
  }

  /** Anew, in another language. */
  again() {
    this.drawn = null;
    this.follow();
  }

  draw(legend, { name, entries }) {
    const field = this.filteredView.columns.fields.get(name);
    const made = entries ? this.words(field, entries) : this.ramp(field);
    this.update = made.update;
    legend.setAttribute("aria-label", `${t("colourBy")} ${field.layout ? titled(field) : name}`);
    fill(
      legend,
      h(
        "div",
        { class: "head" },
        h("h2", { title: field.layout ? titled(field) : name }, titled(field)),
        h(
          "button",
          {
            class: "quiet only-icon",
            "aria-label": t("noColours"),
            title: t("noColours"),
            onclick: () => this.view.change({ colour: "" }),
          },
          icon("close"),
        ),
      ),
      made.elements,
    );
  }

  words(field, entries) {
    const { view, filteredView } = this;
    const { name } = field;
    const column = filteredView.columns.fetched.get(name);
    const lines = entries.map(([value, colour]) => {
      const codes = [1 + column.labels.indexOf(value)];
      const count = h("small", {});
      const button = h("button", { class: "quiet swatch" }, swatch(colour), h("span", {}, worded(field, value)), count);
      button.addEventListener("click", () => {
        const wanted = view.state.filters.get(name);
        view.filter(name, withWord(wanted, value, !wanted?.has(value)));
      });
      this.pointed(button, name, codes);
      return { button, count, codes, value };
    });
    const named = new Set(lines.flatMap(({ codes }) => codes));
    const others = Array.from({ length: column.kinds }, (_, code) => code).filter((code) => !named.has(code));
    const [rest, restCount] = [h("button", { class: "quiet swatch rest" }), h("small", {})];
    rest.append(
      swatch("#6b7280"),
      h("span", {}, t(column.kinds > 1 + WORDS_SHOWN ? "others" : "noValueShort")),
      restCount,
    );
    this.pointed(rest, name, others);
    rest.addEventListener("click", () => {
      const wanted = view.state.filters.get(name);
      const [kept, left] = [new Set(), new Set()];
      for (const { value } of lines) (wanted?.has(value) ? kept : left).add(value);
      if (wanted instanceof Others) view.filter(name, kept.size ? kept : null);
      else view.filter(name, left.size ? new Others(left) : null);
    });
    return {
      elements: [...lines.map(({ button }) => button), has(column, others) ? rest : null],
      update: () => {
        const counts = filteredView.columns.counts(name);
        const wanted = view.state.filters.get(name);
        for (const { button, count, codes, value } of lines) {
          count.textContent = number(counts[codes[0]]);
          button.setAttribute("aria-pressed", String(wanted?.has(value) ?? false));
          button.classList.toggle("off", Boolean(wanted && !wanted.has(value)));
        }
        const left = others.reduce((sum, code) => sum + counts[code], 0);
        rest.hidden = !left && !wanted;
        rest.setAttribute("aria-pressed", String(wanted instanceof Others));
        rest.classList.toggle("off", Boolean(wanted && !(wanted instanceof Others)));
        restCount.textContent = number(left);
      },
    };
  }

  pointed(element, name, codes) {
    const { filteredView } = this;
    for (const event of ["pointerenter", "focus"])
      element.addEventListener(event, () => filteredView.emphasiseCodes(name, codes));
    for (const event of ["pointerleave", "blur"])
      element.addEventListener(event, () => filteredView.emphasiseCodes(null));
  }

  ramp(field) {
    const { view, filteredView } = this;
    const { name, min, max } = field;
    const bins = field.histogram?.counts.length ?? 1;
    const bars = Array.from({ length: bins }, () => h("i", {}));
    const swept = h("span", { class: "swept" });
    const strip = h("div", { class: "strip" });
    strip.style.background = gradient();
    const ramp = h(
      "div",
      { class: "ramp" },
      h("div", { class: "histogram", "aria-hidden": "true" }, bars),
      strip,
      swept,
    );
    const ends = [h("small", {}), h("small", {})];
    const range = () => view.state.filters.get(name) ?? [min, max];
    const show = (/** @type {number[]} */ [least, most]) => {
      const part = (value) => (100 * (Math.min(Math.max(value, min), max) - min)) / (max - min || 1);
      swept.style.left = `${part(least)}%`;
      swept.style.right = `${100 - part(most)}%`;
      ends[0].textContent = number(least);
      ends[1].textContent = number(most);
    };
    sweep(ramp, {
      moved: (from, to) => show(between(field, from, to)),
      done: (from, to) => view.filter(name, from === to ? null : between(field, from, to)),
      point: (fraction) => {
        const bin = Math.min(bins - 1, Math.floor(fraction * bins));
        filteredView.emphasiseCodes(fraction < 0 ? null : name, [1 + bin]);
      },
    });
    return {
      elements: [
        ramp,
        h("div", { class: "ends" }, ends),
        field.layout && h("p", {}, t("distortionMeans")),
        h("p", { class: "soft" }, t("sweep")),
      ],
      update: () => {
        const counts = filteredView.columns.bins(name);
        const highest = Math.max(1, ...counts);
        for (const [at, bar] of bars.entries()) bar.style.height = `${(100 * (counts[at] ?? 0)) / highest}%`;
        swept.hidden = !view.state.filters.has(name);
        show(range());
      },
    };
  }
}

/** Two fractions of a ramp, of 1 → its range of values, outwards to whole numbers where the field has no others. */
function between({ min, max, type }, from, to) {
  const values = [from, to].sort((a, b) => a - b).map((fraction) => min + fraction * (max - min));
  if (type === "integer") return [Math.floor(values[0]), Math.ceil(values[1])];
  return values.map((value) => Number(value.toPrecision(4)));
}

/** Tell where something is swept on an element: places from 0 to 1. A click without a sweep is one place. */
function sweep(element, { moved, done, point }) {
  let from = null;
  const fractionOf = ({ clientX }) => {
    const { left, width } = element.getBoundingClientRect();
    return Math.min(Math.max((clientX - left) / width, 0), 1);
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    from = { x: event.clientX, fraction: fractionOf(event) };
    element.setPointerCapture(event.pointerId);
    element.querySelector(".swept").hidden = false;
  });
  element.addEventListener("pointermove", (event) => {
    if (from) moved(Math.min(from.fraction, fractionOf(event)), Math.max(from.fraction, fractionOf(event)));
    else point(fractionOf(event));
  });
  element.addEventListener("pointerup", (event) => {
    if (!from) return;
    const still = Math.abs(event.clientX - from.x) < STILL;
    done(from.fraction, still ? from.fraction : fractionOf(event));
    from = null;
  });
  element.addEventListener("pointercancel", () => {
    from = null;
  });
  element.addEventListener("pointerleave", () => point(-1));
}

function has({ codes }, some) {
  const wanted = new Set(some);
  return codes.some((code) => wanted.has(code));
}

function swatch(colour) {
  const mark = h("i", { "aria-hidden": "true" });
  mark.style.background = colour;
  return mark;
}
