// The parameters of a kind of layout, as a form asks for them.

import { fill, h } from "./dom.js";
import { currentLanguage, t } from "../i18n/index.js";
import { titled } from "./filter_fields.js";
import { titleOf } from "./layout_names.js";

/** The fields by which a layout can be supervised: those whose values several pictures share, and numbers. */
export function supervising(fields) {
  return fields.filter(({ type, count, distinct, min, max }) =>
    type === "text" || type === "boolean" ? distinct > 1 && 2 * distinct <= count : max > min,
  );
}

/**
 * Ask in `element` for what a kind takes. `offered` has the `layouts` that a grid can be made of, and the `fields` that can
 * supervise. What needs another parameter is asked for once that has a value.
 */
export function askFor(element, { parameters, description }, offered) {
  const english = currentLanguage() === "en"; // the server's sentences are
  const asked = parameters.filter(({ name }) => name !== "target" || offered.fields.length);
  const names = new Set(asked.map(({ name }) => name));
  const rows = asked
    .filter(({ needs }) => !needs || names.has(needs))
    .map((parameter) => {
      const input = inputOf(parameter, offered);
      const title = english && parameter.description;
      const label = h("span", {}, t("layoutParameters")[parameter.name] ?? parameter.name);
      return { parameter, input, row: h("label", { class: "row", title }, label, input) };
    });
  const update = () => {
    for (const { parameter, input, row } of rows) {
      const needed = rows.find((one) => one.parameter.name === parameter.needs);
      row.hidden = input.disabled = Boolean(needed) && !needed.input.value;
    }
  };
  for (const { input } of rows) input.addEventListener("change", update);
  update();
  fill(element, english && h("p", { class: "soft" }, description), ...rows.map(({ row }) => row));
}

/** What a form says of the parameters that it asks for. */
export function answered(form) {
  const parameters = {};
  for (const input of form.querySelectorAll("[data-type]:enabled")) {
    parameters[input.name] = input.dataset.type === "text" ? input.value : Number(input.value);
  }
  return parameters;
}

function inputOf({ name, type, default: value, minimum, maximum, choices }, { layouts, fields }) {
  if (name === "layout")
    return menu(
      name,
      value,
      layouts.map((one) => [one.name, titleOf(one)]),
    );
  if (name === "target") {
    return menu(name, value, [["", t("pictureAlone")], ...fields.map((field) => [field.name, titled(field)])]);
  }
  if (choices.length)
    return menu(
      name,
      value,
      choices.map((one) => [one, t("layoutChoices")[one] ?? one]),
    );
  const step = type === "integer" ? 1 : "any";
  return h("input", {
    name,
    type: "number",
    "data-type": type,
    value,
    min: minimum,
    max: maximum,
    step,
    required: true,
  });
}

function menu(name, chosen, entries) {
  const options = entries.map(([value, text]) => h("option", { value, selected: value === chosen }, text));
  return h("select", { name, "data-type": "text" }, options);
}
