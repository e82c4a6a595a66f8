// The languages of the page: one file each. `messages` are the page's own texts, with one form for each kind of number
// where a text counts something; `errors` and `reasons` translate the server's English sentences.

import en from "./en.json";
import pl from "./pl.json";

/**
 * @typedef {object} Locale
 * @property {Record<string, any>} messages by key: a text with `{names}`, the plural forms of one, or a table of texts
 * @property {Record<string, string>} [errors] by kind of error
 * @property {string[][]} [reasons] `[English pattern, translation]`; the first pattern that fits counts
 */

/** @type {Record<string, Locale>} */
export const LOCALES = { en, pl };
