// The page: makes its parts, and tells each what it has to know of the others.

import { CollectionInfo } from "./ui/collection_info.js";
import * as api from "./data/api.js";
import { followTools, free, namePanes, whenCovered } from "./ui/free_area.js";
import { FilterChips } from "./ui/filter_chips.js";
import { ClusterFinder } from "./ui/cluster_finder.js";
import { CollectionsDialog } from "./ui/collections_dialog.js";
import { Controls } from "./ui/controls.js";
import { PictureDetails } from "./ui/picture_details.js";
import { Distortion } from "./distortion.js";
import { find } from "./ui/dom.js";
import { frame, hear } from "./data/frame.js";
import { setLanguage, t } from "./i18n/index.js";
import { UploadJobs } from "./data/upload_jobs.js";
import { Keyboard } from "./ui/keyboard.js";
import { LayoutsDialog } from "./ui/layouts_dialog.js";
import { Legend } from "./ui/legend.js";
import { Landmarks } from "./ui/landmarks.js";
import { Lightbox } from "./ui/lightbox.js";
import * as storage from "./data/storage.js";
import { Forming } from "./interaction/forming.js";
import { FilterPanel } from "./ui/filter_panel.js";
import * as notifications from "./ui/notifications.js";
import { Navigation } from "./navigation.js";
import * as outcome from "./ui/upload_outcome.js";
import { NullRenderer } from "./render/null_renderer.js";
import { ImageList } from "./ui/image_list.js";
import { Pointer } from "./interaction/pointer.js";
import { offerVirtualReality } from "./interaction/virtual_reality.js";
import { Search } from "./ui/search.js";
import { Selection } from "./ui/selection.js";
import { Tour } from "./ui/tour.js";
import { FilteredView } from "./interaction/filtered_view.js";
import { Viewer } from "./viewer.js";
import { ViewsDialog } from "./ui/views_dialog.js";
import { ViewTransition } from "./view_transition.js";
import { UploadDialog } from "./ui/upload_dialog.js";
import { leaveFrame } from "./url_state.js";
import { ViewState } from "./data/view_state.js";

performance.mark("wwzd:script");
setLanguage(storage.language());
find("app").hidden = false;
const facts = JSON.parse(find("facts").textContent);
const viewer = begun();
start();

/** The viewer; without WebGL 2, one that draws nothing: there is everything but the cloud then. */
function begun() {
  try {
    return new Viewer(find("cloud"), free);
  } catch {
    return new Viewer(find("cloud"), free, new NullRenderer());
  }
}

