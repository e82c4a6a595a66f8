// The dialog of an upload: choose files, watch them travel and be computed, read what went wrong.

import { ApiError } from "./api.js";
import { fill, find, h } from "./dom.js";
import { duration, many, number, stage, t } from "./i18n.js";
import { heading } from "./panels.js";
import * as uploads from "./uploads.js";

export class Uploader {
  /**
   * `early({ id, name })` when a dataset can be looked at but is not all computed, `done({ id, name })` when it is, and
   * `similar(file)` to search by a picture, or null. `tell(words)` while the dialog is closed.
   */
  constructor({ offers, early, done, similar, tell }) {
    Object.assign(this, { offers, early, done, similar, tell });
    this.dialog = find("uploader");
    this.running = null;
    for (const input of [find("files"), find("folder")]) {
      input.addEventListener("change", () => {
        const files = [...input.files];
        input.value = "";
        if (files.length) this.take(files);
      });
    }
    this.dialog.addEventListener("close", () => !this.shown && this.running?.abort());
    this.shown = false; // what is computed is looked at already, and the dialog closed
    this.dragged = 0;
    window.addEventListener("dragenter", (event) => this.drag(event, 1));
    window.addEventListener("dragleave", (event) => this.drag(event, -1));
    window.addEventListener("dragover", (event) => event.preventDefault());
    window.addEventListener("drop", (event) => this.dropped(event));
  }

  drag(event, step) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    this.dragged += step;
    find("drop").hidden = this.dragged <= 0;
  }

  async dropped(event) {
    event.preventDefault();
    this.dragged = 0;
    find("drop").hidden = true;
    const files = await uploads.dropped(event.dataTransfer);
    if (files.length) this.take(files);
  }

  show(...children) {
    fill(
      this.dialog,
      heading(t("uploadTitle"), () => this.dialog.close(), { id: "uploader-title" }),
      ...children,
    );
    if (!this.dialog.open) this.dialog.showModal();
  }

  /** Nothing is chosen yet. */
  ask(problem = "") {
    this.show(
      problem && h("p", { class: "bad", role: "alert" }, problem),
      h("p", { class: "soft" }, t("uploadText", { most: number(uploads.MOST) })),
      h(
        "div",
        { class: "actions" },
        h("button", { class: "strong", autofocus: true, onclick: () => find("files").click() }, t("chooseFiles")),
        h("button", { onclick: () => find("folder").click() }, t("chooseFolder")),
      ),
    );
  }

  take(files) {
    const archive = files.find(uploads.isArchive);
    if (archive && files.length === 1) return this.send(() => archive, archive.name);
    const pictures = files.filter(uploads.isPicture);
    if (!pictures.length) return this.ask(t("noPictures"));
    if (pictures.length === 1 && this.similar) return this.offer(pictures[0]);
    return this.sendPictures(files);
  }

  /** One picture: look for its like, or upload it? */
  offer(file) {
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
        h("button", { onclick: () => this.sendPictures([file]) }, t("uploadIt")),
      ),
    );
  }

  sendPictures(files) {
    const all = files.filter(uploads.isPicture).length;
    const chosen = uploads.first(files);
    const folder = files[0].webkitRelativePath?.split("/")[0];
    const note = all > chosen.length ? t("tooMany", { most: number(uploads.MOST), n: number(all) }) : "";
    return this.send((progress) => uploads.packed(chosen, progress), `${folder || t("pictures")}.zip`, note);
  }

  async send(make, name, note = "") {
    this.running?.abort();
    const running = new AbortController();
    this.running = running;
    this.shown = false;
    const bar = h("progress", { max: 1, value: 0, "aria-label": name });
    const what = h("p", { class: "soft", role: "status" });
    const tell = (words, share) => {
      if (what.textContent !== words) what.textContent = words;
      if (share === null) bar.removeAttribute("value");
      else bar.value = share;
    };
    this.show(h("p", {}, h("strong", {}, name)), note && h("p", { class: "soft" }, note), bar, what);
    try {
      const archive = await make((done, total) => tell(t("packing", { n: number(total) }), done / total));
      tell(t("sending"), 0);
      const { id, facts } = await uploads.send(archive, name, {
        offers: this.offers,
        signal: running.signal,
        sending: (share) => tell(`${t("sending")} – ${Math.round(100 * share)} %`, share),
        working: (facts) => {
          const [words, share] = progress(facts);
          tell(words, share);
          if (this.shown) this.tell(words);
          else if (facts?.links?.tilemap && facts.reducers?.length) {
            this.shown = true;
            this.dialog.close();
            this.early({ id: facts.id, name });
          }
        },
      });
      this.running = null;
      this.dialog.close();
      this.tell("");
      this.done({ id, name });
      if (facts?.skipped?.length) this.skipped(facts.skipped);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.running = null;
      const sentence = error instanceof ApiError && error.status ? error.message : t("offline");
      this.show(
        h("p", {}, h("strong", {}, name)),
        h("p", { class: "bad", role: "alert" }, sentence),
        h(
          "div",
          { class: "actions" },
          h("button", { class: "strong", autofocus: true, onclick: () => this.send(make, name, note) }, t("tryAgain")),
          h("button", { onclick: () => find("files").click() }, t("chooseFiles")),
        ),
      );
    }
  }

  skipped(files) {
    this.show(
      h("p", {}, many("skipped", files.length)),
      h(
        "ul",
        { class: "reasons" },
        files.map(({ name, reason }) => h("li", {}, h("strong", {}, name), ` – ${reason}`)),
      ),
    );
  }
}

/** What the server says of its work → a sentence and a share of the whole, null where it is not known. */
function progress(facts) {
  if (!facts) return [t("computing"), null];
  if (facts.status === "queued") return [t("queued"), null];
  const words = [stage(facts.stage ?? "")];
  if (facts.seconds_left) words.push(duration(facts.seconds_left));
  return [words.join(" – "), facts.progress ?? null];
}
