// The bars and the settings: what is pressed there → how the cloud is shown, and back.

import { fill, find, h, save } from "./dom.js";
import { speak, spoken, t } from "./i18n.js";
import * as memory from "./memory.js";
import * as notes from "./notes.js";

const SPACES = ["orbit", "fly", "flat"];

export class Controls {
  /** `use(tool)` is told which one the pointer holds, `changed()` that the cloud is shown in another way. */
  constructor(stage, { use, changed, spoke }) {
    Object.assign(this, { stage, changed });
    const themes = (name) => {
      this.theme(name);
      memory.keep("theme", name);
    };
    const languages = (name) => {
      memory.keep("language", name);
      speak(name);
      spoke();
    };
    this.radios("mode", (value) => this.mode(value));
    this.radios("space", (value) => this.space(value));
    this.radios("tool", use);
    this.radios("theme", themes);
    this.radios("language", languages);
    check("language", spoken());
    this.theme(memory.recall("theme") ?? (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark"));
    const on = (id, event, act) => find(id).addEventListener(event, act);
    on("split", "click", () => this.beside(stage.split ? null : this.other()));
    on("among", "click", () => this.among(!stage.around));
    on("reset", "click", () => stage.overview());
    on("tune", "click", () => this.settings(find("settings").hidden));
    on("size", "input", ({ target }) => stage.setZoom(2 ** Number(target.value)));
    on("fade", "input", ({ target }) => stage.setFade(Number(target.value)));
    on("share", "click", () => this.share());
    on("shot", "click", async () => save(await stage.picture(), "wwzd.png"));
    on("help", "click", () => hint());
  }

  radios(name, chose) {
    for (const input of document.querySelectorAll(`input[name=${name}]`)) {
      input.addEventListener("change", () => input.checked && chose(input.value));
    }
  }

  mode(value) {
    this.stage.setPictures(value !== "dots");
    this.changed();
  }

  space(value) {
    const { rig, flat } = this.stage;
    if (rig.flying !== (value === "fly")) rig.fly(value === "fly");
    if (Boolean(flat.goal) !== (value === "flat")) this.stage.setFlat(value === "flat");
    this.changed();
  }

  /** Show and apply what an address asks for. */
  restore({ mode, space, camera }) {
    const where = SPACES.includes(space) ? space : "orbit";
    check("mode", mode === "dots" ? "dots" : "pictures");
    check("space", where);
    this.space(where);
    this.mode(mode);
    this.stage.rig.set(camera ?? this.stage.rig.start);
  }

  theme(name) {
    document.documentElement.dataset.theme = name;
    check("theme", name);
    this.stage.setPalette(name);
  }

  /** The layouts to choose from. */
  reducers(known, current) {
    const field = find("reducers");
    const legend = field.firstElementChild;
    fill(
      field,
      legend,
      known.map((name) => {
        const input = h("input", { type: "radio", name: "reducer", value: name, checked: name === current });
        input.addEventListener("change", () => this.to(name));
        return h("label", {}, input, h("span", {}, name.toUpperCase()));
      }),
    );
    find("split").hidden = known.length < 2;
    this.panes();
  }

  other() {
    return this.stage.collection?.reducers.find((one) => one !== this.stage.reducer);
  }

  async to(name) {
    check("reducer", name);
    try {
      await this.stage.to(name);
      this.panes();
      this.changed();
    } catch (error) {
      check("reducer", this.stage.reducer);
      notes.complain(error);
    }
  }

  async beside(name) {
    try {
      await this.stage.both(name);
      this.panes();
      this.changed();
    } catch (error) {
      notes.complain(error);
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
      await this.stage.surround(on ? this.catalogue : null);
      if (!still) this.stage.overview();
      this.panes();
      this.changed();
    } catch (error) {
      notes.complain(error);
    }
  }

  panes() {
    const { split, reducer } = this.stage;
    find("panes").hidden = !split;
    find("split").setAttribute("aria-pressed", String(Boolean(split)));
    find("among").setAttribute("aria-pressed", String(Boolean(this.stage.around)));
    const [left, right] = find("panes").children;
    left.textContent = reducer.toUpperCase();
    right.textContent = (split ?? "").toUpperCase();
  }

  settings(shown) {
    find("settings").hidden = !shown;
    find("tune").setAttribute("aria-expanded", String(shown));
  }

  async share() {
    this.changed();
    try {
      await navigator.clipboard.writeText(location.href);
      notes.toast(t("copied"));
    } catch {
      notes.toast(location.href); // no clipboard outside HTTPS: it can be copied from here
    }
  }
}

function check(name, value) {
  const input = document.querySelector(`input[name=${name}][value="${value}"]`);
  if (input) input.checked = true;
}

/** How to move, and what else there is to press. */
export function hint() {
  const dialog = find("hint");
  if (dialog.open) return;
  fill(
    dialog,
    h("h2", { id: "hint-title" }, t("hintTitle")),
    h(
      "dl",
      { class: "keys" },
      t("hint").flatMap(([key, does]) => [h("dt", {}, key), h("dd", {}, does)]),
    ),
    h(
      "div",
      { class: "actions" },
      h("button", { class: "strong", autofocus: true, onclick: () => dialog.close() }, t("understood")),
    ),
  );
  dialog.showModal();
}

/** The same at the first visit; not to a browser that is driven by a program. */
export function hintOnce() {
  if (memory.recall("hinted") || navigator.webdriver) return;
  memory.keep("hinted", "1");
  hint();
}
