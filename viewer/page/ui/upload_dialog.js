// The dialog of uploads: choose files, watch one travel and be computed, read what went wrong. An upload goes on when the
// dialog is closed.

import * as api from "../data/api.js";
import { fill, find, h } from "./dom.js";
import { moment, number, plural, t } from "../i18n/index.js";
import * as storage from "../data/storage.js";
import * as notifications from "./notifications.js";
import * as outcome from "./upload_outcome.js";
import * as uploadFiles from "../data/upload_files.js";
import { heading } from "./panels.js";
import { errorText } from "../i18n/errors.js";
import { packArchive } from "../data/upload_archive.js";
import { nameOf } from "../data/dropped_files.js";
import { acceptDrops } from "./drop_zone.js";

export class UploadDialog {
  /**
   * `go(id)` shows a dataset, `arrived(id)` what has come of the one that is shown or on its way, `current()` is
   * that one's id; `growing()` is the collection on the page that pictures can be added to, `{ name, add }`, or null;
   * `similar(file)` searches by a picture, or is null; `most` pictures are taken at once.
   */
  constructor(jobs, { go, arrived, current, growing, similar, most }) {
    this.jobs = jobs;
    this.go = go;
    this.arrived = arrived;
    this.current = current;
    this.growing = growing;
    this.similar = similar;
    this.most = most;

    this.dialog = find("uploader");
    this.watched = null; // the job that the dialog shows
    this.parent = null; // what is chosen now is added to
    for (const input of [find("files"), find("folder")]) {
      input.addEventListener("change", () => {
        const files = [...input.files];
        input.value = "";
        if (files.length) this.take(files);
      });
    }
    this.dialog.addEventListener("close", () => {
      Object.assign(this, { watched: null, parent: null });
    });
    jobs.addEventListener("changed", ({ detail }) => this.changed(detail));
    find("running").addEventListener("click", () => this.watch(jobs.running[0]));
    acceptDrops({ take: (files) => this.take(files), similar });
  }

  show(...children) {
    this.open(t("uploadTitle"), children);
  }

  open(title, children) {
    fill(
      this.dialog,
      heading(title, () => this.dialog.close(), { id: "uploader-title" }),
      ...children,
    );
    if (!this.dialog.open) this.dialog.showModal();
  }

  /** Nothing is chosen yet, or nothing that can be taken. `parent`, `{ name, add }`, is what the pictures are to be added to. */
  ask(problem = "", parent = problem ? this.parent : null) {
    this.watched = null;
    const shown = parent ?? this.growing();
    this.parent = parent;
    const into = h("input", { type: "checkbox", id: "add-to" });
    into.checked = Boolean(parent);
    into.addEventListener("change", () => (this.parent = into.checked ? shown : null));
    this.show(
      problem && h("p", { class: "bad", role: "alert" }, problem),
      h("p", { class: "soft" }, t("uploadText", { most: number(this.most) })),
      shown && h("label", { class: "check" }, into, h("span", {}, t("addTo", { name: shown.name }))),
      ...this.unfinished().map((name) => h("p", { class: "soft" }, t("unfinished", { name }))),
      h(
        "div",
        { class: "actions" },
        h("button", { class: "strong", autofocus: true, onclick: () => find("files").click() }, t("chooseFiles")),
        h("button", { onclick: () => find("folder").click() }, t("chooseFolder")),
      ),
    );
  }

  /** Names of what was not sent completely when the page was left, or given up after errors. */
  unfinished() {
    const under = new Set(this.jobs.running.map(({ name }) => name));
    return Object.values(storage.partialUploads())
      .map(({ metadata }) => metadata.filename)
      .filter((name) => !under.has(name));
  }

  take(files) {
    const found = uploadFiles.sortFiles(files);
    const { archives, pictures } = found;
    if (archives.length > 1) return this.ask(t("severalArchives", { n: number(archives.length) }));
    if (archives.length && (pictures.length || found.metadata)) return this.ask(t("archiveAmong", archives[0]));
    if (archives.length) return this.send(() => archives[0], archives[0].name.replace(/(.)\.zip$/i, "$1"));
    if (!pictures.length) return this.ask(t("noPictures"));
    if (pictures.length === 1 && this.similar && !this.parent) return this.offer(found);
    return this.sendPictures(found);
  }

  /** One picture: look for its like, or upload it? */
  offer(found) {
    const [file] = found.pictures;
    const shown = this.growing();
    this.watched = null;
    this.show(
      h("p", {}, t("onePicture", { name: file.name })),
      h(
        "div",
        { class: "actions" },
        h(
          "button",
          {
            class: "strong",
            autofocus: true,
            onclick: () => {
              this.dialog.close();
              this.similar(file);
            },
          },
          t("findSimilar"),
        ),
        h("button", { onclick: () => this.sendPictures(found) }, t("uploadIt")),
        shown && h("button", { onclick: () => this.sendInto(shown, found) }, t("addTo", { name: shown.name })),
      ),
    );
  }

  sendInto(parent, found) {
    this.parent = parent;
    return this.sendPictures(found);
  }

  /** The first of the pictures; where they are the rest of more, `before` were sent already, under the same name. */
  sendPictures({ pictures, metadata, others }, before = 0, called = "") {
    const { chosen, rest } = uploadFiles.splitUpload(pictures, metadata, this.most);
    const all = before + pictures.length;
    const name = called || nameOf(pictures, t("picturesOf", { date: moment(new Date()) }));
    const sent = before + pictures.length - rest.length;
    const note = rest.length && !before ? t("tooMany", { most: number(this.most), n: number(all) }) : "";
    const packed = { all, before, sent, others };
    if (rest.length) packed.takeRest = () => this.sendPictures({ pictures: rest, metadata, others: 0 }, sent, name);
    const make = (progress) => packArchive(chosen, progress);
    return this.send(make, before ? `${name} (${before + 1}–${sent})` : name, note, packed);
  }

