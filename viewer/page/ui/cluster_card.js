// A cluster in words: its name, how many it has, and what is more frequent in it than elsewhere; what shows it alone, and
// what renames it.

import { renameCluster } from "../data/clusters.js";
import { errorText } from "../i18n/errors.js";
import { number, plural, t } from "../i18n/index.js";
import { fill, find, h, icon } from "./dom.js";
import { heading } from "./panels.js";

export class ClusterCard {
  /** `fly(cluster)` to the one around it, `renamed()` when one has another name, `closed()` when there is none any more. */
  constructor(viewer, view, { fly, renamed, closed }) {
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
    this.view = view;
    this.fly = fly;
    this.renamed = renamed;
    this.closed = closed;

    /** @type {import("../data/clusters.js").Cluster | null} */
    this.cluster = null;
    this.alone = null; // the button that shows it alone
  }

  open(cluster) {
    this.cluster = cluster;
    const { label, size, traits, parent } = cluster;
    this.alone = h("button", { onclick: () => this.only() }, icon("filter"), t("onlyThese"));
    fill(
      find("cluster"),
      heading(label, () => this.close(), { id: "cluster-title" }),
      h("p", { class: "soft" }, plural("count", size)),
      h(
        "div",
        { class: "actions" },
        this.alone,
        h("button", { onclick: () => this.askName() }, icon("edit"), t("rename")),
        parent && h("button", { class: "quiet", onclick: () => this.fly(parent) }, icon("up"), parent.label),
      ),
      traits.length > 0 && h("dl", {}, traits.map(traitEntry).flat()),
    );
    find("cluster").hidden = false;
    this.update();
  }

  close() {
    if (!this.cluster) return;
    const held = find("cluster").contains(document.activeElement);
    this.cluster = null;
    find("cluster").hidden = true;
    if (held) this.viewer.canvas.focus({ preventScroll: true });
    this.closed();
  }

  /** The same cluster, in words that may be others. */
  again({ all }) {
    const now = this.cluster && all.find(({ key }) => key === this.cluster.key);
    if (now) this.open(now);
  }

  /** What it leaves of an area of the canvas. */
  beside(area) {
    const { left, top, width } = find("cluster").getBoundingClientRect();
    if (!width) return area;
    if (width > (area.right - area.left) / 2) return { ...area, bottom: Math.min(area.bottom, top) };
    return { ...area, right: Math.min(area.right, left) };
  }

  /** After the filters changed. */
  update() {
    if (this.cluster) this.alone.setAttribute("aria-pressed", String(this.isAlone));
  }

  get isAlone() {
    const { field, id } = this.cluster;
    const wanted = this.view.state.filters.get(field);
    return wanted instanceof Set && wanted.size === 1 && wanted.has(String(id));
  }

  /** Show it alone, or all others again. */
  only() {
    const { field, id } = this.cluster;
    this.view.filter(field, this.isAlone ? null : new Set([String(id)]));
  }

  /** Another name for it. */
  askName() {
    const { cluster } = this;
    const dialog = find("naming");
    const input = h("input", { id: "cluster-name", value: cluster.named ? cluster.label : "", maxlength: 80 });
    input.placeholder = cluster.label;
    const failed = h("p", { class: "bad", role: "alert" });
    const rename = async (event) => {
      event.preventDefault();
      try {
        await renameCluster(this.viewer.collection, cluster, input.value);
        dialog.close();
        this.renamed();
      } catch (error) {
        failed.textContent = errorText(error);
      }
    };
    fill(
      dialog,
      heading(t("rename"), () => dialog.close(), { id: "naming-title" }),
      h(
        "form",
        { onsubmit: rename },
        h("label", { for: "cluster-name" }, t("newName")),
        input,
        failed,
        h(
          "div",
          { class: "actions" },
          h("button", { class: "strong", type: "submit" }, t("rename")),
          h("button", { type: "button", onclick: () => dialog.close() }, t("cancel")),
        ),
      ),
    );
    dialog.showModal();
    input.focus();
  }
}

/** What is more frequent in a cluster than elsewhere: what, and both shares. */
function traitEntry({ field, value, inside, outside }) {
  const share = (part) => `${number(Math.round(100 * part))} %`;
  const word = typeof value === "boolean" ? t(value ? "yes" : "no") : String(value);
  return [
    h("dt", { title: field }, `${field.replaceAll("_", " ")}: ${word}`),
    h("dd", {}, t("sharesOf", { inside: share(inside), outside: share(outside) })),
  ];
}
