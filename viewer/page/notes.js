// What the page says beside the cloud: a line below it, one that soon goes away, how far the tiles are, and what stands
// in the cloud's place where there is none.

import { fill, find, h } from "./dom.js";
import { number, t } from "./i18n.js";

const SHOWN = 5000; // milliseconds

let leaving = 0;

export function status(words) {
  const line = find("status");
  if (line.textContent !== words) line.textContent = words;
}

/** The same line, with something to press. */
export function offer(words, label, act) {
  fill(find("status"), words, " ", h("button", { class: "quiet", onclick: act }, label));
}

export function toast(words) {
  const line = find("toast");
  line.textContent = words;
  line.hidden = false;
  clearTimeout(leaving);
  leaving = setTimeout(() => {
    line.hidden = true;
  }, SHOWN);
}

/** A refusal's own sentence, or that nobody answers. */
export function complain(error) {
  toast(error.message || t("offline"));
}

export function tiles({ done, total }) {
  const bar = find("progress");
  bar.hidden = done >= total;
  bar.firstElementChild.style.width = `${(100 * done) / total}%`;
  status(done < total ? t("loadingTiles", { done: number(done), total: number(total) }) : t("ready"));
  if (done >= total) setTimeout(() => find("status").textContent === t("ready") && status(""), 2500);
}

/** In the cloud's place: what is wrong, and the way on, `{ label, act }` or null. */
export function instead(head, text, way) {
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

export function nothingInstead() {
  find("empty").hidden = true;
}
