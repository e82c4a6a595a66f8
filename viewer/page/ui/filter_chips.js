// What is shown, told over the cloud: how many, and a chip for each filter, the isolation and the search, with what takes
// it away; and the steps back and forward.

import { Others } from "../data/columns.js";
import { fill, find, h, icon, KeyedList } from "./dom.js";
import { titled, worded } from "./filter_fields.js";
import { number, t } from "../i18n/index.js";

const FEW_WORDS = 3; // values that a chip names

export class FilterChips {
  constructor(view, filteredView) {
    this.view = view;
    this.filteredView = filteredView;

    this.back = h("button", { id: "undo", class: "quiet only-icon", onclick: () => view.undo() }, icon("undo"));
    this.forth = h("button", { id: "redo", class: "quiet only-icon", onclick: () => view.redo() }, icon("redo"));
    this.summary = h("span", { id: "shown-count", role: "status" });
    this.list = h("span", { class: "list-of-chips" });
    this.chips = new KeyedList(this.list, { key: ({ key }) => key, make: chip });
    this.all = h("button", { id: "show-all", class: "quiet", onclick: () => view.showAll() });
    fill(find("shown"), this.summary, this.list, this.all, h("span", { class: "steps" }, this.back, this.forth));
    filteredView.addEventListener("changed", () => this.draw());
    window.addEventListener("keydown", (event) => this.key(event));
  }

  /** Ctrl-Z goes back, Ctrl-Shift-Z and Ctrl-Y forward, but where something is typed. */
  key(event) {
    const { key, ctrlKey, metaKey, shiftKey, altKey, target } = event;
    if (!(ctrlKey || metaKey) || altKey || document.querySelector("dialog[open]")) return;
    if (target.matches?.("input:not([type=checkbox], [type=radio], [type=range]), textarea")) return;
    const letter = key.toLowerCase();
    if (letter !== "z" && letter !== "y") return;
    event.preventDefault();
    if (letter === "z" && !shiftKey) this.view.undo();
    else this.view.redo();
  }

  draw() {
    const { view, filteredView } = this;
    const { visible, collection } = filteredView;
    const [back, forth] = [view.past.length > 0, view.future.length > 0];
    find("shown").hidden = !collection || !(view.isNarrowed || view.state.search || back || forth);
    if (find("shown").hidden) return;
    const words = view.isNarrowed ? t("shownOf", { n: number(visible.rows.length), total: number(visible.count) }) : "";
    if (this.summary.textContent !== words) this.summary.textContent = words;
    const focused = this.list.contains(document.activeElement);
    this.chips.show(this.parts());
    if (focused && !this.list.contains(document.activeElement))
      (this.list.querySelector("button") ?? find("cloud")).focus({ preventScroll: true });
    this.all.hidden = !view.isNarrowed;
    this.all.textContent = t("showAll");
    for (const [button, there, name] of [
      [this.back, back, "undo"],
      [this.forth, forth, "redo"],
    ]) {
      button.disabled = !there;
      button.title = t(name);
      button.setAttribute("aria-label", t(name));
    }
  }

  /** What narrows the view, one chip each: `{ key, words, away, only }`. */
  parts() {
    const { view, filteredView } = this;
    const { filters, isolation, search } = view.state;
    const { fields } = filteredView.columns ?? { fields: new Map() };
    return [
      isolation && {
        key: "isolation",
        words: t("onlyChosen", { n: number(isolation.length) }),
        away: () => view.isolate(null),
      },
      search && this.search(search),
      ...[...filters].map(([name, wanted]) => ({
        key: `filter ${name}`,
        words: `${titled(fields.get(name) ?? { name })}: ${filterText(fields.get(name), wanted)}`,
        away: () => view.filter(name, null),
      })),
    ].filter(Boolean);
  }

  search({ text, rows, only, described }) {
    const { view } = this;
    const quoted = described ? t("describedBy", { text }) : `“${text}”`;
    return {
      key: "search",
      words: `${text ? quoted : t("similar")}: ${number(rows.length)}`,
      away: () => view.change({ search: null }),
      only: rows.length > 0 ? { pressed: only, act: () => view.onlyFound(!view.state.search.only) } : null,
    };
  }
}

/** One part of what is shown → its element. */
function chip() {
  let part;
  const words = h("span", { class: "words" });
  const also = h("button", { class: "quiet", onclick: () => part.only.act() });
  const away = h("button", { class: "quiet only-icon", onclick: () => part.away() }, icon("close"));
  return {
    element: h("span", { class: "chip" }, words, also, away),
    update(now) {
      part = now;
      words.textContent = words.title = part.words;
      also.hidden = !part.only;
      also.textContent = part.only ? t("onlyThese") : "";
      also.setAttribute("aria-pressed", String(part.only?.pressed ?? false));
      away.title = t("remove");
      away.setAttribute("aria-label", `${t("remove")}: ${part.words}`);
    },
  };
}

/** A filter in words. */
function filterText(field, wanted) {
  if (Array.isArray(wanted)) return wanted.map((end) => (end === null ? "" : number(end))).join(" – ");
  if (wanted instanceof Others) return t("otherThan", { words: filterText(field, wanted.labels) });
  const labels = [...wanted].map((label) => (field ? worded(field, label) : label));
  const few = labels.slice(0, FEW_WORDS).join(", ");
  return labels.length > FEW_WORDS ? `${few} +${labels.length - FEW_WORDS}` : few;
}
