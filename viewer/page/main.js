// The page: puts the parts together, and keeps the address and what stands beside the cloud in step with it.

import * as api from "./api.js";
import { Collection } from "./collection.js";
import { fill, find, h, save } from "./dom.js";
import { many, number, speak, spoken, t } from "./i18n.js";
import { Metadata } from "./metadata.js";
import * as panels from "./panels.js";
import { face } from "./pictures.js";
import { Pointer } from "./pointer.js";
import { Stage } from "./stage.js";
import { Uploader } from "./uploader.js";
import * as url from "./url.js";

const facts = JSON.parse(find("facts").textContent);
const NEIGHBOURS = 12;
const remembered = {
  get: (name) => {
    try {
      return localStorage.getItem(`wwzd.${name}`);
    } catch {
      return null; // a browser that keeps nothing
    }
  },
  set: (name, value) => {
    try {
      localStorage.setItem(`wwzd.${name}`, value);
    } catch {
      // It is asked again next time.
    }
  },
};

let stage;
let pointer;
let uploader;
let metadata;
let shown = 0; // counts what was opened, so that late answers for what was left are dropped
let toasted = 0;

function start() {
  performance.mark("wwzd:script");
  speak(remembered.get("language") ?? (navigator.language.startsWith("pl") ? "pl" : "en"));
  find("app").hidden = false;
  try {
    stage = new Stage(find("cloud"));
  } catch {
    return message(t("failed"), t("noWebgl"));
  }
  performance.mark("wwzd:stage");
  window.wwzd = { stage, facts }; // for the console, tests and benchmarks
  theme(remembered.get("theme") ?? (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark"));
  pointer = new Pointer(stage, { hover, click, outline, shape });
  uploader = new Uploader({
    offers: facts.offers,
    early: arriving,
    done: arrived,
    tell: status,
    similar: facts.offers.search ? similar : null,
  });
  metadata = new Metadata(stage, status);
  api.waiting.tell = (on) => on && status(t("waiting"));
  stage.addEventListener("settled", remember);
  stage.addEventListener("tiles", ({ detail }) => tiles(detail));
  stage.addEventListener("fault", () => toast(t("fault")));
  stage.addEventListener("frame", followHover);
  controls();
  window.addEventListener("popstate", restore);
  restore();
}

// What is shown.

async function restore() {
  const state = url.read();
  await open(state.dataset, state);
}

async function open(id, state = {}) {
  const turn = ++shown;
  panels.hide();
  find("empty").hidden = true;
  stage.leave();
  metadata.reset();
  hover(-1);
  status(t("loadingPoints"));
  try {
    const collection = id ? await Collection.dataset(id, facts) : Collection.catalogue(facts);
    if (turn !== shown) return;
    title(collection);
    if (!collection.count) return message(t("emptyTitle"), t("emptyText"), true);
    const reducer = collection.reducers.includes(state.reducer) ? state.reducer : collection.reducers.at(-1);
    reducers(collection, reducer);
    check("mode", state.mode === "dots" ? "dots" : "pictures");
    check("space", ["orbit", "fly", "flat"].includes(state.space) ? state.space : "orbit");
    space(find("app").querySelector("input[name=space]:checked").value);
    stage.setPictures(state.mode !== "dots");
    if (state.camera) stage.rig.set(state.camera);
    else stage.rig.set(stage.rig.start);
    find("search").hidden = !collection.offers.images;
    await stage.show(collection, reducer);
    if (turn !== shown) return;
    metadata.offer(collection);
    status(t("loadingTiles", { done: 0, total: number(collection.ranges) }));
    if (collection.reducers.includes(state.split)) await beside(state.split);
    if (state.chosen?.length) chosen(state.chosen.filter((row) => row >= 0 && row < collection.count));
    if (state.picture >= 0 && state.picture < collection.count) click(state.picture);
    hint();
  } catch (error) {
    if (turn !== shown) return;
    const words = error instanceof api.ApiError ? (error.status === 404 ? t("notHere") : error.message) : error.message;
    message(t("failed"), words || t("offline"));
  }
}

function title({ kind, name, count }) {
  const words = name || t(kind === "catalogue" ? "catalogue" : "upload");
  find("collection-name").textContent = words;
  find("collection-count").textContent = number(count);
  document.title = `${words} – WWZD`;
  stage.canvas.setAttribute("aria-label", t("canvas", { name: words, count: number(count) }));
}

function message(head, text, add = false) {
  status("");
  find("progress").hidden = true;
  fill(
    find("empty"),
    h("h2", {}, head),
    h("p", {}, text),
    add
      ? h("button", { class: "strong", autofocus: true, onclick: () => uploader.ask() }, t("add"))
      : stage && h("button", { class: "strong", autofocus: true, onclick: () => go("") }, t("toCatalogue")),
  );
  find("empty").hidden = false;
}

function go(id) {
  history.pushState(null, "", id ? `?dataset=${id}` : location.pathname);
  return open(id);
}

function tiles({ done, total }) {
  const bar = find("progress");
  bar.hidden = done >= total;
  bar.firstElementChild.style.width = `${(100 * done) / total}%`;
  status(done < total ? t("loadingTiles", { done: number(done), total: number(total) }) : t("ready"));
  if (done >= total) setTimeout(() => find("status").textContent === t("ready") && status(""), 2500);
}

function status(words) {
  const line = find("status");
  if (line.textContent !== words) line.textContent = words;
}

function toast(words) {
  const line = find("toast");
  line.textContent = words;
  line.hidden = false;
  clearTimeout(toasted);
  toasted = setTimeout(() => {
    line.hidden = true;
  }, 5000);
}

/** The address follows what is seen. */
function remember() {
  const { collection } = stage;
  if (!collection) return;
  const camera = stage.rig.get();
  url.write({
    dataset: collection.id,
    reducer: stage.reducer,
    firstReducer: collection.reducers.at(-1),
    split: stage.split,
    mode: stage.pictures ? "pictures" : "dots",
    space: stage.flat.goal ? "flat" : stage.rig.flying ? "fly" : "orbit",
    camera: camera.some((value, index) => Math.abs(value - stage.rig.start[index]) > 1e-3) ? camera : null,
    picture: stage.clicked,
    chosen: [...stage.chosen],
  });
}

// Under the pointer.

let hoverRow = -1;

async function hover(row, x = 0, y = 0) {
  stage.hover(row);
  const card = find("hover");
  stage.canvas.classList.toggle("over", row >= 0);
  if (row < 0 || row === stage.clicked) {
    hoverRow = -1;
    card.hidden = true;
    return;
  }
  if (row !== hoverRow) {
    hoverRow = row;
    const name = h("p", {}, panels.nameOf(stage.collection, row));
    fill(card, face(stage.collection, row, 132, stage.cloud.shape(row)), name);
    if (stage.collection.offers.images && !stage.collection.known(row)) {
      stage.collection.record(row).then(
        (record) => record && hoverRow === row && fill(name, record.name),
        () => {},
      );
    }
  }
  card.hidden = false;
  const { innerWidth, innerHeight } = window;
  const { offsetWidth, offsetHeight } = card;
  const left = x + 24 + offsetWidth > innerWidth ? x - 20 - offsetWidth : x + 20;
  card.style.translate = `${Math.max(4, left)}px ${Math.max(4, Math.min(y + 16, innerHeight - offsetHeight - 6))}px`;
}

function followHover() {
  if (stage.morph) hover(-1);
}

async function click(row) {
  if (row < 0) return closeDetails();
  const { collection } = stage;
  stage.click(row);
  const panel = panels.details(stage, row, { close: closeDetails, open: openPicture, share });
  remember();
  if (collection.offers.images && !collection.known(row)) {
    collection.record(row).then(
      (record) => record && stage.collection === collection && stage.clicked === row && click(row),
      () => {},
    );
    return;
  }
  if (!collection.offers.neighbors) return;
  try {
    const { neighbors } = await collection.neighbors(row, NEIGHBOURS);
    if (stage.collection !== collection || stage.clicked !== row) return;
    await Promise.all(neighbors.map(({ index }) => collection.record(index).catch(() => null)));
    if (stage.clicked !== row) return;
    stage.click(
      row,
      neighbors.map(({ index }) => index),
    );
    panel.neighbours(neighbors);
  } catch {
    if (stage.clicked === row) panel.noNeighbours();
  }
}

function openPicture(row) {
  click(row);
  stage.approach(row);
  find("panel").focus({ preventScroll: true });
}

function closeDetails() {
  stage.click(-1);
  if (stage.chosen.size) gallery();
  else panels.hide();
  remember();
}

// Chosen pictures.

function shape(points) {
  find("outline").firstElementChild.setAttribute("points", points.map((point) => point.join(",")).join(" "));
}

function outline(points, added) {
  const rows = stage.within(points);
  chosen(added ? [...stage.chosen, ...rows] : rows);
}

function chosen(rows) {
  stage.click(-1);
  stage.choose(rows);
  gallery();
  status(rows.length ? many("selected", stage.chosen.size) : t("nothingSelected"));
  remember();
}

function gallery() {
  panels.selection(stage, [...stage.chosen], {
    close: clear,
    clear,
    open: openPicture,
    download,
    only: stage.chosen.size < stage.collection.count ? onlyChosen : null,
  });
}

function clear() {
  stage.choose([]);
  status("");
  panels.hide();
  remember();
}

function onlyChosen() {
  const skip = new Uint8Array(stage.collection.count).fill(1);
  for (const row of stage.chosen) skip[row] = 0;
  stage.choose([]);
  stage.filter(skip);
  panels.hide();
  hiddenNote(skip);
}

function hiddenNote(skip) {
  const hidden = skip.reduce((sum, value) => sum + value, 0);
  const note = find("status");
  if (!hidden) return status("");
  fill(note, many("hidden", hidden), " ", h("button", { class: "quiet", onclick: showAll }, t("showAll")));
  note.style.pointerEvents = "auto";
}

function showAll() {
  stage.filter(new Uint8Array(stage.collection.count));
  status("");
}

/** Row and name of each chosen picture. */
async function download() {
  const { collection } = stage;
  const rows = [...stage.chosen].sort((a, b) => a - b);
  if (collection.offers.images) {
    const pages = new Set(rows.map((row) => Math.floor(row / 1000)));
    await Promise.all([...pages].map((page) => collection.page(page).catch(() => null)));
  }
  const lines = rows.map((row) => [row, quoted(collection.known(row)?.name ?? "")].join(","));
  save(new Blob([`index,name\r\n${lines.join("\r\n")}\r\n`], { type: "text/csv" }), "wwzd-selection.csv");
}

function quoted(text) {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// Looking for pictures.

async function search(text) {
  const { collection } = stage;
  status(t("searching"));
  const rows = await collection.search(text);
  if (stage.collection !== collection) return;
  status("");
  panels.results(stage, rows, {
    title: many("results", rows.length),
    empty: t("noResults"),
    close: closeDetails,
    open: openPicture,
    choose: () => chosen(rows),
  });
}

/** A picture from outside → the pictures most like it. */
async function similar(file) {
  const { collection } = stage;
  status(t("searching"));
  const form = new FormData();
  form.append("file", file);
  try {
    const where = collection.kind === "catalogue" ? "catalogue" : collection.id;
    const found = await api.json(`/search?in=${where}&k=24`, { method: "POST", body: form, headers: api.proof() });
    if (stage.collection !== collection) return;
    const rows = found.neighbors.map(({ index }) => index);
    await Promise.all(rows.map((row) => collection.record(row).catch(() => null)));
    stage.click(-1, rows);
    const image = h("img", { src: URL.createObjectURL(file), alt: file.name });
    panels.results(stage, rows, {
      title: t("similar"),
      image,
      notes: found.neighbors.map(({ similarity }) => `${Math.round(100 * similarity)} %`),
      close: closeDetails,
      open: openPicture,
      choose: () => chosen(rows),
    });
    status("");
  } catch (error) {
    status("");
    toast(error.message || t("offline"));
  }
}

// Controls.

function controls() {
  const on = (id, event, act) => find(id).addEventListener(event, act);
  for (const name of ["mode", "space", "tool", "theme", "language"]) {
    for (const input of document.querySelectorAll(`input[name=${name}]`)) {
      input.addEventListener("change", () => input.checked && chose(name, input.value));
    }
  }
  check("language", spoken());
  on("split", "click", () =>
    beside(stage.split ? null : stage.collection?.reducers.find((one) => one !== stage.reducer)),
  );
  on("reset", "click", () => stage.rig.go(stage.rig.start));
  on("tune", "click", () => toggle("settings", "tune"));
  on("size", "input", ({ target }) => stage.setZoom(2 ** Number(target.value)));
  on("fade", "input", ({ target }) => stage.setFade(Number(target.value)));
  on("share", "click", share);
  on("shot", "click", async () => save(await stage.picture(), "wwzd.png"));
  on("help", "click", () => hint(true));
  on("add", "click", () => uploader.ask());
  on("collection", "click", collections);
  on("filters-open", "click", () => metadata.open().catch((error) => toast(error.message || t("offline"))));
  on("colour", "change", ({ target }) => metadata.colour(target.value).catch((error) => toast(error.message)));
  on("search", "submit", (event) => {
    event.preventDefault();
    const text = find("search-text").value.trim();
    if (text && stage.collection) search(text).catch((error) => toast(error.message || t("offline")));
  });
  stage.canvas.addEventListener("keydown", ({ key }) => {
    if (key !== "Enter") return;
    const { clientWidth, clientHeight } = stage.canvas;
    const row = stage.at(clientWidth / 2, clientHeight / 2);
    if (row >= 0) click(row);
  });
  window.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || document.querySelector("dialog[open]")) return;
    if (!find("settings").hidden) toggle("settings", "tune");
    else if (!find("filters").hidden) metadata.close();
    else if (stage.clicked >= 0 || stage.neighbors.length) closeDetails();
    else if (stage.chosen.size) clear();
    else panels.hide();
  });
  reality();
}

