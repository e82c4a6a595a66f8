// Which collection is shown, and the address, which says it and what is seen of it.

import { ApiError } from "./data/api.js";
import { Collection } from "./data/collection.js";
import { tellAround } from "./data/frame.js";
import { LENGTHS, SavedViews } from "./data/saved_views.js";
import { hintOnce } from "./ui/controls.js";
import { find } from "./ui/dom.js";
import { number, t } from "./i18n/index.js";
import * as notifications from "./ui/notifications.js";
import * as panels from "./ui/panels.js";
import { errorText } from "./i18n/errors.js";
import { FOUND } from "./ui/search.js";
import * as url from "./url_state.js";

export class Navigation {
  /** With the parts that show what is open; `add()` is the way on where there is nothing. */
  constructor(
    viewer,
    facts,
    { view, filteredView, controls, details, selection, filterPanel, landmarks, layoutsDialog, viewsDialog, tour, add },
  ) {
    /** @type {import("./viewer.js").Viewer} */
    this.viewer = viewer;
    this.facts = facts;
    this.view = view;
    this.filteredView = filteredView;
    this.controls = controls;
    this.details = details;
    this.selection = selection;
    this.filterPanel = filterPanel;
    this.landmarks = landmarks;
    this.layoutsDialog = layoutsDialog;
    this.viewsDialog = viewsDialog;
    this.tour = tour;
    this.add = add;

    this.shown = null; // the collection of which all that the address says is restored
    this.wanted = null; // the id of what is shown or on its way, "" for the catalogue
    this.state = {}; // what the address said of it
    this.turn = 0; // counts what was opened, so that late answers for what was left are dropped
    window.addEventListener("popstate", () => this.restore());
    viewer.addEventListener("settled", () => this.remember());
    view.subscribe(() => this.remember());
  }

  /** What the address says. */
  restore() {
    const state = url.read();
    return this.open(state.dataset, state);
  }

  go(id) {
    url.push(id);
    return this.open(id);
  }

  async open(id, state = {}) {
    const turn = ++this.turn;
    Object.assign(this, { wanted: id, state });
    tellAround("address");
    panels.hide();
    notifications.hidePlaceholder();
    this.shown = null;
    this.tour.leave();
    this.viewer.leave();
    this.filteredView.leave();
    this.view.begin();
    this.filterPanel.offer();
    this.details.hover(-1);
    notifications.status(t("loadingPoints"));
    try {
      const collection = await Collection.open(id, this.facts);
      if (turn !== this.turn) return;
      this.title(collection);
      if (state.saved || state.tour) this.state = state = await this.savedState(collection, state);
      if (turn !== this.turn) return;
      if (collection.count) await this.show(collection, state, turn);
      else notifications.showPlaceholder(t("emptyTitle"), t("emptyText"), { label: t("add"), act: this.add });
    } catch (error) {
      if (turn !== this.turn) return;
      const unknown = error instanceof ApiError && error.status === 404;
      const way =
        error.status === 0
          ? { label: t("tryAgain"), act: () => this.open(id, state) }
          : { label: t("toCatalogue"), act: () => this.go("") };
      notifications.showPlaceholder(t("failed"), unknown ? t("notHere") : errorText(error), way);
    }
  }

  async show(collection, state, turn) {
    const { controls, viewer } = this;
    await collection.need([state.reducer, state.split]);
    if (turn !== this.turn) return;
    const reducer = collection.has(state.reducer) ? state.reducer : collection.reducers.at(-1);
    this.layoutsDialog.offer(collection);
    controls.reducers(collection.reducers, reducer);
    controls.restore(state);
    this.landmarks.show(state.landmarks ?? true);
    controls.surroundings(this.around(collection));
    if (collection.isTiled) controls.move();
    offerSearch(collection.offers);
    await viewer.show(collection, reducer);
    if (turn !== this.turn) return;
    controls.panes();
    this.filteredView.begin(collection);
    const restored = this.restoreView(collection, state, turn);
    const tiles = t("loadingTiles", { done: 0, total: number(collection.ranges) });
    notifications.status(collection.isTiled ? "" : tiles);
    if (collection.has(state.split) && state.split !== reducer) await controls.beside(state.split);
    if (turn !== this.turn) return;
    if (state.among) await controls.among(true, { still: true });
    await restored;
    if (turn !== this.turn) return;
    this.shown = collection;
    if (state.picture >= 0 && state.picture < collection.count) this.details.click(state.picture);
    if (state.tour) this.tour.begin(state.tour);
    if (state.open?.includes("views")) this.viewsDialog.open();
    this.remember();
    hintOnce();
  }

  /** The state of the saved view that an address names, or that its tour begins with. */
  async savedState(collection, state) {
    const views = await new SavedViews(collection).load().catch(() => []);
    const { saved, tour } = state;
    const found = views.find(({ id }) => id === (saved || tour)) ?? (tour && views[0]);
    if (!found) notifications.toast(t(saved ? "viewGone" : "noViews"));
    return found ? { ...url.parse(found.state), tour, theme: state.theme } : { ...state, tour: "" };
  }

