// What stands beside the cloud: the clicked picture, a gallery of the chosen ones, what a search found.

import { frame, tellAround } from "../data/frame.js";
import { free } from "./free_area.js";
import { fill, find, h, icon } from "./dom.js";
import { plural, number, t } from "../i18n/index.js";
import { thumbnailElement, original, originalElement } from "./picture_elements.js";

const AT_ONCE = 60;

export function heading(title, close, { id = null } = {}) {
  return h(
    "div",
    { class: "head" },
    h("h2", { id }, title),
    h(
      "button",
      { class: "quiet only-icon", "aria-label": t("close"), title: t("close"), onclick: close },
      icon("close"),
    ),
  );
}

export function nameOf(collection, row) {
  return collection.cachedRecord(row)?.name ?? t("picture", { n: number(row + 1) });
}

/** Pictures as buttons, some at first and more on demand. `notes` is a line below each. */
export function gallery(viewer, rows, open, { notes = null } = {}) {
  const list = h("ul", { class: "faces" });
  const more = h("button", { class: "more", onclick: () => grow() });
  let shown = 0;
  const grow = () => {
    for (const [place, row] of rows.slice(shown, shown + AT_ONCE).entries()) {
      const name = nameOf(viewer.collection, row);
      list.append(
        h(
          "li",
          {},
          h(
            "button",
            {
              title: name,
              "aria-label": name,
              onclick: () => open(row),
              onpointerenter: () => viewer.highlights.hover(row),
              onpointerleave: () => viewer.highlights.hover(-1),
              onfocus: () => viewer.highlights.hover(row),
              onblur: () => viewer.highlights.hover(-1),
            },
            thumbnailElement(viewer.collection, row, 64, viewer.cloud.shape(row)),
          ),
          notes && h("p", { class: "share" }, notes[shown + place]),
        ),
      );
    }
    shown = Math.min(rows.length, shown + AT_ONCE);
    more.hidden = shown >= rows.length;
    more.textContent = t("showMore", { n: number(Math.min(AT_ONCE, rows.length - shown)) });
  };
  grow();
  return h("div", {}, list, more);
}

function show(...children) {
  const panel = find("panel");
  const held = panel.contains(document.activeElement);
  panel.dataset.kind = "";
  fill(panel, ...children);
  panel.hidden = false;
  if (held) panel.focus({ preventScroll: true });
  panel.scrollTop = 0;
}

/** What the panel shows, as far as it was said, or "" while it is closed. */
export function kind() {
  const panel = find("panel");
  return panel.hidden ? "" : (panel.dataset.kind ?? "");
}

export function hide() {
  const panel = find("panel");
  const held = panel.contains(document.activeElement);
  panel.hidden = true;
  if (held) find("cloud").focus({ preventScroll: true });
}

/** The clicked picture. What is known of it, and its neighbours, follow in their places once they are there. */
export function details(viewer, row, { close, open, share }) {
  const { collection } = viewer;
  const head = heading("", close);
  const picture = h("div", { class: "portrait" });
  const link = h("a", { target: "_blank", rel: "noopener" }, t("original"));
  const beside = h("button", { class: "quiet", hidden: true }, icon("split"), t("findBeside"));
  beside.addEventListener("click", () => tellAround("find", nameOf(collection, row)));
  const neighbours = h("div", { id: "neighbours" });
  const about = h("div", {});
  const tell = () => {
    const record = collection.cachedRecord(row);
    const name = nameOf(collection, row);
    const address = original(collection, row);
    const known = facts(record);
    find("panel").setAttribute("aria-label", name);
    head.firstElementChild.textContent = name;
    fill(picture, originalElement(collection, row, viewer.cloud.shape(row)));
    link.hidden = !address;
    if (address) link.href = address;
    beside.hidden = !frame() || !collection.cachedRecord(row);
    fill(about, known.length > 0 && folded(t("about"), h("dl", {}, known)));
  };
  tell();
  show(
    head,
    picture,
    h(
      "div",
      { class: "actions more" },
      h("button", { onclick: () => viewer.approach(row, free()) }, t("goThere")),
      h("button", { class: "quiet", onclick: share }, icon("link"), t("copyLink")),
      beside,
      link,
    ),
    neighbours,
    about,
  );
  return {
    tell,
    neighbours: (found) => {
      fill(
        neighbours,
        h("h3", {}, t("neighbours")),
        gallery(
          viewer,
          found.map(({ index }) => index),
          open,
          {
            notes: found.map(({ similarity }) => `${Math.round(100 * similarity)} %`),
          },
        ),
      );
    },
    noNeighbours: () => fill(neighbours, h("p", { class: "soft" }, t("noNeighbours"))),
  };
}