function start() {
  performance.mark("wwzd:stage");
  const view = new ViewState();
  /** @type {any} */ (window).wwzd = { viewer, facts, view }; // for the console, tests and benchmarks
  const changed = () => navigation.remember();
  const filteredView = new FilteredView(viewer, view, { failed: notifications.showError });
  /** @type {any} */ (window).wwzd.columns = () => filteredView.columns;
  const selection = new Selection(viewer, view, filteredView, { open: (row) => details.open(row), changed });
  const details = new PictureDetails(viewer, {
    closed: () => search.back() || selection.back(),
    changed,
    share: () => controls.share(),
  });
  const lightbox = new Lightbox(viewer, { left: (row) => details.click(row) });
  const pointer = new Pointer(viewer, {
    hover: (row, x, y) => {
      const landmark = landmarks.at(x, y);
      details.hover(landmark ? -1 : row, x, y);
      if (landmark) viewer.canvas.classList.add("over");
    },
    click: (row, x, y) => {
      const landmark = landmarks.at(x, y);
      if (landmark) {
        landmarks.go(landmark);
        return;
      }
      if (row >= 0) filterPanel.giveWay();
      details.click(row);
      lightbox.click(row);
    },
    outline: (points, added) => {
      filterPanel.giveWay();
      selection.outline(points, added);
    },
    shape: selection.shape,
  });
  const legend = new Legend(view, filteredView);
  new FilterChips(view, filteredView);
  const landmarks = new Landmarks(viewer, view, filteredView, {
    named: () => {
      filterPanel.offer();
      legend.again();
      filteredView.notify();
    },
    changed,
  });
  new ClusterFinder(filteredView, { found: (collection) => navigation.offerFields(collection) });
  const controls = new Controls(viewer, view, {
    use: (tool) => pointer.use(tool),
    changed,
    spoke: () => {
      if (!viewer.collection) return;
      navigation.title(viewer.collection);
      filterPanel.offer();
      legend.again();
      filteredView.notify();
    },
  });
  const layoutsDialog = new LayoutsDialog(viewer, {
    choose: (name) => controls.to(name),
    beside: (name) => controls.beside(name),
    colour: (name) => distortion.colour(name),
    worst: (name) => distortion.worst(name),
  });
  const search = new Search(viewer, view, {
    open: (row) => details.open(row),
    choose: (rows) => selection.choose(rows),
    listed: () => filterPanel.giveWay(),
    pictures: facts.offers.search,
  });
  const distortion = new Distortion(viewer, { view, filteredView, controls, search });
  const filterPanel = new FilterPanel(view, filteredView, {
    gallery: () => {
      filterPanel.giveWay();
      selection.shown();
    },
    download: () => selection.exportShown(),
    aside: () => viewer.makeRoomForList(),
    changed,
  });
  const jobs = new UploadJobs(facts.offers);
  const uploader = new UploadDialog(jobs, {
    go: (id) => navigation.go(id),
    arrived: (id) => navigation.arrived(id),
    current: () => navigation.wanted,
    growing: () => {
      const { collection } = viewer;
      return collection?.add ? { name: collection.name, add: collection.add } : null;
    },
    similar: facts.offers.search ? (file) => search.byPicture(file) : null,
    most: facts.limits.pictures,
  });
  outcome.farAway.show = async ({ id }) => {
    if (viewer.collection?.id !== id) await navigation.go(id);
    view.filter("outside", new Set(["true"]));
  };
  outcome.rest.take = (facts) => uploader.takeRest(facts);
  const add = () => uploader.ask();
  const tour = new Tour(viewer, {
    stops: () => viewsDialog.load().catch(() => []),
    go: (state) => transition.go(state, { slowly: true }),
    changed,
  });
  const viewsDialog = new ViewsDialog(viewer, {
    opened: () => tour.pause(),
    state: () => navigation.savedText(),
    go: (state) => {
      tour.leave();
      transition.go(state);
    },
    play: () => tour.begin(),
    changed,
  });
  const navigation = new Navigation(viewer, facts, {
    view,
    filteredView,
    controls,
    details,
    selection,
    filterPanel,
    landmarks,
    layoutsDialog,
    viewsDialog,
    tour,
    add,
  });
  new Forming(viewer, jobs, { shown: () => navigation.shown });
  const transition = new ViewTransition(viewer, {
    view,
    filteredView,
    controls,
    details,
    selection,
    search,
    landmarks,
    navigation,
  });
  const about = new CollectionInfo({
    look: async (id, { rows, ...more }) => {
      if (viewer.collection?.id !== id) await navigation.go(id);
      await viewer.collection?.fetchRecords(rows);
      search.show(rows, more);
    },
    packing: (id) => jobs.packing(id),
    add: (parent) => uploader.ask("", parent),
    refit: (parent) => uploader.refit(parent),
  });
  new CollectionsDialog(facts, jobs, {
    go: (id) => navigation.go(id),
    current: () => navigation.wanted,
    watch: (job) => uploader.watch(job),
    about: (which) => about.open(which),
    renamed: (id, name) => navigation.renamed(id, name),
    beside: frame() ? null : (id) => navigation.compare(id),
  });
  find("alone").hidden = !frame();
  find("alone").addEventListener("click", leaveFrame);
  hear("find", (name) => search.named(name));
  find("add").addEventListener("click", add);
  find("filters-open").addEventListener("click", () => filterPanel.toggle());
  api.reach.tell = notifications.setReachable;
  api.waiting.tell = (on) => on && notifications.status(t("waiting"));
  followTools();
  whenCovered(() => viewer.makeRoom());
  viewer.addEventListener("panes", (/** @type {any} */ { detail }) => namePanes(detail));
  viewer.addEventListener("tiles", (/** @type {any} */ { detail }) => notifications.tiles(detail));
  viewer.addEventListener("fault", () => notifications.toast(t("fault")));
  new Keyboard(viewer, { controls, details, selection, filterPanel, search, landmarks, viewsDialog });
  if (viewer.cloud.renderer instanceof NullRenderer) new ImageList(viewer, view, { open: (row) => details.open(row) });
  else offerVirtualReality(viewer, find("vr"), notifications.showError);
  viewer.canvas.addEventListener("webglcontextlost", () =>
    notifications.showPlaceholder(t("failed"), t("graphicsLost"), {
      label: t("tryAgain"),
      act: () => location.reload(),
    }),
  );
  // What the graphics card had is gone: all of it is fetched again, and shown as the address says.
  viewer.canvas.addEventListener("webglcontextrestored", async () => {
    await navigation.restore();
    notifications.toast(t("graphicsBack"));
  });
  navigation.restore();
  jobs.resume();
}