  /** What an address says of the view, and what was open of its parts. */
  async restoreView(collection, state, turn) {
    const { filterPanel, selection, filteredView, view } = this;
    const known = filteredView.offer(collection);
    const search = state.search && (await this.search(collection, state.search));
    if (state.filters?.size || state.colour) {
      await known;
      await filteredView.need(fieldsOf(state));
    }
    if (turn !== this.turn) return;
    view.begin(filteredView.fitting({ ...state, search }));
    if (!search) find("search-text").value = "";
    if (view.state.chosen.length) selection.gallery();
    await known;
    if (turn !== this.turn) return;
    filterPanel.offer();
    if (state.open?.includes("filters")) filterPanel.open({ focus: false });
    if (state.open?.includes("gallery")) selection.shown();
  }

  async search(collection, { text, only, isDescribed }) {
    if (isDescribed) {
      const described = collection.offers.text ? await collection.described(text, FOUND).catch(() => null) : null;
      return described && { text, rows: Uint32Array.from(described.rows).sort(), only, described };
    }
    const rows = collection.offers.images ? await collection.search(text).catch(() => null) : null;
    return rows && { text, rows: Uint32Array.from(rows).sort(), only };
  }

  title({ kind, name, count, isTiled }) {
    const title = name || t(kind === "catalogue" ? "catalogue" : "upload");
    find("collection-name").textContent = title;
    find("collection-count").textContent = number(count);
    document.title = `${title} – WWZD`;
    document.documentElement.classList.toggle("tiled", isTiled);
    this.viewer.canvas.setAttribute("aria-label", t("canvas", { name: title, count: number(count) }));
  }

  /** A dataset has another name now. */
  renamed(id, name) {
    const { collection } = this.viewer;
    if (collection?.id !== id) return;
    collection.name = name;
    this.title(collection);
  }

  /** All of an upload that is looked at is computed: show what came last. Nobody who has left is taken back. */
  async arrived(id) {
    if (this.wanted !== id) return;
    const { turn, shown } = this;
    if (!shown) return this.open(id, this.state); // what is on its way may have been asked for too early
    const { reducers, facts, offers } = await Collection.dataset(id, this.facts);
    if (turn !== this.turn) return;
    Object.assign(shown, { reducers, facts, offers });
    offerSearch(offers);
    this.controls.surroundings(this.around(shown));
    await this.filteredView.offer(shown);
    if (turn !== this.turn) return;
    this.filterPanel.offer();
    this.controls.reducers(reducers, this.viewer.layoutView.reducer);
    await this.controls.to(reducers.at(-1));
  }

  /** A collection has more fields than before, such as clusters. */
  async offerFields(collection) {
    await this.filteredView.offer(collection);
    if (this.viewer.collection === collection) this.filterPanel.offer();
  }

  /** The catalogue, for an upload that lies in its space. */
  around({ facts }) {
    const { total, points = [] } = this.facts.catalogue;
    return facts?.space === "catalogue" && total && !points.length ? Collection.catalogue(this.facts) : null;
  }

  /** The address follows what is seen. */
  remember() {
    if (this.viewer.collection && this.shown === this.viewer.collection) this.controls.fits = url.write(this.seen());
  }

  /** Go on with what is seen on the left, and another collection on the right. */
  compare(id) {
    const isSeen = this.viewer.collection && this.shown === this.viewer.collection;
    location.assign(url.beside(isSeen ? this.seen() : null, id));
  }

  /** What a saved view keeps of what is seen, as text; null where it is too long. */
  savedText() {
    const usual = { dataset: "", firstReducer: "", open: [], theme: null, tour: "" };
    const { text, kept } = url.format({ ...this.seen(), ...usual }, LENGTHS.state);
    return Object.keys(kept).length || text.length > LENGTHS.state ? null : text;
  }

  /** All that an address holds. */
  seen() {
    const { viewer, controls, view } = this;
    const { collection, cameraController } = viewer;
    const open = {
      filters: this.filterPanel.isOpen,
      settings: !find("settings").hidden,
      gallery: this.selection.listing,
      views: find("views").open,
    };
    return {
      ...view.state,
      dataset: collection.id,
      reducer: viewer.layoutView.isForming ? collection.reference : viewer.layoutView.reducer,
      firstReducer: collection.reducers.at(-1),
      split: viewer.layoutView.split,
      mode: viewer.pictures ? "pictures" : "dots",
      space: viewer.flat.goal ? "flat" : cameraController.flying ? "fly" : "orbit",
      among: Boolean(viewer.layoutView.around),
      // What opens with the address makes the same room for itself.
      camera:
        cameraController.isHome && (this.filterPanel.isOpen || view.state.search)
          ? null
          : moved(cameraController.goal(), cameraController.start),
      picture: viewer.highlights.clicked,
      theme: controls.chosenTheme,
      landmarks: this.landmarks.on,
      open: Object.keys(open).filter((name) => open[name]),
      tour: this.tour.current,
    };
  }
}

/** The fields that a state colours and filters by. */
export function fieldsOf({ colour = "", filters = new Map() }) {
  return [colour, ...filters.keys()];
}

/** Show the field for searches, if there is one, and say in it what can be searched for. */
function offerSearch({ images, text }) {
  find("search").hidden = !images;
  const field = find("search-text");
  field.dataset.tPlaceholder = field.dataset.tLabel = text ? "searchAll" : "search";
  field.placeholder = t(field.dataset.tPlaceholder);
  field.setAttribute("aria-label", field.placeholder);
}

/** A camera's numbers, or null where they are those of the start. */
function moved(camera, start) {
  return camera.some((value, index) => Math.abs(value - start[index]) > 1e-3) ? camera : null;
}
