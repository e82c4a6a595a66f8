// What this browser remembers from one visit to the next; nothing, where it keeps nothing.

export function recall(name) {
  try {
    return localStorage.getItem(`wwzd.${name}`);
  } catch {
    return null;
  }
}

/** Returns whether it is kept; what is not is asked again next time. */
export function keep(name, value) {
  try {
    localStorage.setItem(`wwzd.${name}`, value);
    return true;
  } catch {
    return false;
  }
}

export function forget(name) {
  try {
    localStorage.removeItem(`wwzd.${name}`);
  } catch {
    // Nothing is kept then.
  }
}

/** The language that was chosen here, or the browser's. */
export function language() {
  return recall("language") ?? (navigator.language.startsWith("pl") ? "pl" : "en");
}

/** The theme that was chosen here, or the one that the system asks for. */
export function theme() {
  return recall("theme") ?? systemTheme();
}

export const LIGHT = "(prefers-color-scheme: light)";

export function systemTheme() {
  return matchMedia(LIGHT).matches ? "light" : "dark";
}

/**
 * Hand sets of rows that are too long for an address to the page that it is the address of, in this tab: `query` is the
 * address's, `frame` the name of the page's frame, "" without one.
 */
export function passRows(frame, query, rows) {
  const sets = Object.entries(rows).map(([name, set]) => [name, [...set]]);
  try {
    if (sets.length) sessionStorage.setItem(`wwzd.rows.${frame}`, JSON.stringify({ query, sets }));
    else sessionStorage.removeItem(`wwzd.rows.${frame}`);
  } catch {
    // Then the page shows what its address says.
  }
}

/** What was handed to the page in this frame, if it was with this address; else null. */
export function passedRows(frame, query) {
  try {
    const passed = JSON.parse(sessionStorage.getItem(`wwzd.rows.${frame}`));
    return passed?.query === query ? Object.fromEntries(passed.sets) : null;
  } catch {
    return null;
  }
}

/** The uploads made from here, `[{ id, name }, …]`: all there is to list where the server does not list them. */
export function uploads() {
  try {
    return JSON.parse(recall("uploads")) ?? [];
  } catch {
    return [];
  }
}

export function keepUpload(id, name) {
  const others = uploads().filter((entry) => entry.id !== id);
  keep("uploads", JSON.stringify([{ id, name }, ...others].slice(0, 30)));
}

export function forgetUpload(id) {
  keep("uploads", JSON.stringify(uploads().filter((entry) => entry.id !== id)));
}

/** The uploads that the server computes for this browser, `[{ id, name, … }, …]`, with what was packed of how many. */
export function running() {
  try {
    return JSON.parse(recall("running")) ?? [];
  } catch {
    return [];
  }
}

export function keepRunning(entries) {
  keep("running", JSON.stringify(entries));
}

const PARTIAL_DAYS = 1; // for so long the server keeps what is not finished

/** The uploads that were begun from here and not finished, by fingerprint, as tus-js-client describes them. */
export function partialUploads() {
  try {
    const entries = Object.entries(JSON.parse(recall("partial")) ?? {});
    const since = Date.now() - PARTIAL_DAYS * 86_400_000;
    return Object.fromEntries(entries.filter(([, { creationTime }]) => Date.parse(creationTime) > since));
  } catch {
    return {};
  }
}

export function keepPartialUpload(fingerprint, upload) {
  keep("partial", JSON.stringify({ ...partialUploads(), [fingerprint]: upload }));
}

export function forgetPartialUpload(fingerprint) {
  const others = Object.entries(partialUploads()).filter(([other]) => other !== fingerprint);
  keep("partial", JSON.stringify(Object.fromEntries(others)));
}

/** The views of a collection that this browser keeps, where the server does not: `[{ id, name, note, state }, …]`. */
export function savedViews(collection) {
  try {
    const kept = JSON.parse(recall(`views.${collection}`));
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}

/** Returns whether they are kept. */
export function keepSavedViews(collection, views) {
  return keep(`views.${collection}`, JSON.stringify(views));
}
