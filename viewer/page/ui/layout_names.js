// Layouts in words.

import { t } from "../i18n/index.js";

/** A layout's kind, and which of its parameters it is known by. */
export function titleOf({ kind, parameters }) {
  const values = Object.entries(parameters)
    .filter(([name]) => name !== "seed")
    .map(([name, value]) => `${t("layoutParameters")[name] ?? name} ${valueOf(name, value)}`);
  return [t("layoutKinds")[kind] ?? kind.toUpperCase(), ...values].join(", ");
}

function valueOf(name, value) {
  if (name === "layout") {
    const [kind] = String(value).split("-"); // as layouts are named: by their kind, and what tells it from others
    return t("layoutKinds")[kind] ?? value;
  }
  return (name === "target_metric" && t("layoutChoices")[value]) || String(value);
}
