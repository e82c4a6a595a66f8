// What went wrong → a sentence in the page's language. The server speaks English and says of what kind each error is;
// where the page speaks another language, the kind is told in its words.

import { currentLanguage, t } from "./index.js";
import { LOCALES } from "./locales.js";

const URN = "urn:wwzd:error:";

/** An error of any sort → a sentence for people. */
export function errorText(error) {
  if (error.status === 0) return t("offline");
  const known = LOCALES[currentLanguage()].errors?.[error.type?.startsWith(URN) ? error.type.slice(URN.length) : ""];
  if (known) return known.replace(/\{(\w+)\}/g, (whole, name) => error.params?.[name] ?? whole);
  return error.message || t("server");
}