let unfolded = false; // whether what is known of a picture is shown: once unfolded, of the next one too

function folded(title, ...inside) {
  const element = h("details", { class: "about", open: unfolded }, h("summary", {}, title), inside);
  element.addEventListener("toggle", () => {
    unfolded = element.open;
  });
  return element;
}

function facts(record) {
  if (!record) return [];
  const rows = [];
  if (record.width) rows.push([`${number(record.width)} × ${number(record.height)}`, "px"]);
  if (record.bytes) rows.push([`${number(Math.ceil(record.bytes / 1024))} KiB`, ""]);
  const size = rows.map((parts) => parts.join(" ").trim()).join(", ");
  const entries = Object.entries(record.metadata ?? {});
  return [
    ...(size ? [h("dt", {}, "↔"), h("dd", {}, size)] : []),
    ...entries.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, String(value))]),
  ];
}

/** The pictures inside a lasso or a box, or those that a search found. */
export function selection(viewer, rows, { title = null, close, open, clear, download, only }) {
  const { archive } = viewer.collection;
  find("panel").setAttribute("aria-label", title ?? plural("selected", rows.length));
  show(
    heading(title ?? plural("selected", rows.length), close),
    rows.length ? gallery(viewer, rows, open) : h("p", { class: "soft" }, t("nothingSelected")),
    rows.length > 0 &&
      h(
        "div",
        { class: "actions more" },
        h("button", { id: "export", onclick: download }, t("export")),
        archive && h("a", { href: archive, download: true }, t("everything")),
        ...cloudFiles(viewer),
        only && h("button", { onclick: only }, t("onlyThese")),
        h("button", { class: "quiet", onclick: clear }, t("clear")),
      ),
  );
  find("panel").dataset.kind = "selection";
}

/** Links to the whole cloud as files for other programs. */
function cloudFiles({ collection, layoutView }) {
  return [
    ["glb", t("asModel")],
    ["parquet", t("asTable")],
  ].map(([suffix, words]) => {
    const href = collection.cloudFile(suffix, layoutView.reducer);
    return href && h("a", { href, download: true }, words);
  });
}

/** All that is shown of a collection. */
export function shown(viewer, rows, { close, open, download, choose }) {
  const title = plural("shown", rows.length);
  find("panel").setAttribute("aria-label", title);
  show(
    heading(title, close),
    gallery(viewer, rows, open),
    h(
      "div",
      { class: "actions more" },
      h("button", { onclick: download }, t("export")),
      h("button", { onclick: choose }, t("selectAll")),
      ...cloudFiles(viewer),
    ),
  );
  find("panel").dataset.kind = "shown";
}

/** What a search found. `also` is another way to look for the same, `{ words, act }`. */
export function results(
  viewer,
  rows,
  { title, close, open, choose, notes = null, empty = null, image = null, remark = null, also = null },
) {
  find("panel").setAttribute("aria-label", title);
  show(
    heading(title, close),
    image && h("div", { class: "portrait" }, image),
    remark && h("p", { class: "soft" }, remark),
    also && h("div", { class: "actions" }, h("button", { id: "described", onclick: also.act }, also.words)),
    rows.length ? gallery(viewer, rows, open, { notes }) : h("p", { class: "soft" }, empty),
    rows.length > 0 && choose && h("div", { class: "actions more" }, h("button", { onclick: choose }, t("selectAll"))),
  );
}
