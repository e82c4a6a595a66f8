// Landmarks: from afar each cluster's medoid stands as a larger picture with a label, nearer it gives way to its parts. A
// click flies there, and tells of the cluster.

import { fetchClusters } from "../data/clusters.js";
import { LandmarkPlacing } from "../interaction/landmark_placing.js";
import { plural } from "../i18n/index.js";
import { ClusterCard } from "./cluster_card.js";
import { free, isNarrow } from "./free_area.js";
import { find, h, KeyedList } from "./dom.js";
import { thumbnailElement } from "./picture_elements.js";

const SIDE = 64; // CSS pixels of a picture; the stylesheet knows it too
const ROOM = { width: 96, height: 96 }; // of a landmark with its label
const MOST = { wide: 24, narrow: 8 };
const OFTEN = 250; // milliseconds between choices while the camera moves
const RESTED = 80; // milliseconds without a frame after which it has come to rest

export class Landmarks {
  /** `named()` is told when the names of clusters are there or others, `changed()` when landmarks are shown or hidden. */
  constructor(viewer, view, filteredView, { named, changed }) {
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
    this.view = view;
    this.filteredView = filteredView;
    this.named = named;
    this.changed = changed;

    this.on = true;
    this.columns = null; // of the collection that the tree is of
    this.tree = null;
    this.standing = [];
    this.chosenAt = 0;
    this.timer = 0;
    this.placing = new LandmarkPlacing(viewer, ROOM);
    this.card = new ClusterCard(viewer, view, {
      fly: (cluster) => this.go(cluster),
      renamed: () => this.load(),
      closed: () => this.choose(),
    });
    this.list = new KeyedList(find("landmarks"), { key: ({ key }) => key, make: (cluster) => this.landmark(cluster) });
    viewer.addEventListener("frame", () => this.frame());
    filteredView.addEventListener("changed", () => this.follow());
    find("landmarks-on").addEventListener("change", ({ target }) => {
      this.show(target.checked);
      changed();
    });
  }

  /** Show or hide them all. */
  show(on) {
    this.on = on;
    find("landmarks-on").checked = on;
    this.choose();
  }

  /** The collection, its filters or its colours may be others. */
  follow() {
    const { columns } = this.filteredView;
    if (columns !== this.columns) {
      Object.assign(this, { columns, tree: null });
      this.card.close();
      const there = Boolean(columns?.fields.has("cluster"));
      find("landmarks-row").hidden = !there;
      if (there) this.load();
    }
    this.card.update();
    this.choose();
  }

  /** Have the clusters, and the words for their numbers. Without them there are no landmarks, and all else goes on. */
  async load() {
    const { columns } = this;
    const tree = await fetchClusters(columns.collection).catch(() => null);
    if (!tree || columns !== this.columns) return;
    this.tree = tree;
    for (const [field, clusters] of tree.fields) {
      const known = columns.fields.get(field);
      if (known) known.words = new Map(clusters.map(({ id, label }) => [String(id), label]));
    }
    this.card.again(tree);
    this.named();
    this.choose();
  }

  /** Of the camera: landmarks go with their pictures, and are chosen anew now and then, and when it rests. */
  frame() {
    if (!this.tree) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.choose(), RESTED);
    if (performance.now() - this.chosenAt > OFTEN) this.choose();
    else this.place();
  }

  choose() {
    const { viewer, tree } = this;
    this.chosenAt = performance.now();
    const stands = this.on && tree && viewer.cloud.points && !viewer.layoutView.morph && viewer.collection;
    const most = isNarrow() ? MOST.narrow : MOST.wide;
    this.standing = stands && this.columns?.collection === viewer.collection ? this.within(most) : [];
    const held = find("landmarks").contains(document.activeElement);
    this.list.show(this.standing);
    if (held && !find("landmarks").contains(document.activeElement)) viewer.canvas.focus({ preventScroll: true });
    this.place();
  }

  within(most) {
    const { left, top, right, bottom } = this.card.beside(free());
    const pane = this.viewer.view();
    const edge = Math.min(pane.left + pane.width, right);
    return this.placing.choose(this.tree, { left: Math.max(left, pane.left), top, right: edge, bottom }, most);
  }

  place() {
    for (const cluster of this.standing) {
      const { element } = this.list.rows.get(cluster.key);
      const place = this.viewer.positionOf(cluster.row);
      element.hidden = !place;
      if (place) element.style.transform = `translate(${Math.round(place.x)}px, ${Math.round(place.y)}px)`;
    }
  }

  /** The cluster whose landmark covers a point of the canvas, or null. */
  at(x, y) {
    const found = this.standing.find(({ row }) => {
      const place = this.viewer.positionOf(row);
      const box = place && this.placing.box(place);
      return box && x > box.left && x < box.right && y > box.top && y < box.bottom;
    });
    return found ?? null;
  }

  /** Fly to a cluster. */
  go(cluster) {
    this.card.open(cluster);
    this.placing.fly(this.tree, cluster, this.card.beside(free()));
    this.choose();
  }

  landmark(/** @type {import("../data/clusters.js").Cluster} */ made) {
    const { viewer, filteredView } = this;
    let cluster = made;
    const words = h("span", { class: "words" });
    const face = h(
      "span",
      { class: "face" },
      thumbnailElement(viewer.collection, made.row, SIDE, viewer.cloud.shape(made.row)),
    );
    const go = h("button", { class: "go", onclick: () => this.go(cluster) }, face, words);
    const element = h("div", { class: "landmark" }, go);
    return {
      element,
      update: (now) => {
        cluster = now;
        words.textContent = now.label;
        go.setAttribute("aria-label", `${now.label}: ${plural("count", now.size)}`);
        element.classList.toggle("current", this.card.cluster?.key === now.key);
        const { name, entries } = filteredView.colours ?? {};
        const colour = name === now.field && entries?.find(([value]) => value === String(now.id))?.[1];
        face.style.borderColor = colour || "";
      },
    };
  }
}
