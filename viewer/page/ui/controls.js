// The bars and the settings: what is pressed there → how the cloud is shown, and back.

import { fill, find, h, KeyedList, save } from "./dom.js";
import { hear, sharedAddress, tellAround } from "../data/frame.js";
import { setLanguage, currentLanguage, t } from "../i18n/index.js";
import * as storage from "../data/storage.js";
import { titleOf } from "./layout_names.js";
import * as notifications from "./notifications.js";

const SPACES = ["orbit", "fly", "flat"];

export class Controls {
  /** `use(tool)` is told which one the pointer holds, `changed()` that the cloud is shown in another way, `spoke()` of a language. */
  constructor(viewer, view, { use, changed, spoke }) {
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
    this.view = view;
    this.changed = changed;
    this.spoke = spoke;

    this.fits = true; // whether all that is seen stands in the address
    /** What is chosen here holds beside this page too. */
    const chosen = { theme: (name) => this.chooseTheme(name), language: (name) => this.chooseLanguage(name) };
    hear("choose", ({ what, name }) => {
      chosen[what](name);
      check(what, name);
    });
    const options = h("span", { class: "options" });
    find("reducers").append(options);
    this.layouts = new KeyedList(options, { key: (name) => name, make: (name) => this.layout(name) });
    this.radios("mode", (value) => this.mode(value));
    this.radios("space", (value) => this.space(value));
    this.radios("tool", use);
    for (const [what, choose] of Object.entries(chosen)) {
      this.radios(what, (name) => {
        choose(name);
        tellAround("choose", { what, name });
      });
    }
    check("language", currentLanguage());
    this.chosenTheme = storage.recall("theme"); // or an address asked for it
    this.theme(this.chosenTheme ?? storage.systemTheme());
    const on = (id, event, act) => find(id).addEventListener(event, act);
    on("split", "click", () => this.beside(viewer.layoutView.split ? null : this.other()));
    on("among", "click", () => this.among(!viewer.layoutView.around));
    on("reset", "click", () => viewer.overview());
    on("tune", "click", () => this.settings(find("settings").hidden));
    on("size", "input", ({ target }) => viewer.setZoom(2 ** Number(target.value)));
    on("size", "change", ({ target }) => view.change({ size: Number(target.value) }));
    view.subscribe(({ size }) => (find("size").value = size));
    on("fade", "input", ({ target }) => viewer.setFade(Number(target.value)));
    on("share", "click", () => this.share());
    on("shot", "click", async () => save(await viewer.screenshot(), "wwzd.png"));
    for (const id of ["help", "keys-open"]) on(id, "click", () => hint());
    on("menu", "click", () => this.menu(!find("tools").classList.contains("open")));
    matchMedia(storage.LIGHT).addEventListener("change", () => !this.chosenTheme && this.theme(storage.systemTheme()));
  }

