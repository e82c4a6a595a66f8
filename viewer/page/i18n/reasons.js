// Why a file was left out or remarked on: the server says it in English sentences. Where the page speaks another language,
// each is looked up by its pattern, as in a message catalogue.

import { currentLanguage } from "./index.js";
import { LOCALES } from "./locales.js";

const compiled = new Map(); // language → its patterns as expressions

function catalogue(language) {
  if (!compiled.has(language)) {
    const entries = (LOCALES[language].reasons ?? []).map(([pattern, words]) => {
      const literal = pattern.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{(\w+)\}/g, "(?<$1>.+?)");
      return [new RegExp(`^${literal}$`, "s"), words];
    });
    compiled.set(language, entries);
  }
  return compiled.get(language);
}

/** A reason in the page's language, or null where it is not known there. */
export function translateReason(reason) {
  for (const [pattern, words] of catalogue(currentLanguage())) {
    const found = pattern.exec(reason);
    if (!found) continue;
    return words.replace(/\{(\w+)\}/g, (_, name) => translateReason(found.groups[name]) ?? found.groups[name]);
  }
  return null;
}
