// The dialog of all collections: the catalogue, uploads under way, and uploads, which can be shown, renamed and deleted.

import * as api from "../data/api.js";
import { fill, find, h, icon, KeyedList } from "./dom.js";
import { bytes, date, plural, t } from "../i18n/index.js";
import * as storage from "../data/storage.js";
import * as notifications from "./notifications.js";
import { heading } from "./panels.js";
import { errorText } from "../i18n/errors.js";

const THUMBNAIL = 96; // pixels

export class CollectionsDialog {
  /**
   * `go(id)` to one of them, "" for the catalogue; `current()` is the id of the one that is shown or on its way;
   * `watch(job)` an upload under way; `about({ id, name, isCatalogue, add })` tells more; `renamed(id, name)` when one has another name;
   * `beside(id)` shows it beside the one that is shown, or is null where that is done already.
   */
  constructor({ catalogue, offers }, jobs, { go, current, watch, about, renamed, beside }) {
    this.catalogue = catalogue;
    this.offers = offers;
    this.jobs = jobs;
    this.go = go;
    this.current = current;
    this.watch = watch;
    this.about = about;
    this.renamed = renamed;
    this.beside = beside;

    this.dialog = find("collections");
    this.own = []; // this browser's uploads under way when the dialog was opened, or since
    this.others = []; // those that the server tells of besides
    const list = h("ul", { class: "list" });
    this.running = h("div", { id: "under-way", hidden: true }, h("h3", {}), list);
    this.rows = new KeyedList(list, { key: (job) => (isOwn(job) ? job : job.id), make: () => this.job() });
    find("collection").addEventListener("click", () => this.open());
    jobs.addEventListener("changed", () => this.dialog.open && this.drawRunning());
  }

  async open() {
    const list = h("ul", { class: "list" }, h("li", { class: "soft" }, t("loading")));
    const catalogues = h("ul", { class: "list" });
    if (this.catalogue.total) catalogues.append(this.catalogueEntry({ id: "", ...this.catalogue }));
    fill(this.dialog, this.heading(t("collections")), catalogues, this.running, h("h3", {}, t("uploads")), list);
    this.running.firstElementChild.textContent = t("underWay");
    this.own = [];
    this.others = [];
    this.drawRunning();
    if (!this.dialog.open) this.dialog.showModal();
    try {
      const others = await this.otherCatalogues();
      const { found, mayGo } = await this.found();
      catalogues.append(...others.map((one) => this.catalogueEntry(one)));
      this.others = found.filter(({ status }) => status === "queued" || status === "processing");
      const ready = found.filter(({ status }) => status === "ready");
      this.drawRunning();
      fill(
        list,
        ready.length ? ready.map((upload) => this.entry(upload, mayGo)) : h("li", { class: "soft" }, t("noUploads")),
      );
    } catch (error) {
      fill(
        list,
        h(
          "li",
          { class: "bad", role: "alert" },
          errorText(error),
          " ",
          h("button", { onclick: () => this.open() }, t("tryAgain")),
        ),
      );
    }
  }

  /** Those beside the installed one. */
  async otherCatalogues() {
    if (!this.offers.catalogues) return [];
    const { catalogues } = await api.json("/catalogues").catch(() => ({ catalogues: [] }));
    return catalogues.filter((one) => !one.is_installed);
  }

  catalogueEntry({ id, name, total, add }) {
    return this.entry({ id, name, add, count: total, isBeside: Boolean(id) });
  }

  /** A server may keep its list to itself: then there are this browser's own uploads. Raises `ApiError`. */
  async found() {
    if (this.offers.list) {
      try {
        return { found: (await api.json("/dataset?limit=200")).datasets, mayGo: true };
      } catch (error) {
        if (![401, 403, 404, 405].includes(error.status)) throw error;
      }
    }
    const own = storage.uploads();
    if (!this.offers.facts) return { found: own.map((upload) => ({ ...upload, status: "ready" })), mayGo: false };
    const answers = await Promise.all(own.map(({ id }) => api.json(`/dataset/${id}`).catch(gone)));
    return { found: answers.filter(Boolean), mayGo: true };
  }

  heading(title) {
    return heading(title, () => this.dialog.close(), { id: "collections-title" });
  }

  /** One that ends stays in the list until the dialog is opened again: nothing below it moves under a pointer. */
  drawRunning() {
    const { jobs, others, running, rows } = this;
    this.own = [...new Set([...this.own, ...jobs.running])].filter(({ phase }) => phase !== "cancelled");
    const more = others.filter(({ id }) => !jobs.all.some((job) => job.id === id));
    const held = running.contains(document.activeElement);
    running.hidden = this.own.length + more.length === 0;
    rows.show([...this.own, ...more]);
    if (held && !running.contains(document.activeElement)) this.dialog.querySelector("button").focus();
  }

