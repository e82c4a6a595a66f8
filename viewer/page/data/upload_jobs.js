// Uploads under way: each is packed, sent and computed, whatever the page shows meanwhile, and found again after a
// reload once the server has it.

import * as api from "./api.js";
import { duration, stage, t } from "../i18n/index.js";
import { LARGE, sendInParts } from "./resumable_upload.js";
import * as storage from "./storage.js";
import { post, responseError } from "./upload_request.js";

const EVERY = 700; // milliseconds between two questions to the server
const PATIENCE = 5; // questions in a row that may stay unanswered

/** One upload. `phase` is packing, sending, computing, done, failed or cancelled; `share` 0 … 1, or null. */
class UploadJob {
  constructor({ id = null, name, note = "", make = null, into = null }) {
    this.id = id;
    this.name = name;
    this.note = note;
    this.make = make;
    this.into = into; // where pictures are sent that are added to a collection
    /** @type {any} */
    this.facts = null;
    this.packing = null;
    this.archive = null; // what travels, for another try
    this.interrupted = false;
    this.error = null;
    /** @type {any} */
    this.packed = null;
    this.isShown = false;
    this.phase = make ? "packing" : "computing";
    this.share = make ? 0 : null;
    this.sending = null; // aborts the request while it travels
  }

  get runs() {
    return !["done", "failed", "cancelled"].includes(this.phase);
  }

  /** Whether it can be looked at before all of it is computed. */
  get isEarly() {
    return this.phase === "computing" && Boolean(this.facts?.links?.tilemap && this.facts.reducers?.length);
  }

  /** How far it is, in words. */
  get words() {
    if (this.phase === "packing") return t("packing", { n: this.packing ?? "" });
    if (this.phase === "sending" && this.interrupted) return t("interrupted");
    if (this.phase === "sending") return `${t("sending")} – ${Math.round(100 * (this.share ?? 0))} %`;
    if (!this.facts) return t("computing");
    if (this.facts.status === "queued") return t("queued");
    const words = [stage(this.facts.stage ?? "")];
    if (this.facts.seconds_left) words.push(duration(this.facts.seconds_left));
    return words.join(" – ");
  }
}

export class UploadJobs extends EventTarget {
  constructor(offers) {
    super();
    this.offers = offers;
    this.all = [];
    window.addEventListener("beforeunload", (event) => {
      // What the server has goes on without the page; the rest would be lost.
      if (this.running.some(({ id }) => !id)) event.preventDefault();
    });
  }

  get running() {
    return this.all.filter((job) => job.runs);
  }

  set(job, changes) {
    Object.assign(job, changes);
    this.remember();
    this.dispatchEvent(new CustomEvent("changed", { detail: job }));
  }

  remember() {
    const stored = ({ id, name, packed }) => ({
      id,
      name,
      all: packed?.all,
      before: packed?.before,
      sent: packed?.sent,
      others: packed?.others,
    });
    storage.keepRunning(this.running.filter(({ id }) => id).map(stored));
  }

  /** Those that were under way when the page was left. */
  resume() {
    if (!this.offers.facts) return;
    for (const { id, name, ...packed } of storage.running()) this.adopt(id, name).packed ??= packed;
  }

  /** What is known of the files of an upload that was packed here. */
  packing(id) {
    return this.all.findLast((job) => job.id === id && job.packed)?.packed;
  }

  /** Follow one that the server has already. */
  adopt(id, name) {
    const known = this.all.find((job) => job.id === id && job.runs);
    if (known) return known;
    const job = new UploadJob({ id, name });
    this.all.push(job);
    this.guard(job, () => this.follow(job));
    return job;
  }

  /** `make(progress)` packs the archive. */
  start({ name, note, make, into = null }) {
    const job = new UploadJob({ name, note, make, into });
    this.all.push(job);
    this.guard(job, () => this.send(job));
    return job;
  }

  again(job) {
    Object.assign(job, { phase: "packing", share: 0, error: null, id: null, facts: null });
    return this.guard(job, () => this.send(job));
  }

  async guard(job, act) {
    try {
      await act();
    } catch (error) {
      if (job.phase !== "cancelled") this.set(job, { phase: "failed", error });
    }
  }

  async send(job) {
    job.archive ??= await job.make((done, total) => this.set(job, { packing: total, share: done / total }));
    const archive = job.archive;
    if (!job.runs) return;
    job.sending = new AbortController();
    this.set(job, { phase: "sending", share: 0, interrupted: false });
    const inParts = this.offers.parts && archive.size > LARGE && !job.into;
    const transfer = inParts ? sendInParts : post;
    const { status, text } = await transfer(archive, job.name, {
      asynchronous: this.offers.facts,
      into: job.into,
      signal: job.sending.signal,
      sending: (share) => job.runs && this.set(job, { share, interrupted: false }),
      interrupted: () => job.runs && this.set(job, { interrupted: true }),
      sent: () => {
        job.sending = null;
        if (job.runs) this.set(job, { phase: "computing", share: null });
      },
    });
    job.archive = null;
    if (status >= 400) throw responseError(status, text);
    const facts = text.startsWith("{") ? JSON.parse(text) : null;
    job.id = facts?.id ?? text.trim();
    // Cancelled after its last byte was sent: nobody waits for what the server makes of it.
    if (!job.runs) return status === 202 ? this.erase(job) : null;
    if (status === 202) {
      this.set(job, { facts });
      await this.follow(job);
    } else {
      this.set(job, { phase: "done", facts });
    }
  }

  async follow(job) {
    for (let missed = 0; job.runs;) {
      let facts;
      try {
        facts = await api.json(`/dataset/${job.id}`);
        missed = 0;
      } catch (error) {
        // It goes on being computed while the network is away.
        if (error.status !== 0 && (error.status < 500 || ++missed > PATIENCE)) throw error;
        await api.pause(5 * EVERY);
        continue;
      }
      if (!job.runs) return;
      if (facts.status === "failed") throw api.ApiError.of(facts.problem ?? { error: facts.error }, 400);
      if (facts.status === "ready") return this.set(job, { phase: "done", facts, share: 1 });
      this.set(job, { phase: "computing", facts, share: facts.status === "queued" ? null : facts.progress });
      await api.pause(EVERY);
    }
  }

  /** Stop it here and on the server. */
  async cancel(job) {
    const { id, sending } = job;
    this.set(job, { phase: "cancelled" });
    sending?.abort();
    if (id) await this.erase(job);
  }

  async erase({ id }) {
    await api.remove(`/dataset/${id}`);
  }
}
