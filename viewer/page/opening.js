// Which collection is shown, and the address, which says it and what is seen of it.

import { ApiError } from "./api.js";
import { Collection } from "./collection.js";
import { hintOnce } from "./controls.js";
import { find } from "./dom.js";
import { number, t } from "./i18n.js";
import * as notes from "./notes.js";
import * as panels from "./panels.js";
import * as url from "./url.js";

export class Opening {
  /** With the parts that show what is open; `add()` is the way on where there is nothing. */
  constructor(stage, facts, { controls, details, selection, metadata, add }) {
    Object.assign(this, { stage, facts, controls, details, selection, metadata, add });
    this.turn = 0; // counts what was opened, so that late answers for what was left are dropped
    window.addEventListener("popstate", () => this.restore());
    stage.addEventListener("settled", () => this.remember());
  }

  /** What the address says. */
  restore() {
    const state = url.read();
    return this.open(state.dataset, state);
  }

  go(id) {
    history.pushState(null, "", id ? `?dataset=${id}` : location.pathname);
    return this.open(id);
  }

  async open(id, state = {}) {
    const turn = ++this.turn;
    panels.hide();
    notes.nothingInstead();
    this.stage.leave();
    this.metadata.reset();
    this.details.hover(-1);
    notes.status(t("loadingPoints"));
    try {
      const collection = id ? await Collection.dataset(id, this.facts) : Collection.catalogue(this.facts);
      if (turn !== this.turn) return;
      this.title(collection);
      if (collection.count) await this.show(collection, state, turn);
      else notes.instead(t("emptyTitle"), t("emptyText"), { label: t("add"), act: this.add });
    } catch (error) {
      if (turn !== this.turn) return;
      const unknown = error instanceof ApiError && error.status === 404;
      const words = unknown ? t("notHere") : error.message || t("offline");
      notes.instead(t("failed"), words, { label: t("toCatalogue"), act: () => this.go("") });
    }
  }

  async show(collection, state, turn) {
    const { controls, stage } = this;
    const reducer = collection.reducers.includes(state.reducer) ? state.reducer : collection.reducers.at(-1);
    controls.reducers(collection.reducers, reducer);
    controls.restore(state);
    controls.surroundings(this.around(collection));
    find("search").hidden = !collection.offers.images;
    await stage.show(collection, reducer);
    if (turn !== this.turn) return;
    controls.panes();
    this.metadata.offer(collection);
    notes.status(t("loadingTiles", { done: 0, total: number(collection.ranges) }));
    if (collection.reducers.includes(state.split)) await controls.beside(state.split);
    if (state.among) await controls.among(true, { still: true });
    if (turn !== this.turn) return;
    const isRow = (row) => row >= 0 && row < collection.count;
    if (state.chosen?.length) this.selection.choose(state.chosen.filter(isRow));
    if (isRow(state.picture)) this.details.click(state.picture);
    hintOnce();
  }

  title({ kind, name, count }) {
    const words = name || t(kind === "catalogue" ? "catalogue" : "upload");
    find("collection-name").textContent = words;
    find("collection-count").textContent = number(count);
    document.title = `${words} – WWZD`;
    this.stage.canvas.setAttribute("aria-label", t("canvas", { name: words, count: number(count) }));
  }

  /** An upload is all computed: show it, or what it has now, where it is looked at already. */
  async arrived(id) {
    const { collection } = this.stage;
    if (collection?.id !== id) return this.go(id);
    const { reducers, facts, offers } = await Collection.dataset(id, this.facts);
    Object.assign(collection, { reducers, facts, offers });
    find("search").hidden = !offers.images;
    this.controls.surroundings(this.around(collection));
    this.metadata.offer(collection);
    this.controls.reducers(reducers, this.stage.reducer);
    await this.controls.to(reducers.at(-1));
  }

  /** The catalogue, for an upload that lies in its space. */
  around({ facts }) {
    return facts?.space === "catalogue" && this.facts.catalogue.total ? Collection.catalogue(this.facts) : null;
  }

  /** The address follows what is seen. */
  remember() {
    const { stage } = this;
    const { collection, rig } = stage;
    if (!collection) return;
    const camera = rig.get();
    url.write({
      dataset: collection.id,
      reducer: stage.reducer,
      firstReducer: collection.reducers.at(-1),
      split: stage.split,
      mode: stage.pictures ? "pictures" : "dots",
      space: stage.flat.goal ? "flat" : rig.flying ? "fly" : "orbit",
      among: Boolean(stage.around),
      camera: camera.some((value, index) => Math.abs(value - rig.start[index]) > 1e-3) ? camera : null,
      picture: stage.marks.clicked,
      chosen: [...stage.chosen],
    });
  }
}