  /** The row of one under way, told of as this page's own job or as the server tells of another's. */
  job() {
    let job;
    const name = h("b", {});
    const state = h("small", {});
    const bar = h("progress", { max: 1 });
    const show = () => {
      this.dialog.close();
      if (job.phase === "done") this.go(job.id);
      else this.watch(isOwn(job) ? job : this.jobs.adopt(job.id, job.name));
    };
    const entry = h("button", { class: "entry", onclick: show }, h("span", { class: "words" }, name, state, bar));
    const stop = this.button("close", t("cancelUpload"), () => this.jobs.cancel(job).catch(notifications.showError));
    return {
      element: h("li", {}, entry, stop),
      update: (now) => {
        job = now;
        const share = isOwn(job) ? job.share : job.progress;
        name.textContent = job.name;
        state.textContent = state.title = said(job);
        bar.setAttribute("aria-label", job.name);
        if (typeof share === "number") bar.value = share;
        else bar.removeAttribute("value");
        // Out of sight, but not out of the layout, once there is nothing to wait for.
        for (const element of [bar, stop]) element.classList.toggle("spent", isOwn(job) && !job.runs);
        stop.hidden = !isOwn(job);
        stop.title = `${t("cancelUpload")}: ${job.name}`;
        stop.setAttribute("aria-label", stop.title);
      },
    };
  }

  button(symbol, label, act) {
    return h("button", { class: "quiet only-icon", onclick: act, "aria-label": label, title: label }, icon(symbol));
  }

  /** @param {any} entry */
  entry({ id, name, add, count, created_at: created, bytes: size, isBeside = false }, mayGo = false) {
    const facts = [count !== undefined && plural("count", count), created && date(created), size && bytes(size)];
    const base = id ? `/dataset/${id}` : "/catalogue";
    const face = h("img", {
      src: `${base}/images/0/thumbnail?size=${THUMBNAIL}`,
      alt: "",
      width: 44,
      height: 44,
      loading: "lazy",
    });
    face.addEventListener("error", () => face.removeAttribute("src"), { once: true });
    return h(
      "li",
      {},
      h(
        "button",
        { class: "entry", onclick: () => this.show(id), "aria-current": this.current() === id ? "true" : null },
        this.offers.images && face,
        h("span", { class: "words" }, h("b", {}, name), h("small", {}, facts.filter(Boolean).join(" · "))),
      ),
      this.beside && this.button("split", t("besideCollection", { name }), () => this.beside(id)),
      this.offers.facts &&
        this.button("info", `${t("facts")}: ${name}`, () => {
          this.dialog.close();
          this.about({ id, name, isCatalogue: !id || isBeside, add });
        }),
      mayGo && this.button("edit", `${t("rename")}: ${name}`, () => this.askName(id, name)),
      mayGo && this.button("trash", `${t("delete")}: ${name}`, () => this.ask(id, name)),
    );
  }

  show(id) {
    this.dialog.close();
    this.go(id);
  }

  /** Another name for it. */
  askName(id, name) {
    const input = h("input", { id: "new-name", value: name, maxlength: 255, required: true, autofocus: true });
    const failed = h("p", { class: "bad", role: "alert" });
    const rename = async (event) => {
      event.preventDefault();
      try {
        const renamed = await api.rename(id, input.value);
        this.renamed(id, renamed.name);
        await this.open();
      } catch (error) {
        failed.textContent = errorText(error);
      }
    };
    fill(
      this.dialog,
      this.heading(t("rename")),
      h(
        "form",
        { onsubmit: rename },
        h("label", { for: "new-name" }, t("newName")),
        input,
        failed,
        h(
          "div",
          { class: "actions" },
          h("button", { class: "strong", type: "submit" }, t("rename")),
          h("button", { type: "button", onclick: () => this.open() }, t("cancel")),
        ),
      ),
    );
    input.focus();
    input.select();
  }

  /** Delete it, really? */
  ask(id, name) {
    const keep = h("button", { onclick: () => this.open() }, t("cancel"));
    fill(
      this.dialog,
      this.heading(t("delete")),
      h("p", {}, t("sure", { name })),
      h(
        "div",
        { class: "actions" },
        h("button", { class: "strong", onclick: () => this.erase(id) }, t("delete")),
        keep,
      ),
    );
    keep.focus();
  }

  async erase(id) {
    this.dialog.close();
    try {
      await api.remove(`/dataset/${id}`);
      storage.forgetUpload(id);
      notifications.toast(t("deleted"));
      if (this.current() === id) this.go("");
    } catch (error) {
      notifications.toast(t("deleteFailed", { reason: errorText(error) }));
    }
  }
}

function isOwn(job) {
  return "phase" in job;
}

/** How far one is, in words. */
function said(job) {
  if (!isOwn(job)) return t("computing");
  if (job.phase === "failed") return errorText(job.error);
  return job.phase === "done" ? t("done", job) : job.words;
}

/** An upload that is not there any more is left out; what else goes wrong is told. */
function gone(error) {
  if (error.status === 404) return null;
  throw error;
}