  send(make, name, note = "", packed = {}) {
    const { parent } = this;
    const job = this.jobs.start({ make, name: parent ? parent.name : name, note, into: parent?.add });
    job.packed = packed;
    this.watch(job);
  }

  /** Have the pictures of a dataset laid out anew. */
  async refit({ name, links }) {
    try {
      const { id } = await api.json(links.refit, { method: "POST", headers: api.csrfHeaders() });
      this.watch(this.jobs.adopt(id, name));
    } catch (error) {
      notifications.showError(error);
    }
  }

  /** The pictures of a ZIP that the server has, beyond those of one upload of it. */
  async takeRest({ links }) {
    try {
      const { id, name } = await api.json(`${links.rest}?limit=all`, { method: "POST", headers: api.csrfHeaders() });
      this.watch(this.jobs.adopt(id, name));
    } catch (error) {
      notifications.showError(error);
    }
  }

  /** Show how far an upload is, until the dialog is closed. */
  watch(job) {
    if (!job) return;
    this.watched = job;
    this.bar = h("progress", { max: 1, value: 0, "aria-label": job.name });
    this.state = h("p", { class: "soft", role: "status" });
    this.show(
      h("p", {}, h("strong", {}, job.name)),
      job.note && h("p", { class: "soft" }, job.note),
      this.bar,
      this.state,
      h("p", { class: "soft small" }, t("goesOn")),
      h(
        "div",
        { class: "actions" },
        h("button", { class: "strong", autofocus: true, onclick: () => this.dialog.close() }, t("lookAround")),
        h("button", { id: "cancel-upload", onclick: () => this.cancel(job) }, t("cancelUpload")),
      ),
    );
    this.changed(job);
  }

  async cancel(job) {
    this.dialog.close();
    try {
      await this.jobs.cancel(job);
      notifications.toast(t("cancelled", { name: job.name }));
      if (this.current() === job.id && job.id) this.go("");
    } catch (error) {
      notifications.showError(error);
    }
  }

  changed(job) {
    this.count();
    // The dialog tells that it is closed a while after it is: by then nobody watches any more.
    const isWatched = this.dialog.open && this.watched === job;
    if (job.phase === "failed") return this.failed(job, isWatched);
    if (job.phase === "done") return this.done(job, isWatched);
    if (isWatched && job.runs) {
      const { words: state, share } = job;
      if (this.state.textContent !== state) this.state.textContent = state;
      if (share === null) this.bar.removeAttribute("value");
      else this.bar.value = share;
    }
    if (!job.isEarly || job.isShown) return;
    job.isShown = true;
    // Whoever watches it wants to see it; nobody else is taken there.
    if (!isWatched) return;
    this.dialog.close();
    this.go(job.id);
  }

  /** The button in the bar that says how many are under way. */
  count() {
    const { running } = this.jobs;
    const button = find("running");
    button.hidden = !running.length;
    const shares = running.map(({ phase, share }) => (phase === "computing" ? (share ?? 0) : 0));
    const percent = running.length ? Math.round((100 * shares.reduce((sum, one) => sum + one, 0)) / running.length) : 0;
    find("running-share").textContent = `${percent} %`;
    button.setAttribute("aria-label", `${t("underWay")}: ${running.map(({ name }) => name).join(", ")}`);
    button.title = running.map(({ name, words: state }) => `${name}: ${state}`).join("\n");
  }

  async done(job, isWatched) {
    const { id, name } = job;
    storage.keepUpload(id, name);
    const isShown = this.current() === id;
    if (isWatched) this.dialog.close();
    const notices = outcome.notices(job.facts, job.packed);
    const { parent, added } = job.facts ?? {};
    const end = parent && added ? plural("addedTo", added, { name }) : t("done", { name });
    const words = [end, ...notices.map(({ words: sentence }) => sentence)].join(" ");
    const more = {
      label: t("more"),
      act: () => this.open(name, outcome.shown(notices)),
    };
    const ways = notices.length ? [more] : [];
    if (isShown) await this.arrived(id);
    else if (isWatched) await this.go(id);
    else return notifications.notice(words, { label: t("show"), act: () => this.go(id) }, ...ways);
    const offers = outcome.offers(notices);
    if (parent) notifications.notice(words, ...(offers.length ? offers : ways));
    else if (!notices.length) notifications.toast(words);
    else if (this.current() !== id || document.querySelector("dialog[open]")) notifications.notice(words, more);
    else more.act();
  }

  failed(job, isWatched) {
    const again = () => {
      this.jobs.again(job);
      this.watch(job);
    };
    if (!isWatched) {
      const ways = job.make ? [{ label: t("tryAgain"), act: again }] : [];
      return notifications.notice(`${job.name}: ${errorText(job.error)}`, ...ways);
    }
    this.show(
      h("p", {}, h("strong", {}, job.name)),
      h("p", { class: "bad", role: "alert" }, errorText(job.error)),
      h(
        "div",
        { class: "actions" },
        job.make && h("button", { class: "strong", autofocus: true, onclick: again }, t("tryAgain")),
        h("button", { onclick: () => find("files").click() }, t("chooseFiles")),
      ),
    );
  }
}
