// Keys: the camera's, wherever the focus is but where one types; Enter and Escape, with the focus where it belongs; and
// what is in the middle, said to those who hear the page.

import { QUERY_IMAGE } from "../render/cloud.js";
import { hint } from "./controls.js";
import { frame, tellAround } from "../data/frame.js";
import { find, isTypedIn } from "./dom.js";
import { t } from "../i18n/index.js";
import * as notifications from "./notifications.js";
import { free } from "./free_area.js";
import * as panels from "./panels.js";

const MOVES = ["KeyW", "KeyA", "KeyS", "KeyD", "KeyQ", "KeyE"];
const ARROWS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
const STILL = 500; // milliseconds without a move, after which the middle is said

export class Keyboard {
  constructor(viewer, { controls, details, selection, filterPanel, search, landmarks, viewsDialog }) {
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
    this.controls = controls;
    this.details = details;
    this.selection = selection;
    this.filterPanel = filterPanel;
    this.search = search;
    this.landmarks = landmarks;
    this.viewsDialog = viewsDialog;

    this.timer = 0;
    const { canvas } = viewer;
    canvas.addEventListener("keydown", ({ key }) => key === "Enter" && this.enter());
    canvas.addEventListener("keyup", (event) => this.moved(event));
    window.addEventListener("keydown", (event) => this.pressed(event));
    window.addEventListener(
      "keyup",
      ({ code, target }) => target !== canvas && viewer.cameraController.held.delete(code),
    );
    // A choice that was made with the mouse leaves the keys to the cloud: arrows would change it.
    find("tools").addEventListener("click", (/** @type {any} */ { target, detail }) => {
      if (detail > 0 && target.matches("input[type=radio]")) canvas.focus({ preventScroll: true });
    });
    for (const dialog of document.querySelectorAll("dialog")) {
      dialog.addEventListener("close", () => {
        if (document.activeElement === document.body) this.home();
      });
    }
  }

  home() {
    this.viewer.canvas.focus({ preventScroll: true });
  }

  /** The picture in the middle of what is free of the cloud, or -1. */
  middle() {
    const { left, right, top, bottom } = free();
    return this.viewer.rowAt((left + right) / 2, (top + bottom) / 2);
  }

  enter() {
    const row = this.middle();
    if (row < 0) return;
    this.filterPanel.giveWay();
    this.details.click(row);
    find("panel").focus({ preventScroll: true });
  }

  pressed(event) {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const { code, key, ctrlKey, metaKey, altKey } = event;
    const target = event.target instanceof Element ? event.target : document.body;
    const types = isTypedIn(target);
    if (key === "F6" && frame()) {
      event.preventDefault();
      tellAround("over");
    } else if (key === "?" && !types) hint();
    else if (key.toLowerCase() === "v" && !types && !ctrlKey && !metaKey && !altKey) this.viewsDialog.open();
    else if (key === "Escape") this.escape();
    else if (target !== this.viewer.canvas && this.moves(code, target, types))
      this.viewer.cameraController.keyDown(event);
  }

  moves(code, target, types) {
    return !types && (MOVES.includes(code) || (ARROWS.includes(code) && target === document.body));
  }

  escape() {
    const { controls, details, filterPanel, landmarks, search, selection, viewer } = this;
    const { activeElement } = document;
    const inside = ["panel", "filters", "settings"].find((id) => find(id).contains(activeElement));
    if (!find("settings").hidden) controls.settings(false);
    else if (!find("filters").hidden) filterPanel.close();
    else if (search.list && [-1, QUERY_IMAGE].includes(viewer.highlights.clicked)) search.leave();
    else if (viewer.highlights.clicked !== -1) details.close();
    else if (landmarks.card.cluster) landmarks.card.close();
    else if (viewer.rowStyles.chosen.size) selection.clear();
    else selection.leave();
    if (!inside || !find(inside).hidden) return;
    const opener = { filters: "filters-open", settings: "tune" }[inside];
    if (opener) find(opener).focus();
    else this.home();
  }

  /** A key that moves the camera was let go. */
  moved({ code }) {
    if (!MOVES.includes(code) && !ARROWS.includes(code)) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.say(), STILL);
  }

  async say() {
    const row = this.middle();
    if (row < 0) return;
    const { collection } = this.viewer;
    if (collection.offers.images && !collection.cachedRecord(row)) await collection.record(row).catch(() => null);
    if (this.viewer.collection === collection)
      notifications.announce(t("inTheMiddle", { name: panels.nameOf(collection, row) }));
  }
}
