// The catalogue around an upload that lies in its space, in the upload's own scale.

import { moved, reach } from "./vectors.js";

export class Surroundings {
  constructor(catalogue) {
    this.catalogue = catalogue;
    this.layouts = {}; // reducer → `(n, 3)` as they are drawn
  }

  /** Have the catalogue's rows of a reducer, moved as the upload's are by `place`. Raises `ApiError`. */
  async load(reducer, place) {
    this.layouts[reducer] ??= moved(await this.catalogue.vectors(reducer), place);
  }

  /** How far from the upload's middle most of it reaches. */
  reach(reducer) {
    return reach(this.layouts[reducer]);
  }
}
