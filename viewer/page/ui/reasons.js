// Why a file was left out or remarked on, as an element's content.

import { currentLanguage } from "../i18n/index.js";
import { translateReason } from "../i18n/reasons.js";
import { h } from "./dom.js";

/** A reason in the page's language, else marked as English. */
export function reasonContent(reason) {
  if (currentLanguage() === "en") return reason;
  return translateReason(reason) ?? h("span", { lang: "en" }, reason);
}
