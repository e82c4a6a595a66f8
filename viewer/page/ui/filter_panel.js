// What else is known of the pictures: a panel of filters, one for each field, whose counts follow each other.

import { isNarrow } from "./free_area.js";
import { fill, find, h } from "./dom.js";
import { field, titled } from "./filter_fields.js";
import { number, t } from "../i18n/index.js";
import { heading } from "./panels.js";

const FEW = 8; // fields, all of which are unfolded

export class FilterPanel {
  /**
   * `gallery()` shows what is left, `download()` makes a file of it, `aside()` is told when it covers a part of the cloud,
   * `changed()` when it opens or closes.
   */
  constructor(view, filteredView, { gallery, download, aside, changed }) {
    this.view = view;
    this.filteredView = filteredView;
    this.gallery = gallery;
    this.download = download;
    this.aside = aside;
    this.changed = changed;

    this.fields = [];
    this.opened = new Set();
    this.sought = "";
    this.columns = null;
    filteredView.addEventListener("changed", () => this.follow());
    filteredView.addEventListener("fields", () => this.offer());
    find("colour").addEventListener("change", (/** @type {any} */ { target }) => view.change({ colour: target.value }));
  }

  /** Offer what a collection's fields allow; nothing where it has none. */
  offer() {
    const { columns } = this.filteredView;
    this.columns = columns;
    this.sought = "";
    for (const id of ["filters-open", "colour-row"]) find(id).hidden = !columns;
    if (!columns) return this.close();
    const names = [...columns.fields.keys()];
    this.opened = new Set(names.length <= FEW ? names : []);
    fill(
      find("colour"),
      h("option", { value: "" }, t("nothing")),
      names.map((name) =>
        h("option", { value: name }, isNamed(columns.fields.get(name)) ? titled(columns.fields.get(name)) : name),
      ),
    );
    if (this.isOpen) this.draw();
  }

  get isOpen() {
    return !find("filters").hidden;
  }

  toggle() {
    if (this.isOpen) this.close();
    else this.open();
  }

  /** `focus`: whether somebody pressed for it, whose keys shall go on in it. */
  open({ focus = true } = {}) {
    if (!this.columns) return;
    const panel = find("filters");
    panel.hidden = false;
    this.draw();
    find("filters-open").setAttribute("aria-expanded", "true");
    if (focus) panel.focus({ preventScroll: true });
    this.aside();
    this.changed();
  }

  /** Make room for the other panel, where there is room for one only. */
  giveWay() {
    if (isNarrow()) this.close();
  }

  close() {
    if (!this.isOpen) return;
    find("filters").hidden = true;
    find("filters-open").setAttribute("aria-expanded", "false");
    this.changed();
  }

  /** The panel anew: the fields that filter first, then the unfolded ones. Nothing moves while it is used. */
  draw() {
    const { fields } = this.columns;
    this.summary = h("p", { class: "summary" });
    this.list = h("div", { class: "fields" });
    this.all = h("button", { class: "quiet", onclick: () => this.view.showAll() }, t("showAll"));
    const seek = h("input", { type: "search", placeholder: t("findField"), "aria-label": t("findField") });
    seek.value = this.sought;
    seek.addEventListener("input", () => {
      this.sought = seek.value;
      this.arrange();
    });
    fill(
      find("filters"),
      h(
        "div",
        { class: "top" },
        heading(t("filter"), () => this.close()),
        this.summary,
        fields.size > FEW && seek,
      ),
      this.list,
      h(
        "div",
        { class: "actions foot" },
        h("button", { onclick: this.gallery }, t("gallery")),
        h("button", { onclick: this.download }, t("csv")),
        this.all,
      ),
    );
    this.arrange();
    this.list.scrollTop = 0;
  }

  arrange() {
    const { columns, opened, view, sought } = this;
    const actions = {
      columns,
      opened,
      wanted: (name) => view.state.filters.get(name),
      filter: (name, wanted) => view.filter(name, wanted),
      colours: (name) => view.state.colour === name,
      colour: (name) => view.change({ colour: name }),
    };
    const words = plain(sought).split(" ").filter(Boolean);
    const rank = ({ name }) => (view.state.filters.has(name) ? 0 : opened.has(name) ? 1 : 2);
    const found = [...columns.fields.values()].filter(({ name }) => words.every((word) => plain(name).includes(word)));
    found.sort((a, b) => rank(a) - rank(b));
    this.fields = found.map((known) => field(known, actions));
    fill(this.list, found.length ? this.fields.map(({ element }) => element) : h("p", { class: "soft" }, t("noField")));
    this.follow();
  }

  /** Bring all that is drawn up to date. */
  follow() {
    const { columns, filteredView, view } = this;
    find("colour").value = view.state.colour;
    if (!columns || columns !== filteredView.columns || !this.isOpen) return;
    const { visible } = filteredView;
    fill(this.summary, h("b", {}, number(visible.rows.length)), ` ${t("of", { n: number(visible.count) })}`);
    this.all.hidden = !view.isNarrowed;
    for (const { update } of this.fields) update();
    if (view.isNarrowed) filteredView.fetchAll();
  }
}

/** Whether the page has words for a field that is none of the metadata. */
function isNamed({ words, layout }) {
  return words || layout;
}

function plain(text) {
  return text.toLowerCase().replaceAll("_", " ");
}
