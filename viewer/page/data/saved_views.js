// Views that people saved of a collection, `{ id, name, note, state }`: on the server, or, where it does not let this
// browser write, in the browser.

import * as api from "./api.js";
import * as storage from "./storage.js";

export const LENGTHS = { name: 80, note: 2000, state: 80_000 }; // characters, as the server takes them

const TRIES = 4; // where others change the list at the same time
const FULL = new Error("full");

/** @typedef {{ id: string, name: string, note: string, state: string, isOwn?: boolean }} SavedView */

export class SavedViews {
  constructor(collection) {
    this.address = `${collection.base}/views`;
    this.key = collection.id || "catalogue";
    /** @type {SavedView[]} */
    this.shared = [];
    /** @type {SavedView[]} */
    this.own = [];
    this.etag = null; // of what the server has; null where it keeps none
  }

  /** All of them: the server's, then those that this browser keeps, which are marked as its own. */
  get all() {
    return [...this.shared, ...this.own.map((view) => ({ ...view, isOwn: true }))];
  }

  /** Have them. Raises `ApiError` where the server cannot be reached. */
  async load() {
    this.own = storage.savedViews(this.key);
    try {
      const { value, etag } = await api.tagged(this.address);
      Object.assign(this, { shared: value.views, etag });
    } catch (error) {
      if (error.status === 0) throw error;
      Object.assign(this, { shared: [], etag: null });
    }
    return this.all;
  }

  /** Save another one. Returns it, marked where it is the browser's own. Raises `ApiError`; an error where nothing is kept. */
  async add(view) {
    const made = { ...view, id: newId() };
    if (this.etag !== null) {
      try {
        await this.put((views) => [...views, made]);
        return made;
      } catch (error) {
        if (!isRefusal(error)) throw error;
      }
    }
    this.keep([...this.own, made]);
    return { ...made, isOwn: true };
  }

  /** Replace parts of a view. */
  edit({ id, isOwn }, parts) {
    return this.change(isOwn, (views) => views.map((view) => (view.id === id ? { ...view, ...parts } : view)));
  }

  /** Returns what puts it back where it was. */
  async remove({ id, isOwn }) {
    const before = isOwn ? this.own : this.shared;
    const at = before.findIndex((view) => view.id === id);
    await this.change(isOwn, (views) => views.filter((view) => view.id !== id));
    return () => this.change(isOwn, (views) => inserted(views, before[at], at));
  }

  /** Move a view so many places on, among those that are kept at the same place. */
  move({ id, isOwn }, step) {
    return this.change(isOwn, (views) => moved(views, id, step));
  }

  async change(isOwn, edit) {
    if (isOwn) this.keep(edit(this.own));
    else await this.put(edit);
  }

  /** Send what `edit` makes of the server's list; of the one that is there by then, where others changed it. */
  async put(edit) {
    for (let left = TRIES; ; left--) {
      const options = { method: "PUT", headers: this.headers, body: JSON.stringify({ views: edit(this.shared) }) };
      try {
        const { value, etag } = await api.tagged(this.address, options);
        Object.assign(this, { shared: value.views, etag });
        return;
      } catch (error) {
        if (error.status !== 412 || left <= 1) throw error;
        await this.load();
      }
    }
  }

  get headers() {
    return { "Content-Type": "application/json", "If-Match": this.etag, ...api.csrfHeaders() };
  }

  keep(views) {
    if (!storage.keepSavedViews(this.key, views)) throw FULL;
    this.own = views;
  }
}

/** Whether the server does not let this browser write, now or at all. */
export function isRefusal({ status, type = "" }) {
  return [401, 403, 405].includes(status) || /:(read-only|disk-full)$/.test(type);
}

/** A list with one of its views so many places on, at most to an end. */
export function moved(views, id, step) {
  const at = views.findIndex((view) => view.id === id);
  if (at < 0) return views;
  const others = views.filter((view) => view.id !== id);
  return inserted(others, views[at], Math.max(0, at + step));
}

export function inserted(views, view, at) {
  return [...views.slice(0, at), view, ...views.slice(at)];
}

function newId() {
  return [...crypto.getRandomValues(new Uint8Array(6))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const READING = 0.055; // seconds a character takes to read
const LEAST = 4; // seconds
const LONGEST = 25;

/** How long a stop of a tour lasts once it is reached, in seconds: as long as its words take to read. */
export function readingTime({ name, note }) {
  return Math.min(LONGEST, LEAST + READING * (name.length + note.length));
}
