// An upload while it is laid out: the points where PCA puts them, then as UMAP moves them, from one question to the server
// to the next, until all is there.

import * as api from "../data/api.js";
import { turned } from "../data/layouts.js";

export class Forming {
  /** `shown()` is the collection that is shown, once all that the address says of it is. */
  constructor(viewer, jobs, { shown }) {
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
    this.shown = shown;
    this.isFetching = false;
    jobs.addEventListener("changed", (/** @type {any} */ { detail }) => this.follow(detail));
  }

  async follow({ id, phase, facts }) {
    const address = phase === "computing" && facts?.links?.forming;
    if (!address || this.isFetching || !this.isWatched(id)) return;
    this.isFetching = true;
    try {
      const vectors = new Float32Array(await api.bytes(address)); // none where nothing moves any more
      if (!vectors.length || !this.isWatched(id)) return;
      const layout = await turned(this.viewer.collection, vectors);
      if (this.isWatched(id)) this.viewer.layoutView.form(layout);
    } catch {
      // What lies still is shown once it is all there.
    } finally {
      this.isFetching = false;
    }
  }

  /** Whether it is looked at, in no layout that somebody chose since. */
  isWatched(id) {
    const { collection, layoutView } = this.viewer;
    if (this.shown() !== collection || collection?.id !== id) return false;
    return layoutView.isForming || (!layoutView.wasFormed && layoutView.reducer === collection.reference);
  }
}
