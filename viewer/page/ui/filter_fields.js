// One field of the metadata as something to filter by: two values in a row, words as boxes to tick, numbers as a histogram
// and its ends. Each is made once, and brought up to date whenever the view has changed.

import { withWord } from "../data/columns.js";
import { h, icon } from "./dom.js";
import { titleOf } from "./layout_names.js";
import { number, t } from "../i18n/index.js";

const MOST_VALUES = 30; // of a field, as boxes to tick

/** A label of a field of words, or of true and false, as people read it. A cluster's number has a word for it. */
export function worded(field, label) {
  if (field.words) return field.words.get(label) ?? label;
  return field.type === "boolean" ? t(label === "true" ? "yes" : "no") : label;
}

/** A field's name as people read it. */
export function titled({ name, words, layout }) {
  if (layout) return t("distortionOf", { layout: titleOf(layout) });
  if (words) return name === "cluster" ? t("clusters") : t("finerClusters", { n: name.split(".")[1] });
  return name.replaceAll("_", " ");
}

/**
 * A field's element and what brings it up to date, `{ element, update }`. `columns` knows its counts, `wanted(name)` its
 * filter, `filter(name, wanted)` sets it, `opened` are the names of the fields that are unfolded, `colour` is told and
 * asked by `colours(name)` and `colour(name)`.
 */
export function field(known, actions) {
  if (known.type === "boolean") return yesOrNo(known, actions);
  return folded(known, known.values ? words(known, actions) : numbers(known, actions), actions);
}

function yesOrNo(known, actions) {
  const { name } = known;
  const labels = ["true", "false"].map((value) => choice(known, value, actions));
  const colour = palette(name, actions);
  const title = h("span", { class: "name", title: name }, titled(known));
  return {
    element: h(
      "div",
      { class: "field two", role: "group", "aria-label": name },
      title,
      labels.map((label) => label.element),
      colour.element,
    ),
    update() {
      const counts = new Map(actions.columns.values(name, 2));
      for (const label of labels) label.update(counts.get(label.value) ?? 0);
      colour.update();
    },
  };
}

function folded(known, inside, actions) {
  const { name } = known;
  const colour = palette(name, actions);
  const mark = h("span", { class: "set" });
  const element = h(
    "details",
    { open: actions.opened.has(name) || actions.wanted(name) !== undefined },
    h("summary", {}, h("span", { class: "name", title: name }, titled(known)), mark),
    inside.element,
  );
  element.addEventListener("toggle", () => {
    if (element.open) actions.opened.add(name);
    else actions.opened.delete(name);
    if (element.open) inside.update();
  });
  return {
    element: h("div", { class: "field fold" }, element, colour.element),
    update() {
      mark.textContent = actions.wanted(name) === undefined ? "" : "●";
      colour.update();
      if (element.open) inside.update();
    },
  };
}

function words(known, actions) {
  const { name } = known;
  const list = known.values.slice(0, MOST_VALUES).map(({ value }) => choice(known, String(value), actions));
  const bars = list.map(({ element }) => {
    const bar = h("i", { class: "bar", "aria-hidden": "true" });
    element.append(bar);
    return bar;
  });
  const unlisted = known.values.length - list.length;
  return {
    element: h(
      "fieldset",
      { class: "values" },
      h("legend", { class: "unseen" }, name),
      list.map(({ element }) => element),
      unlisted > 0 && h("p", { class: "soft" }, t("moreValues", { n: number(unlisted) })),
    ),
    update() {
      const counts = actions.columns.values(name, MOST_VALUES);
      const most = Math.max(1, ...counts.map(([, count]) => count));
      for (const [at, [, count]] of counts.entries()) {
        list[at].update(count);
        bars[at].style.width = `${(100 * count) / most}%`;
      }
    },
  };
}

/** One value as a box to tick, with how often it occurs. */
function choice(known, value, { wanted, filter }) {
  const { name } = known;
  const input = h("input", { type: "checkbox", "data-key": `${name}=${value}` });
  input.addEventListener("change", () => {
    filter(name, withWord(wanted(name), value, input.checked));
  });
  const count = h("small", {});
  return {
    value,
    element: h("label", {}, input, h("span", { title: value }, worded(known, value)), count),
    update(n) {
      count.textContent = number(n);
      input.checked = wanted(name)?.has(value) ?? false;
    },
  };
}

function numbers({ name, min, max, histogram }, { columns, wanted, filter }) {
  if (min === undefined) return { element: h("p", { class: "soft" }, t("noValue")), update() {} };
  const inputs = [0, 1].map((end) =>
    h("input", {
      type: "number",
      step: "any",
      "aria-label": `${name} ${end ? "≤" : "≥"}`,
      "data-key": `${name}:${end}`,
      onchange: () => {
        const range = inputs.map((input, at) => (input.value === "" ? [min, max][at] : Number(input.value)));
        filter(name, range[0] <= min && range[1] >= max ? null : range);
      },
    }),
  );
  let shownRange = []; // what the inputs were last made to say: what differs is being typed, and stays
  const bars = (histogram?.counts ?? []).map(() => h("i", {}));
  return {
    element: h(
      "fieldset",
      { class: "values" },
      h("legend", { class: "unseen" }, name),
      h("div", { class: "histogram", "aria-hidden": "true" }, bars),
      h("div", { class: "between" }, inputs[0], "–", inputs[1]),
    ),
    update() {
      const counts = columns.bins(name);
      const highest = Math.max(1, ...counts);
      for (const [at, count] of counts.entries()) bars[at].style.height = `${(100 * count) / highest}%`;
      const range = (wanted(name) ?? [min, max]).map(String);
      for (const [end, input] of inputs.entries()) if (range[end] !== shownRange[end]) input.value = range[end];
      shownRange = range;
    },
  };
}

function palette(name, { colours, colour }) {
  const element = h(
    "button",
    { class: "quiet only-icon palette", "aria-label": `${t("colourBy")} ${name}`, title: t("colourBy") },
    icon("palette"),
  );
  element.addEventListener("click", () => colour(colours(name) ? "" : name));
  return { element, update: () => element.setAttribute("aria-pressed", String(colours(name))) };
}
