// The page of two collections side by side, each the ordinary page in a frame: its address and its title follow what both
// show, and what one tells is passed on to the other.

import { comparison } from "./data/frame.js";
import { find } from "./ui/dom.js";
import { setLanguage, t } from "./i18n/index.js";
import * as storage from "./data/storage.js";

const SIDES = ["left", "right"]; // names of parameters and frames
const WORDS = { left: "onLeft", right: "onRight" };
const PASSED_ON = ["choose", "find"];

const frames = SIDES.map((side) => /** @type {HTMLIFrameElement} */ (find(side)));
const wanted = new URLSearchParams(location.search);
const queries = SIDES.map((side) => wanted.get(side) ?? "");

setLanguage(storage.language());
document.documentElement.dataset.theme = storage.theme();
name();
for (const [at, frame] of frames.entries()) {
  const other = frames[1 - at];
  frame.addEventListener("address", () => follow(at));
  frame.addEventListener("looks", () => look(frame));
  frame.addEventListener("alone", () => location.assign(frame.contentWindow.location.href));
  frame.addEventListener("over", () => enter(other));
  for (const event of PASSED_ON) {
    frame.addEventListener(event, (/** @type {any} */ { detail }) =>
      other.contentWindow.dispatchEvent(new CustomEvent(event, { detail })),
    );
  }
}
window.addEventListener("keydown", (event) => {
  if (event.key !== "F6") return;
  event.preventDefault();
  enter(frames[0]);
});

/** The address of a frame says something else. */
function follow(at) {
  queries[at] = frames[at].contentWindow.location.search.slice(1);
  history.replaceState(null, "", comparison(queries[0], queries[1]));
  name();
}

/** The same colours and language as in a frame. */
function look(frame) {
  const { lang, dataset } = frame.contentDocument.documentElement;
  document.documentElement.dataset.theme = dataset.theme;
  setLanguage(lang);
  name();
}

/** Call the page and its frames after the collections, as far as they are known. */
function name() {
  const names = frames.map(({ contentDocument }) => contentDocument?.getElementById("collection-name")?.textContent);
  for (const [at, side] of SIDES.entries()) frames[at].title = [t(WORDS[side]), names[at]].filter(Boolean).join(": ");
  document.title = [names.filter(Boolean).join(" | ") || t("compared"), "WWZD"].join(" – ");
}

function enter(frame) {
  frame.contentWindow.focus();
  frame.contentDocument.getElementById("cloud")?.focus({ preventScroll: true });
}
