// The page: makes its parts, and tells each what it has to know of the others.

import * as api from "./api.js";
import { Collections } from "./collections.js";
import { Controls, hint } from "./controls.js";
import { Details } from "./details.js";
import { find } from "./dom.js";
import { speak, t } from "./i18n.js";
import * as memory from "./memory.js";
import { Metadata } from "./metadata.js";
import * as notes from "./notes.js";
import { Opening } from "./opening.js";
import * as panels from "./panels.js";
import { Pointer } from "./pointer.js";
import { reality } from "./reality.js";
import { Search } from "./search.js";
import { Selection } from "./selection.js";
import { Stage } from "./stage.js";
import { Uploader } from "./uploader.js";

performance.mark("wwzd:script");
speak(memory.recall("language") ?? (navigator.language.startsWith("pl") ? "pl" : "en"));
find("app").hidden = false;
const facts = JSON.parse(find("facts").textContent);
const stage = begun();
if (stage) start();

function begun() {
  try {
    return new Stage(find("cloud"));
  } catch {
    notes.instead(t("failed"), t("noWebgl"), null);
    return null;
  }
}

function start() {
  performance.mark("wwzd:stage");
  window.wwzd = { stage, facts }; // for the console, tests and benchmarks
  const changed = () => opening.remember();
  const selection = new Selection(stage, { open: (row) => details.open(row), changed });
  const details = new Details(stage, {
    closed: () => (stage.chosen.size ? selection.gallery() : panels.hide()),
    changed,
    share: () => controls.share(),
  });
  const pointer = new Pointer(stage, {
    hover: (...where) => details.hover(...where),
    click: (row) => details.click(row),
    outline: (points, added) => selection.outline(points, added),
    shape: selection.shape,
  });
  const controls = new Controls(stage, {
    use: (tool) => pointer.use(tool),
    changed,
    spoke: () => stage.collection && opening.title(stage.collection),
  });
  const search = new Search(stage, {
    open: (row) => details.open(row),
    close: () => details.close(),
    choose: (rows) => selection.choose(rows),
  });
  const metadata = new Metadata(stage, { told: notes.status, failed: notes.complain });
  const uploader = new Uploader({
    offers: facts.offers,
    early: ({ id }) => opening.go(id),
    done: async ({ id, name }) => {
      memory.keepUpload(id, name);
      await opening.arrived(id);
      notes.toast(t("done", { name }));
    },
    tell: notes.status,
    similar: facts.offers.search ? (file) => search.byPicture(file) : null,
  });
  const add = () => uploader.ask();
  const opening = new Opening(stage, facts, { controls, details, selection, metadata, add });
  new Collections(facts, { go: (id) => opening.go(id), current: () => stage.collection?.id ?? null });
  find("add").addEventListener("click", add);
  find("filters-open").addEventListener("click", () => metadata.toggle());
  find("colour").addEventListener("change", ({ target }) => metadata.colour(target.value));
  api.waiting.tell = (on) => on && notes.status(t("waiting"));
  stage.addEventListener("tiles", ({ detail }) => notes.tiles(detail));
  stage.addEventListener("fault", () => notes.toast(t("fault")));
  keys({ controls, details, selection, metadata });
  reality(stage);
  opening.restore();
}

function keys({ controls, details, selection, metadata }) {
  stage.canvas.addEventListener("keydown", ({ key }) => {
    if (key !== "Enter") return;
    const { clientWidth, clientHeight } = stage.canvas;
    const row = stage.at(clientWidth / 2, clientHeight / 2);
    if (row >= 0) details.click(row);
  });
  window.addEventListener("keydown", ({ key, target }) => {
    if (document.querySelector("dialog[open]")) return;
    if (key === "?" && !target.matches("input, select")) hint();
    if (key !== "Escape") return;
    if (!find("settings").hidden) controls.settings(false);
    else if (!find("filters").hidden) metadata.close();
    else if (stage.marks.clicked !== -1) details.close();
    else if (stage.chosen.size) selection.clear();
    else panels.hide();
  });
}
