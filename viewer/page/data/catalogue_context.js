// The catalogue around an upload that lies in its space, in the upload's own scale.

import { radiusOf, transformRows } from "./vectors.js";

export class CatalogueContext {
  constructor(catalogue) {
    this.catalogue = catalogue;
    this.layouts = {}; // reducer → `(n, 3)` as they are drawn
  }

  /** Have the catalogue's rows of a reducer, moved as the upload's are by `transform`. Raises `ApiError`. */
  async load(reducer, transform) {
    this.layouts[reducer] ??= transformRows(await this.catalogue.vectors(reducer), transform);
  }

  /** The corners of a square around most of it, `(4, 3)`, in the upload's scale; null in a layout that it is not in. */
  edges(reducer) {
    if (!this.layouts[reducer]) return null;
    const far = radiusOf(this.layouts[reducer]);
    return Float32Array.from([far, far, 0, -far, far, 0, far, -far, 0, -far, -far, 0]);
  }
}
