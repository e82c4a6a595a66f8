// On the way from what is seen of a collection to another view of it: layout, filters, colours, selection and camera.

import { fieldsOf } from "./navigation.js";
import * as notifications from "./ui/notifications.js";
import * as panels from "./ui/panels.js";
import * as url from "./url_state.js";

const AT_LEISURE = 2.2; // seconds of a camera's way on a tour

export class ViewTransition {
  constructor(viewer, { view, filteredView, controls, details, selection, search, landmarks, navigation }) {
    /** @type {import("./viewer.js").Viewer} */
    this.viewer = viewer;
    this.view = view;
    this.filteredView = filteredView;
    this.controls = controls;
    this.details = details;
    this.selection = selection;
    this.search = search;
    this.landmarks = landmarks;
    this.navigation = navigation;

    this.turn = 0; // counts ways, so that a later one is not disturbed by the one before
  }

  /** Go to a state, as a saved view holds it. Returns whether it was reached. */
  async go(text, { slowly = false } = {}) {
    const { viewer } = this;
    const { collection } = viewer;
    const turn = ++this.turn;
    const isCurrent = () => turn === this.turn && viewer.collection === collection;
    const state = url.parse(text);
    try {
      const [layouts, search] = await Promise.all([
        this.layouts(collection, state),
        state.search && this.navigation.search(collection, state.search),
        this.filteredView.need(fieldsOf(state)),
      ]);
      if (!isCurrent()) return false;
      this.close();
      this.view.change(this.filteredView.fitting({ ...state, search }));
      await this.arrange(layouts, state);
    } catch (error) {
      if (isCurrent()) notifications.showError(error);
      return false;
    }
    if (!isCurrent()) return false;
    // A tour leaves the room to the cloud.
    if (slowly) panels.hide();
    else if (viewer.rowStyles.chosen.size) this.selection.gallery();
    if (state.picture >= 0 && state.picture < collection.count) this.details.click(state.picture, true);
    if (state.camera) viewer.cameraController.go(state.camera, slowly ? { seconds: AT_LEISURE } : {});
    else viewer.overview();
    this.controls.changed();
    return true;
  }

  /** Have the layouts of a state; those that are not there any more are replaced by the usual one. */
  async layouts(collection, { reducer, split }) {
    await collection.need([reducer, split]);
    const first = collection.has(reducer) ? reducer : collection.reducers.at(-1);
    const second = collection.has(split) && split !== first ? split : null;
    for (const name of [first, second]) if (name) await this.viewer.layoutView.layout(name);
    return { first, second };
  }

  async arrange({ first, second }, state) {
    const { viewer, controls } = this;
    if (viewer.layoutView.reducer !== first) await controls.to(first);
    if ((viewer.layoutView.split ?? null) !== second) await controls.beside(second);
    if (Boolean(viewer.layoutView.around) !== state.among) await controls.among(state.among, { still: true });
    controls.showAs(state);
    this.landmarks.show(state.landmarks);
  }

  /** Close what belongs to the view before: a picture, a list. */
  close() {
    const { search, selection, viewer } = this;
    if (search.list) search.leave();
    viewer.highlights.click(-1);
    selection.listing = false;
    panels.hide();
    if (this.landmarks.card.cluster) this.landmarks.card.close();
  }
}