function chose(name, value) {
  if (name === "mode") stage.setPictures(value === "pictures");
  else if (name === "space") space(value);
  else if (name === "tool") pointer.use(value);
  else if (name === "theme") {
    theme(value);
    remembered.set("theme", value);
  } else {
    remembered.set("language", value);
    speak(value);
    if (stage.collection) title(stage.collection);
  }
  if (name === "mode" || name === "space") remember();
}

function space(value) {
  if (stage.rig.flying !== (value === "fly")) stage.rig.fly(value === "fly");
  if (Boolean(stage.flat.goal) !== (value === "flat")) stage.setFlat(value === "flat");
}

function check(name, value) {
  const input = document.querySelector(`input[name=${name}][value="${value}"]`);
  if (input) input.checked = true;
}

function reducers({ reducers: known }, current) {
  const field = find("reducers");
  const legend = field.firstElementChild;
  fill(
    field,
    legend,
    known.map((name) => {
      const input = h("input", { type: "radio", name: "reducer", value: name, checked: name === current });
      input.addEventListener("change", () => to(name));
      return h("label", {}, input, h("span", {}, name.toUpperCase()));
    }),
  );
  find("split").hidden = known.length < 2;
  panes();
}

async function to(name) {
  try {
    await stage.to(name);
    panes();
    remember();
  } catch (error) {
    check("reducer", stage.reducer);
    toast(error.message || t("offline"));
  }
}

