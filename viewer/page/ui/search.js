// Looking for pictures: by name, by what a text describes, or by a picture from outside. What is found is marked in the
// cloud and listed beside it; the list comes back when one of its pictures is closed.

import * as api from "../data/api.js";
import { QUERY_IMAGE } from "../render/cloud.js";
import { find, h } from "./dom.js";
import { QueryImage } from "../render/query_image.js";
import { plural, t } from "../i18n/index.js";
import * as notifications from "./notifications.js";
import { free } from "./free_area.js";
import * as panels from "./panels.js";

/** How many pictures a search by a picture, or by what a text describes, finds. */
export const FOUND = 24;

export class Search {
  /**
   * `open(row)` when one is picked out, `choose(rows)` when all are taken as a selection, `listed()` when a list comes up;
   * `pictures`: whether the server looks for pictures.
   */
  constructor(viewer, view, { open, choose, listed, pictures }) {
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
    this.view = view;
    this.open = open;
    this.choose = choose;
    this.listed = listed;

    this.list = null; // what is listed: `{ collection, rows, more, text, queryImage, top }`
    view.subscribe(({ search }, before) => this.follow(search, before?.search ?? null));
    const form = find("search");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = find("search-text").value.trim();
      if (text && viewer.collection) this.byName(text);
    });
    find("search-text").addEventListener(
      "search",
      (/** @type {any} */ { target }) => !target.value && this.list && this.leave(),
    );
    find("search-picture").hidden = !pictures;
    if (!pictures) return;
    find("search-picture").addEventListener("click", () => find("search-file").click());
    find("search-file").addEventListener("change", (/** @type {any} */ { target }) => {
      const [file] = target.files;
      target.value = "";
      if (file) this.byPicture(file);
    });
    window.addEventListener("paste", ({ clipboardData }) => {
      const file = [...(clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
      if (file && !document.querySelector("dialog[open]")) this.byPicture(file);
    });
  }

  /** The view has another search than before: by this, from an address, or by going back. */
  follow(search, before) {
    if (!search) return before && this.list?.text && this.leave();
    const { text, rows, described } = search;
    if (!text || rows === before?.rows) return;
    if (described) {
      const more = { title: t("describedBy", { text }), notes: described.similarities.map(percent) };
      this.show(described.rows, more, { text });
    } else {
      const more = { title: plural("results", rows.length), empty: t("noResults"), also: this.described(text) };
      this.show(rows, more, { text });
    }
  }

  /** Beside what was found by name, the way to what the text describes; null where that is not offered. */
  described(text) {
    if (!this.viewer.collection.offers.text) return null;
    return { words: t("describedBy", { text }), act: () => this.byDescription(text) };
  }

  /** The pictures that a text describes best. */
  async byDescription(text) {
    const { collection } = this.viewer;
    notifications.status(t("searching"));
    try {
      const described = await collection.described(text, FOUND);
      if (this.viewer.collection !== collection) return;
      this.view.found(text, described.rows, { described }); // which shows them
      notifications.status(plural("results", described.rows.length));
    } catch (error) {
      notifications.showError(error);
      notifications.status("");
    }
  }

  /** By name; where no name has it, what the text describes, if that is offered. */
  async byName(text) {
    const { collection } = this.viewer;
    notifications.status(t("searching"));
    try {
      const rows = await collection.search(text);
      if (this.viewer.collection !== collection) return;
      if (!rows.length && collection.offers.text) {
        await this.byDescription(text);
        return;
      }
      this.view.found(text, rows); // which shows them
      notifications.status(plural("results", rows.length));
    } catch (error) {
      notifications.showError(error);
      notifications.status("");
    }
  }

  /** The picture of this name, opened; where several have it, their list. */
  async named(name) {
    const { collection } = this.viewer;
    if (!collection?.offers.images) return;
    try {
      const rows = await collection.named(name);
      if (this.viewer.collection !== collection) return;
      if (rows.length === 1) this.open(rows[0]);
      else if (rows.length) this.show(rows, { title: name });
      else notifications.toast(t("noneNamed", { name }));
    } catch (error) {
      notifications.showError(error);
    }
  }

  /** A picture's file → the pictures most like it, and itself where it would lie among them. */
  async byPicture(file) {
    const { collection } = this.viewer;
    if (!collection) return;
    notifications.status(t("searching"));
    const form = new FormData();
    form.append("file", file);
    try {
      const where = collection.isInstalled ? "catalogue" : collection.id;
      const options = { method: "POST", body: form, headers: api.csrfHeaders() };
      const { neighbors, ...places } = await api.json(`/search?in=${where}&k=${FOUND}`, options);
      const rows = neighbors.map(({ index }) => index);
      const records = rows.map((row) => collection.record(row).catch(() => null));
      const [queryImage] = await Promise.all([QueryImage.of(file, places), ...records]);
      if (this.viewer.collection !== collection) return;
      const without = collection.reducers.filter((reducer) => !places[reducer]);
      const more = {
        title: t("similar"),
        image: h("img", { src: URL.createObjectURL(file), alt: file.name }),
        notes: neighbors.map(({ similarity }) => percent(similarity)),
        remark: without.length ? t("noPlace", { layouts: without.join(", ").toUpperCase() }) : null,
      };
      this.show(rows, more, { queryImage });
      this.viewer.approach(QUERY_IMAGE, free());
      notifications.status("");
    } catch (error) {
      notifications.showError(error);
      notifications.status("");
    }
  }

  /** List these rows, and mark them in the cloud. */
  show(rows, more, { text = "", queryImage = null } = {}) {
    this.list = null;
    this.viewer.highlights.click(-1);
    if (!text) this.view.choose(queryImage ? [] : rows);
    this.list = { collection: this.viewer.collection, rows, more, text, queryImage, top: 0 };
    find("search-text").value = text;
    this.listed();
    this.draw();
    if (!queryImage) this.viewer.makeRoomForList();
  }

  draw() {
    const { rows, more, queryImage, top } = this.list;
    if (queryImage) {
      this.viewer.highlights.showQueryImage(queryImage, rows);
    } else {
      this.viewer.highlights.click(-1);
    }
    panels.results(this.viewer, rows, {
      ...more,
      close: () => this.leave(),
      open: (row) => {
        this.list.top = find("panel").scrollTop;
        this.open(row);
      },
      choose: () => {
        this.list = null;
        this.choose(rows);
        find("search-text").value = "";
        this.view.found("", null);
      },
    });
    find("panel").scrollTop = top;
  }

  /** Back to the list, if there is one. Returns whether there is. */
  back() {
    if (!this.list || this.list.collection !== this.viewer.collection) return false;
    this.draw();
    return true;
  }

  leave() {
    const { collection, text } = this.list;
    this.list = null;
    find("search-text").value = "";
    panels.hide();
    notifications.status("");
    if (collection !== this.viewer.collection) return;
    this.viewer.highlights.click(-1);
    if (text) this.view.found("", null);
    else this.view.choose([]);
  }
}

function percent(similarity) {
  return `${Math.round(100 * similarity)} %`;
}
