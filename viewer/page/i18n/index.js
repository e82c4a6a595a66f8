// The page's texts in the chosen language, with numbers, dates and sizes as that language writes them.

import { LOCALES } from "./locales.js";

/** The order in which a locale file lists the plural forms of a text. */
const FORMS = { en: ["one", "other"], pl: ["one", "few", "many"] };

let language = "en";

export function languages() {
  return Object.keys(LOCALES);
}

export function setLanguage(wanted) {
  language = LOCALES[wanted] ? wanted : "en";
  document.documentElement.lang = language;
  for (const element of elements("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of elements("[data-t-placeholder]")) {
    element.placeholder = t(element.dataset.tPlaceholder);
  }
  for (const element of elements("[data-t-title]")) element.title = t(element.dataset.tTitle);
  for (const element of elements("[data-t-label]")) {
    element.setAttribute("aria-label", t(element.dataset.tLabel));
    if (element.matches("button, a")) element.title = t(element.dataset.tLabel);
  }
}

export function currentLanguage() {
  return language;
}

/** A sentence, with `{names}` replaced. */
export function t(key, values = {}) {
  const text = LOCALES[language].messages[key] ?? LOCALES.en.messages[key] ?? key;
  return typeof text === "string" ? put(text, values) : text;
}

/** The same for a number of things, in the form that the number takes. */
export function plural(key, n, values = {}) {
  const forms = LOCALES[language].messages[key];
  const form = FORMS[language].indexOf(new Intl.PluralRules(language).select(n));
  return put(forms[form < 0 ? forms.length - 1 : form], { ...values, n: number(n) });
}

export function number(n) {
  return new Intl.NumberFormat(language).format(n);
}

/** `2026-11-26T13:05:00Z` → a day, as people of this language write it. */
export function date(moment) {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium" }).format(new Date(moment));
}

/** The same with the time of day. */
export function moment(when) {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(when));
}

/** How large a file is. */
export function bytes(count) {
  const [unit, divisor] = count >= 2 ** 20 ? ["MiB", 2 ** 20] : ["KiB", 2 ** 10];
  const digits = count >= 10 * divisor ? 0 : 1;
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(count / divisor)} ${unit}`;
}

export function stage(name) {
  const [kind] = name.split(/[ :]/);
  return t("stages")[kind] ?? (name || t("computing"));
}

export function duration(seconds) {
  const time =
    seconds < 90
      ? t("seconds", { n: Math.max(1, Math.round(seconds)) })
      : t("minutes", { n: Math.round(seconds / 60) });
  return t("left", { time });
}

function put(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** @returns {NodeListOf<any>} */
function elements(selector) {
  return document.querySelectorAll(selector);
}