async function beside(name) {
  try {
    await stage.both(name);
    panes();
    remember();
  } catch (error) {
    toast(error.message || t("offline"));
  }
}

function panes() {
  find("panes").hidden = !stage.split;
  find("split").setAttribute("aria-pressed", String(Boolean(stage.split)));
  const [left, right] = find("panes").children;
  left.textContent = stage.reducer.toUpperCase();
  right.textContent = (stage.split ?? "").toUpperCase();
}

function toggle(id, button) {
  const part = find(id);
  part.hidden = !part.hidden;
  find(button).setAttribute("aria-expanded", String(!part.hidden));
}

function theme(name) {
  document.documentElement.dataset.theme = name;
  check("theme", name);
  stage.setPalette(name);
}

async function share() {
  remember();
  try {
    await navigator.clipboard.writeText(location.href);
    toast(t("copied"));
  } catch {
    toast(location.href); // no clipboard outside HTTPS: it can be copied from here
  }
}

function hint(asked = false) {
  if (!asked && (remembered.get("hinted") || navigator.webdriver)) return;
  remembered.set("hinted", "1");
  const dialog = find("hint");
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

/** A button where the browser shows virtual reality. */
async function reality() {
  if (!(await navigator.xr?.isSessionSupported("immersive-vr").catch(() => false))) return;
  const button = find("vr");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const { renderer } = stage.cloud;
    const session = await navigator.xr.requestSession("immersive-vr", { optionalFeatures: ["local-floor"] });
    renderer.xr.enabled = true;
    await renderer.xr.setSession(session);
    renderer.setAnimationLoop(() => stage.draw());
    session.addEventListener("end", () => {
      renderer.setAnimationLoop(null);
      renderer.xr.enabled = false;
      stage.invalidate();
    });
  });
}

