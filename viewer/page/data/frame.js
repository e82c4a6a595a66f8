// This page in a frame beside another one: what both, and the page around them, say to each other. It stays within the
// browser: pages of other origins may not frame this one.

/** The element that frames this page; null where the page has the window for itself.
 * @returns {HTMLIFrameElement | null} */
export function frame() {
  return /** @type {any} */ (globalThis.frameElement ?? null);
}

/** Tell the page around. It has heard it when this returns. */
export function tellAround(name, detail = null) {
  frame()?.dispatchEvent(new CustomEvent(name, { detail }));
}

/** Hear what the page beside this one tells. */
export function hear(name, act) {
  window.addEventListener(name, (/** @type {any} */ { detail }) => act(detail));
}

/** The address of all that is seen in the window. */
export function sharedAddress() {
  return (frame() ? window.parent : window).location.href;
}

/** The address of two pages side by side, of which each has its own address's query. */
export function comparison(left, right) {
  return `/compare?left=${escaped(left)}&right=${escaped(right)}`;
}

/** A query as a value in another one; as readable as may be. */
function escaped(query) {
  return encodeURIComponent(query).replaceAll("%3D", "=").replaceAll("%2C", ",");
}
