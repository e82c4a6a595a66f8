// Elements by name, attributes and children; nothing is ever parsed as HTML.

/** `h("button", { class: "quiet", onclick: go }, "Go")` → the element. Null children and attributes are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An element of the document, of whatever kind it is there.
 * @param {string} id
 * @returns {any} */
export function find(id) {
  return document.getElementById(id);
}

/** Whether keys belong to an element, because one types in it or chooses from it. */
export function isTypedIn(element) {
  return element.matches("input:not([type=radio], [type=checkbox]), select, textarea");
}

/** Put these children in place of those that are there. */
export function fill(element, ...children) {
  element.replaceChildren(
    ...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
  );
}

/**
 * An element's children, one for each item. What is there already is brought up to date and never replaced: a press that
 * began on it still ends on it, and the focus stays. `key(item)` tells items apart, `make(item)` gives
 * `{ element, update(item) }`.
 */
export class KeyedList {
  constructor(parent, { key, make }) {
    this.parent = parent;
    this.key = key;
    this.make = make;

    this.rows = new Map();
  }

  show(items) {
    const rows = new Map(items.map((item) => [this.key(item), null]));
    for (const [key, { element }] of this.rows) if (!rows.has(key)) element.remove();
    let next = this.parent.firstElementChild;
    for (const item of items) {
      const key = this.key(item);
      const row = this.rows.get(key) ?? this.make(item);
      rows.set(key, row);
      row.update(item);
      if (row.element === next) next = next.nextElementSibling;
      else this.parent.insertBefore(row.element, next);
    }
    this.rows = rows;
  }
}

/** One of the drawings of the document, by its name. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Offer a blob as a file to be saved. */
export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
