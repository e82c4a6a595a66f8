// The saved views of a collection: what is seen is saved under a name with a note; those that were saved are gone to,
// renamed, put in another order, deleted, sent as a link, and played as a tour.

import { LENGTHS, SavedViews } from "../data/saved_views.js";
import { errorText } from "../i18n/errors.js";
import { t } from "../i18n/index.js";
import { fill, find, h, icon } from "./dom.js";
import * as notifications from "./notifications.js";
import { heading } from "./panels.js";

export class ViewsDialog {
  /**
   * `state()` is what is seen, as text; `go(state)` shows it again, `play()` all of them as a tour; `opened()` is told when
   * the dialog is opened, `changed()` when it is closed.
   */
  constructor(viewer, { state, go, play, opened, changed }) {
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
    this.state = state;
    this.go = go;
    this.play = play;
    this.opened = opened;

    this.saved = null; // of the collection that is shown
    this.dialog = find("views");
    this.list = h("ul", { class: "list views" });
    this.said = h("p", { class: "said", role: "status" });
    this.form = h("form", {});
    this.tour = h("div", { class: "actions" });
    find("views-open").addEventListener("click", () => this.open());
    this.dialog.addEventListener("close", changed);
  }

  /** Those of the collection that is shown. Raises `ApiError`. */
  async load() {
    const { collection } = this.viewer;
    if (this.saved?.collection !== collection) {
      this.saved = Object.assign(new SavedViews(collection), { collection });
    }
    return this.saved.load();
  }

  async open() {
    if (!this.viewer.collection?.count || this.dialog.open) return;
    fill(
      this.dialog,
      heading(t("savedViews"), () => this.dialog.close(), { id: "views-title" }),
      this.form,
      h("h3", {}, t("saved")),
      this.list,
      this.said,
      this.tour,
    );
    fill(this.said);
    fill(this.list, h("li", { class: "soft" }, t("loading")));
    this.offerForm();
    this.opened();
    this.dialog.showModal();
    find("view-name").focus();
    await this.act(() => this.load());
  }

  /** Do something to the list and show it; say why, where that cannot be. */
  async act(change) {
    try {
      const result = await change();
      this.draw();
      return result;
    } catch (error) {
      fill(this.said, error.status === undefined ? t("browserFull") : errorText(error));
      return null;
    }
  }

  /** What saves what is seen, or, with a view, changes its words. */
  offerForm(view = null) {
    const name = h("input", { id: "view-name", value: view?.name ?? "", maxlength: LENGTHS.name, required: true });
    const note = h("textarea", { id: "view-note", rows: 2, maxlength: LENGTHS.note });
    note.value = view?.note ?? "";
    this.form.onsubmit = (event) => {
      event.preventDefault();
      const words = { name: name.value.trim(), note: note.value.trim() };
      if (view) this.edit(view, words);
      else this.save(words);
    };
    fill(
      this.form,
      h("label", { for: "view-name" }, t("viewName")),
      name,
      h("label", { for: "view-note" }, t("viewNote")),
      note,
      h(
        "div",
        { class: "actions" },
        h("button", { class: "strong", type: "submit" }, t(view ? "keepChange" : "saveView")),
        view && h("button", { type: "button", onclick: () => this.offerForm() }, t("cancel")),
      ),
    );
    if (view) name.focus();
  }

  async save(words) {
    const state = this.state();
    if (state === null) {
      fill(this.said, t("viewTooLong"));
      return;
    }
    const view = await this.act(() => this.saved.add({ ...words, state }));
    if (!view) return;
    if (find("view-name").value.trim() === words.name) this.offerForm(); // nobody has begun another one meanwhile
    fill(this.said, t(view.isOwn ? "viewKeptHere" : "viewSaved", view));
  }

  async edit(view, words) {
    await this.act(() => this.saved.edit(view, words));
    this.offerForm();
    fill(this.said);
    this.focus(view, "edit");
  }

  async move(view, step, name) {
    await this.act(() => this.saved.move(view, step));
    this.focus(view, name);
  }

  async remove(view) {
    const back = await this.act(() => this.saved.remove(view));
    if (!back) return;
    const undo = h("button", { class: "quiet", type: "button" }, icon("undo"), t("takeBack"));
    undo.addEventListener("click", async () => {
      await this.act(back);
      fill(this.said);
      this.focus(view, "entry");
    });
    fill(this.said, t("viewDeleted", view), undo);
    undo.focus();
  }

  focus({ id }, name) {
    /** @type {any} */ (this.list.querySelector(`[data-id="${id}"] [name=${name}]:not(:disabled)`))?.focus();
  }

  draw() {
    const { all } = this.saved;
    fill(
      this.list,
      all.length ? all.map((view, at) => this.entry(view, at, all)) : h("li", { class: "soft" }, t("noViews")),
    );
    fill(
      this.tour,
      all.length > 0 && h("button", { type: "button", onclick: () => this.begin() }, icon("play"), t("playTour")),
      all.length > 0 &&
        h("button", { class: "quiet", onclick: () => this.copy({ tour: all[0].id }) }, icon("link"), t("copyTour")),
    );
  }

  entry(view, at, all) {
    const { name, note, isOwn } = view;
    const called = name || t("unnamed");
    const isFirst = at === 0 || all[at - 1].isOwn !== isOwn;
    const isLast = at === all.length - 1 || all[at + 1].isOwn !== isOwn;
    const tool = (symbol, key, act, disabled = false) => {
      const label = `${t(key)}: ${called}`;
      return h(
        "button",
        { class: `quiet only-icon ${symbol}`, name: symbol, "aria-label": label, title: label, onclick: act, disabled },
        icon(symbol),
      );
    };
    return h(
      "li",
      { "data-id": view.id },
      h(
        "button",
        { class: "entry", name: "entry", onclick: () => this.show(view) },
        h(
          "span",
          { class: "words" },
          h("b", {}, called),
          note && h("small", {}, note),
          isOwn && h("small", {}, t("onlyHere")),
        ),
      ),
      tool("previous", "earlier", () => this.move(view, -1, "previous"), isFirst),
      tool("next", "later", () => this.move(view, 1, "next"), isLast),
      tool("edit", "rename", () => this.offerForm(view)),
      tool("link", "copyLink", () => this.copy({ saved: view.id })),
      tool("trash", "delete", () => this.remove(view)),
    );
  }

  show(view) {
    this.dialog.close();
    this.viewer.canvas.focus({ preventScroll: true });
    this.go(view.state);
  }

  begin() {
    this.dialog.close();
    this.play();
  }

  /** The address of a view, or of the tour. The browser's own are found in this browser alone. */
  async copy(what) {
    const { id } = this.viewer.collection;
    const query = new URLSearchParams({ ...(id && { dataset: id }), ...what });
    const address = `${location.origin}${location.pathname}?${query}`;
    fill(this.said, (await notifications.copied(address)) ? t("copied") : address);
  }
}