  radios(name, chose) {
    for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (
      document.querySelectorAll(`input[name=${name}]`)
    )) {
      input.addEventListener("change", () => input.checked && chose(input.value));
    }
  }

  /** Have the pointer move the cloud, and not draw on it. */
  move() {
    /** @type {HTMLInputElement} */ (document.querySelector("input[name=tool][value=move]")).click();
  }

  mode(value) {
    this.viewer.setPictures(value !== "dots");
    this.changed();
  }

  space(value) {
    const { cameraController, flat } = this.viewer;
    if (cameraController.flying !== (value === "fly")) cameraController.fly(value === "fly");
    if (Boolean(flat.goal) !== (value === "flat")) this.viewer.setFlat(value === "flat");
    this.changed();
  }

  /** Show and apply what an address asks for. */
  restore({ mode, space, camera, theme, open = [] }) {
    if (theme === "dark" || theme === "light") {
      this.chosenTheme = theme;
      this.theme(theme);
    }
    this.settings(open.includes("settings"));
    this.showAs({ mode, space });
    this.viewer.cameraController.set(camera ?? this.viewer.cameraController.start);
  }

  /** Draw as pictures or dots, and move in space or on a plane. */
  showAs({ mode, space }) {
    const where = SPACES.includes(space) ? space : "orbit";
    check("mode", mode === "dots" ? "dots" : "pictures");
    check("space", where);
    this.space(where);
    this.mode(mode);
  }

  chooseTheme(name) {
    if (name === "system") storage.forget("theme");
    else storage.keep("theme", name);
    this.chosenTheme = name === "system" ? null : name;
    this.theme(this.chosenTheme ?? storage.systemTheme());
    this.changed();
  }

  chooseLanguage(name) {
    storage.keep("language", name);
    setLanguage(name);
    tellAround("looks");
    this.spoke();
  }

  theme(name) {
    document.documentElement.dataset.theme = name;
    tellAround("looks");
    check("theme", this.chosenTheme ? name : "system");
    this.viewer.setPalette(name);
  }

  /** Show or hide the tools that a narrow screen has no room for. */
  menu(open) {
    find("tools").classList.toggle("open", open);
    find("menu").setAttribute("aria-expanded", String(open));
  }

  /** The layouts to choose from. */
  reducers(known, current) {
    this.layouts.show(known);
    check("reducer", current);
    find("split").hidden = known.length < 2;
    this.panes();
  }

  /** One layout as a choice. */
  layout(name) {
    const input = h("input", { type: "radio", name: "reducer", value: name });
    input.addEventListener("change", () => this.to(name));
    return { element: h("label", {}, input, h("span", {}, name.toUpperCase())), update() {} };
  }

  /** Turn to the front for a layout on a plane, and back to turning freely for one in space. */
  plane(name) {
    const { collection, flat } = this.viewer;
    const isPlane = Boolean(collection?.isPlane(name));
    if (isPlane === Boolean(flat.goal) || (!isPlane && !this.flattened)) return;
    this.flattened = isPlane;
    check("space", isPlane ? "flat" : "orbit");
    this.space(isPlane ? "flat" : "orbit");
  }

  other() {
    return this.viewer.collection?.reducers.find((one) => one !== this.viewer.layoutView.reducer);
  }

  async to(name) {
    check("reducer", name);
    try {
      await this.viewer.layoutView.showLayout(name);
      this.plane(name);
      this.panes();
      this.changed();
    } catch (error) {
      check("reducer", this.viewer.layoutView.reducer);
      notifications.showError(error);
    }
  }

  async beside(name) {
    try {
      await this.viewer.layoutView.splitView(name);
      this.panes();
      this.changed();
    } catch (error) {
      notifications.showError(error);
    }
  }

  /** The catalogue that the upload can be shown among, or null. */
  surroundings(catalogue) {
    this.catalogue = catalogue;
    find("among").hidden = !catalogue;
    this.panes();
  }

  /** Show the upload among the catalogue's pictures, or alone; `still` if the camera is where it should be. */
  async among(on, { still = false } = {}) {
    if (on && !this.catalogue) return;
    try {
      await this.viewer.layoutView.surround(on ? this.catalogue : null);
      if (!still) this.viewer.overview();
      this.panes();
      this.changed();
    } catch (error) {
      notifications.showError(error);
    }
  }

  panes() {
    const { split, reducer } = this.viewer.layoutView;
    find("panes").hidden = !split;
    find("split").setAttribute("aria-pressed", String(Boolean(split)));
    find("among").setAttribute("aria-pressed", String(Boolean(this.viewer.layoutView.around)));
    const [left, right] = find("panes").children;
    left.textContent = this.titleOf(reducer);
    right.textContent = this.titleOf(split ?? "");
  }

  /** A layout in words. */
  titleOf(name) {
    const { collection } = this.viewer;
    return collection && name ? titleOf(collection.layout(name)) : "";
  }

  settings(shown) {
    find("settings").hidden = !shown;
    find("tune").setAttribute("aria-expanded", String(shown));
    this.changed();
  }

  share() {
    this.changed();
    return notifications.copy(sharedAddress(), t(this.fits ? "copied" : "copiedPart"));
  }
}

function check(name, value) {
  for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll(`input[name=${name}]`))) {
    input.checked = input.value === value; // none, for a layout that has no button
  }
}

/** How to move, and what else there is to press. */
export function hint() {
  const dialog = find("hint");
  if (dialog.open) return;
  fill(
    dialog,
    h("h2", { id: "hint-title", tabindex: -1, autofocus: true }, t("hintTitle")),
    h(
      "dl",
      { class: "keys" },
      t(matchMedia("(pointer: coarse)").matches ? "hintTouch" : "hint").flatMap(([key, does]) => [
        h("dt", {}, key),
        h("dd", {}, does),
      ]),
    ),
    h("div", { class: "actions" }, h("button", { class: "strong", onclick: () => dialog.close() }, t("understood"))),
  );
  dialog.showModal();
  dialog.scrollTop = 0;
}

/** The same at the first visit; not to a browser that is driven by a program. */
export function hintOnce() {
  if (storage.recall("hinted") || navigator.webdriver) return;
  storage.keep("hinted", "1");
  hint();
}
