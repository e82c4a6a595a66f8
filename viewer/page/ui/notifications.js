// What the page says beside the cloud: a line below it, one that soon goes away, how far the tiles are, and what stands
// in the cloud's place where there is none.

import { fill, find, h, icon } from "./dom.js";
import { number, t } from "../i18n/index.js";
import { errorText } from "../i18n/errors.js";

const SHOWN = 5000; // milliseconds

let leaving = 0;

export function status(text) {
  const line = find("status");
  if (line.textContent !== text) line.textContent = text;
}

export function toast(text) {
  const line = find("toast");
  line.textContent = text;
  line.hidden = false;
  clearTimeout(leaving);
  leaving = setTimeout(() => {
    line.hidden = true;
  }, SHOWN);
}

/** Put an address into the clipboard, and say so. */
export async function copy(address, said = t("copied")) {
  toast((await copied(address)) ? said : address); // where it is not, it can be copied from here
}

/** Put a text into the clipboard. Returns whether it is there: there is no clipboard outside HTTPS. */
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** A refusal's own sentence, or that nobody answers. */
export function showError(error) {
  toast(errorText(error));
}

/** What stays until it is read, with ways on, `{ label, act }`. */
export function notice(text, ...ways) {
  const close = () => line.remove();
  const line = h(
    "div",
    { class: "card notice-line" },
    h("p", {}, text),
    ways.map(({ label, act }, at) =>
      h(
        "button",
        {
          class: at ? null : "strong",
          onclick: () => {
            close();
            act();
          },
        },
        label,
      ),
    ),
    h(
      "button",
      { class: "quiet only-icon", "aria-label": t("close"), title: t("close"), onclick: close },
      icon("close"),
    ),
  );
  find("notices").append(line);
}

/** Whether the server answers; what is shown stays as it is meanwhile. */
export function setReachable(yes) {
  find("offline").hidden = yes;
}

/** For those who hear the page: what is not said elsewhere. */
export function announce(text) {
  find("said").textContent = text;
}

export function tiles({ done, total }) {
  const bar = find("progress");
  bar.hidden = done >= total;
  bar.firstElementChild.style.width = `${(100 * done) / total}%`;
  status(done < total ? t("loadingTiles", { done: number(done), total: number(total) }) : t("ready"));
  if (done >= total) setTimeout(() => find("status").textContent === t("ready") && status(""), 2500);
}

/** In the cloud's place: what is wrong, and the way on, `{ label, act }` or null. */
export function showPlaceholder(head, text, way) {
  status("");
  find("progress").hidden = true;
  fill(
    find("empty"),
    h("h2", {}, head),
    h("p", {}, text),
    way && h("button", { class: "strong", autofocus: true, onclick: way.act }, way.label),
  );
  find("empty").hidden = false;
}

export function hidePlaceholder() {
  find("empty").hidden = true;
}
