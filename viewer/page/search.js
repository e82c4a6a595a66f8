// Looking for pictures: by name, or by a picture from outside.

import * as api from "./api.js";
import { GUEST } from "./cloud.js";
import { find, h } from "./dom.js";
import { Guest } from "./guest.js";
import { many, t } from "./i18n.js";
import * as notes from "./notes.js";
import * as panels from "./panels.js";

const ALIKE = 24;

export class Search {
  /** `open(row)`, `close()` and `choose(rows)` are what can be done with what was found. */
  constructor(stage, { open, close, choose }) {
    Object.assign(this, { stage, open, close, choose });
    find("search").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = find("search-text").value.trim();
      if (text && stage.collection) this.byName(text);
    });
  }

  async byName(text) {
    const { collection } = this.stage;
    notes.status(t("searching"));
    try {
      const rows = await collection.search(text);
      if (this.stage.collection !== collection) return;
      this.stage.marks.click(-1);
      this.show(rows, { title: many("results", rows.length), empty: t("noResults") });
    } catch (error) {
      notes.complain(error);
    }
    notes.status("");
  }

  /** A picture's file → the pictures most like it, and itself where it would lie among them. */
  async byPicture(file) {
    const { collection } = this.stage;
    notes.status(t("searching"));
    const form = new FormData();
    form.append("file", file);
    try {
      const where = collection.kind === "catalogue" ? "catalogue" : collection.id;
      const options = { method: "POST", body: form, headers: api.proof() };
      const { neighbors, ...places } = await api.json(`/search?in=${where}&k=${ALIKE}`, options);
      const rows = neighbors.map(({ index }) => index);
      const records = rows.map((row) => collection.record(row).catch(() => null));
      const [guest] = await Promise.all([Guest.of(file, places), ...records]);
      if (this.stage.collection !== collection) return;
      this.stage.marks.invite(guest, rows);
      const without = collection.reducers.filter((reducer) => !places[reducer]);
      this.show(rows, {
        title: t("similar"),
        image: h("img", { src: URL.createObjectURL(file), alt: file.name }),
        notes: neighbors.map(({ similarity }) => `${Math.round(100 * similarity)} %`),
        remark: without.length ? t("noPlace", { layouts: without.join(", ").toUpperCase() }) : null,
      });
      this.stage.approach(GUEST, panels.free());
    } catch (error) {
      notes.complain(error);
    }
    notes.status("");
  }

  show(rows, more) {
    panels.results(this.stage, rows, {
      ...more,
      close: this.close,
      open: this.open,
      choose: () => this.choose(rows),
    });
  }
}
