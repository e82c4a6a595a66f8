// The layouts of a collection beside PCA and UMAP: which there are, how far each can be trusted, and how another is made.

import * as api from "../data/api.js";
import { fill, find, h, icon } from "./dom.js";
import { t } from "../i18n/index.js";
import { errorText } from "../i18n/errors.js";
import { fetchQuality } from "../data/layout_quality.js";
import { answered, askFor, supervising } from "./layout_form.js";
import { titleOf } from "./layout_names.js";
import { heading } from "./panels.js";

const EVERY = 1500; // milliseconds between two looks at what is being computed

export class LayoutsDialog {
  /**
   * `choose(name)` shows a layout, `beside(name)` shows it beside the one that is shown, null ends that; `colour(name)`
   * colours by its distortion, `worst(name)` lists the pictures that lie worst in it.
   */
  constructor(viewer, { choose, beside, colour, worst }) {
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
    this.choose = choose;
    this.beside = beside;
    this.colour = colour;
    this.worst = worst;

    this.dialog = find("layouts");
    this.list = h("ul", { class: "layout-list" });
    this.said = h("div", { role: "status" });
    this.form = h("form", { class: "layout-form", onsubmit: (event) => this.make(event) });
    find("layouts-open").addEventListener("click", () => this.open());
    this.dialog.addEventListener("close", () => clearTimeout(this.timer));
  }

  /** Offer it for a collection that can have others. */
  offer(collection) {
    find("layouts-open").hidden = !collection.offers.images;
  }

  async open() {
    fill(
      this.dialog,
      heading(t("layouts"), () => this.dialog.close(), { id: "layouts-title" }),
      this.list,
      this.said,
      h("h3", {}, t("anotherLayout")),
      this.form,
    );
    this.said.replaceChildren();
    this.dialog.showModal();
    this.kinds = null;
    await this.look();
  }

  /** Ask what there is; again, while something is being computed. */
  async look() {
    clearTimeout(this.timer);
    const { collection } = this.viewer;
    try {
      const { kinds } = await collection.fetchLayouts();
      if (!this.kinds) {
        this.supervisors = supervising(await collection.fields().catch(() => []));
        this.offerKinds((this.kinds = kinds));
      }
    } catch (error) {
      return this.tell(errorText(error));
    }
    fill(this.list, ...collection.layouts.map((layout) => this.entry(layout)));
    const waits = collection.layouts.some(({ status }) => status === "queued" || status === "processing");
    if (waits && this.dialog.open) this.timer = setTimeout(() => this.look(), EVERY);
  }

  entry(layout) {
    const { name, status, progress, error } = layout;
    const isReady = status === "ready";
    const isShown = this.viewer.layoutView.reducer === name;
    const state = isReady
      ? ""
      : status === "failed"
        ? error
        : t("layoutProgress", { share: Math.round(100 * progress) });
    return h(
      "li",
      {},
      h(
        "button",
        { class: "quiet show", disabled: !isReady, "aria-pressed": String(isShown), onclick: () => this.show(name) },
        titleOf(layout),
      ),
      state && h("span", { class: "soft" }, state),
      isReady && !this.viewer.collection.isTiled && this.besideButton(layout, isShown),
      isReady && h("button", { class: "quiet", onclick: () => this.trust(name) }, t("trust")),
      layout.kind !== name &&
        h(
          "button",
          {
            class: "quiet only-icon",
            "aria-label": t("deleteLayout", { name: titleOf(layout) }),
            onclick: () => this.remove(name),
          },
          icon("trash"),
        ),
    );
  }

  besideButton(layout, isShown) {
    const isBeside = this.viewer.layoutView.split === layout.name;
    const label = t("besideLayout", { name: titleOf(layout) });
    return h(
      "button",
      {
        class: "quiet only-icon",
        "aria-label": label,
        title: label,
        "aria-pressed": String(isBeside),
        disabled: isShown,
        onclick: () => {
          this.dialog.close();
          this.beside(isBeside ? null : layout.name);
        },
      },
      icon("split"),
    );
  }

  show(name) {
    this.dialog.close();
    this.choose(name);
  }

  async remove(name) {
    const { collection, layoutView } = this.viewer;
    try {
      if (layoutView.split === name) await this.beside(null);
      if (layoutView.reducer === name) await this.choose(collection.reducers.at(-1));
      await api.remove(`${collection.base}/layouts/${name}`);
    } catch (error) {
      this.tell(errorText(error));
    }
    await this.look();
  }

  /** Say in plain words how far a layout can be trusted, once it has been measured. */
  async trust(name) {
    const { collection } = this.viewer;
    this.tell(t("measuring"));
    const goesOn = () => this.dialog.open && this.viewer.collection === collection;
    try {
      const quality = await fetchQuality(collection, name, goesOn);
      if (quality)
        fill(
          this.said,
          ...certificate(quality),
          quality.scores.length > 0 && !collection.isTiled && this.pictureByPicture(name),
        );
    } catch (error) {
      this.tell(errorText(error));
    }
  }

  /** What shows of each picture how far it lies from where it belongs. */
  pictureByPicture(name) {
    const button = (text, act) =>
      h(
        "button",
        {
          onclick: () => {
            this.dialog.close();
            act(name);
          },
        },
        t(text),
      );
    return h("div", { class: "actions" }, button("colourByIt", this.colour), button("listWorst", this.worst));
  }

  tell(sentence) {
    fill(this.said, h("p", {}, sentence));
  }

  offerKinds(kinds) {
    const fields = h("div", {});
    const options = kinds.map(({ name }) => h("option", { value: name }, t("layoutKinds")[name] ?? name));
    const kind = h(
      "select",
      { name: "kind", id: "layout-kind", onchange: () => this.fields(fields, kind.value) },
      options,
    );
    fill(
      this.form,
      h("label", { class: "row" }, h("span", {}, t("layoutKind")), kind),
      fields,
      h("div", { class: "actions" }, h("button", { class: "strong" }, t("makeLayout"))),
    );
    this.fields(fields, kind.value);
  }

  /** Ask for the parameters of a kind. */
  fields(element, chosen) {
    const { layouts } = this.viewer.collection;
    const ready = layouts.filter(({ status, kind }) => status === "ready" && kind !== "grid");
    askFor(
      element,
      this.kinds.find(({ name }) => name === chosen),
      { layouts: ready, fields: this.supervisors },
    );
  }

  async make(event) {
    event.preventDefault();
    const parameters = answered(this.form);
    const { collection } = this.viewer;
    this.said.replaceChildren();
    try {
      await api.sendJson("POST", `${collection.base}/layouts`, { kind: find("layout-kind").value, parameters });
    } catch (error) {
      this.tell(errorText(error));
    }
    await this.look();
  }
}

/** What was measured, as sentences. */
function certificate({ scores, exact, measured, stability, explained_variance: variance, supervised_by: field }) {
  const share = (value) => `${Math.round(100 * value)} %`;
  const sentences = scores.map(({ neighbors, trustworthiness, continuity, kept }) =>
    t("certificate", {
      k: neighbors,
      trust: share(trustworthiness),
      continuity: share(continuity),
      kept: share(kept),
    }),
  );
  if (stability !== null) sentences.push(t("certificateStable", { share: share(stability) }));
  if (variance) sentences.push(t("certificateVariance", { share: share(variance.reduce((sum, one) => sum + one)) }));
  if (field !== null) sentences.unshift(t("certificateSupervised", { field }));
  return [...sentences, exact ? t("certificateExact") : t("certificateSample", { n: measured })].map((text) =>
    h("p", {}, text),
  );
}
