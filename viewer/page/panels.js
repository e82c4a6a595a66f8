// What stands beside the cloud: the clicked picture, a gallery of the chosen ones, what a search found.

import { fill, find, h } from "./dom.js";
import { many, number, t } from "./i18n.js";
import { face, original, portrait } from "./pictures.js";

const AT_ONCE = 60;

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

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
  return collection.known(row)?.name ?? t("picture", { n: number(row + 1) });
}

/** Pictures as buttons, some at first and more on demand. `notes` is a line below each. */
export function gallery(stage, rows, open, { notes = null } = {}) {
  const list = h("ul", { class: "faces" });
  const more = h("button", { class: "more", onclick: () => grow() });
  let shown = 0;
  const grow = () => {
    for (const [place, row] of rows.slice(shown, shown + AT_ONCE).entries()) {
      const name = nameOf(stage.collection, row);
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
              onpointerenter: () => stage.marks.hover(row),
              onpointerleave: () => stage.marks.hover(-1),
              onfocus: () => stage.marks.hover(row),
              onblur: () => stage.marks.hover(-1),
            },
            face(stage.collection, row, 64, stage.cloud.shape(row)),
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
  fill(panel, ...children);
  panel.hidden = false;
  panel.scrollTop = 0;
}

export function hide() {
  find("panel").hidden = true;
}

/** What of the canvas is covered neither by the bars nor by the panel, in CSS pixels. */
export function free() {
  const { clientWidth: width } = find("cloud");
  const [top, bottom] = [find("bar").getBoundingClientRect().bottom, find("tools").getBoundingClientRect().top];
  const area = { left: 0, top, right: width, bottom };
  const panel = find("panel");
  if (panel.hidden) return area;
  const { left } = panel.getBoundingClientRect();
  if (left > 0) return { ...area, right: left };
  // On a narrow screen it lies below the cloud, and grows as more is told of the picture.
  return { ...area, bottom: Math.min(bottom, window.innerHeight - parseFloat(getComputedStyle(panel).maxHeight)) };
}

/** The clicked picture; its neighbours follow when they are known. */
export function details(stage, row, { close, open, share }) {
  const { collection } = stage;
  const record = collection.known(row);
  const neighbours = h("div", { id: "neighbours" });
  const address = original(collection, row);
  find("panel").setAttribute("aria-label", nameOf(collection, row));
  show(
    heading(nameOf(collection, row), close),
    h("div", { class: "portrait" }, portrait(collection, row, stage.cloud.shape(row))),
    h("dl", {}, facts(record)),
    neighbours,
    h(
      "div",
      { class: "actions more" },
      h("button", { onclick: () => stage.approach(row, free()) }, t("goThere")),
      address && h("a", { href: address, target: "_blank", rel: "noopener" }, t("original")),
      h("button", { class: "quiet", onclick: share }, icon("link"), t("copyLink")),
    ),
  );
  return {
    neighbours: (found) => {
      fill(
        neighbours,
        h("h3", {}, t("neighbours")),
        gallery(
          stage,
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
export function selection(stage, rows, { title, close, open, clear, download, only }) {
  const { archive } = stage.collection;
  find("panel").setAttribute("aria-label", title ?? many("selected", rows.length));
  show(
    heading(title ?? many("selected", rows.length), close),
    rows.length ? gallery(stage, rows, open) : h("p", { class: "soft" }, t("nothingSelected")),
    rows.length > 0 &&
      h(
        "div",
        { class: "actions more" },
        h("button", { id: "export", onclick: download }, t("export")),
        archive && h("a", { href: archive, download: true }, t("everything")),
        only && h("button", { onclick: only }, t("onlyThese")),
        h("button", { class: "quiet", onclick: clear }, t("clear")),
      ),
  );
}

/** What a search by name or by picture found. */
export function results(
  stage,
  rows,
  { title, close, open, choose, notes = null, empty = null, image = null, remark = null },
) {
  find("panel").setAttribute("aria-label", title);
  show(
    heading(title, close),
    image && h("div", { class: "portrait" }, image),
    remark && h("p", { class: "soft" }, remark),
    rows.length ? gallery(stage, rows, open, { notes }) : h("p", { class: "soft" }, empty),
    rows.length > 0 && choose && h("div", { class: "actions more" }, h("button", { onclick: choose }, t("selectAll"))),
  );
}
