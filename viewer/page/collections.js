// The dialog of all collections: the catalogue, and uploads, which can be shown and deleted.

import * as api from "./api.js";
import { fill, find, h } from "./dom.js";
import { many, t } from "./i18n.js";
import * as memory from "./memory.js";
import * as notes from "./notes.js";
import { heading, icon } from "./panels.js";

export class Collections {
  /** `go(id)` to one of them, "" for the catalogue; `current()` is the id of the one that is shown, or null. */
  constructor({ catalogue, offers }, { go, current }) {
    Object.assign(this, { catalogue, offers, go, current });
    this.dialog = find("collections");
    find("collection").addEventListener("click", () => this.open());
  }

  async open() {
    const list = h("ul", { class: "list" });
    fill(
      this.dialog,
      this.heading(t("collections")),
      this.catalogue.total > 0 &&
        h("ul", { class: "list" }, this.entry({ id: "", name: this.catalogue.name, count: this.catalogue.total })),
      h("h3", {}, t("uploads")),
      list,
    );
    this.dialog.showModal();
    // A server may keep its list to itself: then there are this browser's own uploads.
    const listed = this.offers.list && (await this.listed().catch(() => null));
    const found = listed || memory.uploads();
    fill(
      list,
      found.length
        ? found.map((upload) => this.entry(upload, Boolean(listed)))
        : h("li", { class: "soft" }, t("noUploads")),
    );
  }

  async listed() {
    return (await api.json("/dataset?status=ready&limit=100")).datasets;
  }

  heading(title) {
    return heading(title, () => this.dialog.close(), { id: "collections-title" });
  }

  entry({ id, name, count }, mayGo = false) {
    const label = `${t("delete")}: ${name}`;
    const erase = () => this.ask(id, name);
    return h(
      "li",
      {},
      h(
        "button",
        { onclick: () => this.show(id), "aria-current": this.current() === id ? "true" : null },
        h("b", {}, name),
        count !== undefined && h("small", {}, many("count", count)),
      ),
      mayGo &&
        h(
          "button",
          { class: "quiet only-icon", onclick: erase, "aria-label": label, title: t("delete") },
          icon("trash"),
        ),
    );
  }

  show(id) {
    this.dialog.close();
    this.go(id);
  }

  /** Delete it, really? */
  ask(id, name) {
    fill(
      this.dialog,
      this.heading(t("delete")),
      h("p", {}, t("sure", { name })),
      h(
        "div",
        { class: "actions" },
        h("button", { class: "strong", autofocus: true, onclick: () => this.erase(id) }, t("delete")),
        h("button", { onclick: () => this.dialog.close() }, t("cancel")),
      ),
    );
  }

  async erase(id) {
    this.dialog.close();
    try {
      await api.remove(`/dataset/${id}`);
      notes.toast(t("deleted"));
      if (this.current() === id) this.go("");
    } catch (error) {
      notes.toast(t("deleteFailed", { reason: error.message || t("offline") }));
    }
  }
}