// Collections.

/** The first layout is there, others are still computed. */
function arriving({ id }) {
  return go(id);
}

async function arrived({ id, name }) {
  const known = recent().filter((entry) => entry.id !== id);
  remembered.set("uploads", JSON.stringify([{ id, name }, ...known].slice(0, 30)));
  const { collection } = stage;
  if (collection?.id === id) {
    const fresh = await Collection.dataset(id, facts);
    Object.assign(collection, { reducers: fresh.reducers, facts: fresh.facts, offers: fresh.offers });
    find("search").hidden = !collection.offers.images;
    metadata.offer(collection);
    reducers(collection, stage.reducer);
    check("reducer", collection.reducers.at(-1));
    await to(collection.reducers.at(-1));
  } else {
    await go(id);
  }
  toast(t("done", { name }));
}

/** The uploads made from this browser: all there is to list where the server does not list them. */
function recent() {
  try {
    return JSON.parse(remembered.get("uploads")) ?? [];
  } catch {
    return [];
  }
}

async function collections() {
  const dialog = find("collections");
  const current = stage.collection?.id ?? "";
  const list = h("ul", { class: "list" });
  const show = (id) => {
    dialog.close();
    go(id);
  };
  fill(
    dialog,
    panels.heading(t("collections"), () => dialog.close(), { id: "collections-title" }),
    facts.catalogue.total > 0 &&
      h(
        "ul",
        { class: "list" },
        entry(facts.catalogue.name, facts.catalogue.total, () => show(""), current === ""),
      ),
    h("h3", {}, t("uploads")),
    list,
  );
  dialog.showModal();
  // A server may keep its list to itself: then there are this browser's own uploads.
  const listed = facts.offers.list
    ? await api.json("/dataset?status=ready&limit=100").then(
        ({ datasets }) => datasets,
        () => null,
      )
    : null;
  const found = listed ?? recent();
  fill(
    list,
    found.length
      ? found.map(({ id, name, count }) =>
          entry(name, count, () => show(id), current === id, listed && (() => erase(id, name, dialog))),
        )
      : h("li", { class: "soft" }, t("noUploads")),
  );
}

function entry(name, count, show, current, erase = null) {
  return h(
    "li",
    {},
    h(
      "button",
      { onclick: show, "aria-current": current ? "true" : null },
      h("b", {}, name),
      count !== undefined && h("small", {}, many("count", count)),
    ),
    erase &&
      h(
        "button",
        { class: "quiet only-icon", onclick: erase, "aria-label": `${t("delete")}: ${name}`, title: t("delete") },
        panels.icon("trash"),
      ),
  );
}

function erase(id, name, dialog) {
  fill(
    dialog,
    panels.heading(t("delete"), () => dialog.close(), { id: "collections-title" }),
    h("p", {}, t("sure", { name })),
    h(
      "div",
      { class: "actions" },
      h(
        "button",
        {
          class: "strong",
          autofocus: true,
          onclick: async () => {
            dialog.close();
            try {
              await api.remove(`/dataset/${id}`);
              toast(t("deleted"));
              if (stage.collection?.id === id) go("");
            } catch (error) {
              toast(t("deleteFailed", { reason: error.message || t("offline") }));
            }
          },
        },
        t("delete"),
      ),
      h("button", { onclick: () => dialog.close() }, t("cancel")),
    ),
  );
}

start();
