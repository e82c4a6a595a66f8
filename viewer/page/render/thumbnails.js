// Thumbnails of the originals for pictures that are close: fetched beside everything else, the largest on the canvas
// first, into textures of a fixed size; none while the camera moves.

import { later } from "../data/later.js";
import { DETAILS, LEVEL } from "./textures.js";
import { LayerPool } from "./layer_pool.js";
import { run } from "./worker_pool.js";

const AT_A_TIME = 3;
const TILE = 48; // pixels of a picture in a tilemap: a thumbnail must have more to be of use
const ENOUGH = 1.15; // a texture may be enlarged by that much before a larger one is fetched
const IN_VAIN = 12; // thumbnails in turn that are no larger than the tiles: there are no originals here
const PAUSE = 2; // seconds, of a server that has too much to do and does not say for how long
const LONGEST_PAUSE = 60;

export class Thumbnails {
  /** `changed()` after something arrived. */
  constructor(cloud, collection, { changed }) {
    this.cloud = cloud;
    this.collection = collection;
    this.changed = changed;

    this.pools = DETAILS.map(({ slots }) => new LayerPool(slots));
    this.wanted = []; // `{ row, level }`, the most urgent first
    this.running = new Map(); // row → its AbortController
    this.lost = new Set();
    this.least = new Map(); // row → the first level that is no better than the one before
    this.vain = 0;
    this.pauses = 0;
    this.timer = 0;
    this.moving = false;
  }

  /**
   * Have thumbnails of these, `[{ row, side }]` with a side in the canvas's pixels, the most urgent first. While the camera
   * moves, only those that are under way and still wanted are waited for.
   */
  want(items, { moving = false } = {}) {
    this.moving = moving;
    this.wanted = this.levels(items);
    for (const pool of this.pools) {
      for (const { row } of this.wanted) pool.touch(row);
    }
    const rows = new Set(this.wanted.map(({ row }) => row));
    for (const [row, abort] of this.running) if (!rows.has(row)) abort.abort();
    this.pump();
  }

  /** The level that each is fetched at: as large as it is drawn, while there are slots for it. */
  levels(items) {
    const left = DETAILS.map(({ slots }) => slots);
    const found = [];
    for (const { row, side } of items) {
      if (side <= TILE * ENOUGH) continue;
      const fits = DETAILS.findIndex((detail) => side <= detail.side * ENOUGH);
      let level = Math.min(fits < 0 ? DETAILS.length - 1 : fits, (this.least.get(row) ?? DETAILS.length) - 1);
      while (level >= 0 && !left[level]) level -= 1;
      if (level < 0) continue;
      left[level] -= 1;
      found.push({ row, level });
    }
    return found;
  }

  /** The best that there is of a row, as `slot` of a quad; null where there is nothing. */
  slot(row) {
    for (let level = DETAILS.length - 1; level >= 0; level--) {
      const layer = this.pools[level].get(row);
      if (layer !== null) return LEVEL * (level + 1) + layer;
    }
    return null;
  }

  pump() {
    if (this.moving || this.timer || this.vain >= IN_VAIN || !this.collection.offers.images) return;
    for (const { row, level } of this.wanted) {
      if (this.running.size >= AT_A_TIME) return;
      if (row < 0) continue; // a picture from outside has its own texels
      if (!this.isThere(row, level) && !this.running.has(row) && !this.lost.has(row)) this.fetch(row, level);
    }
  }

  isThere(row, level) {
    return this.pools.some((pool, which) => which >= level && pool.has(row));
  }

  async fetch(row, level) {
    const abort = new AbortController();
    this.running.set(row, abort);
    const { side } = DETAILS[level];
    try {
      const response = await fetch(this.collection.thumbnail(row, side), { signal: abort.signal, priority: "low" });
      if (response.ok) await this.keep(row, level, await response.blob(), abort.signal);
      else if (response.status === 503 || response.status === 429) this.pause(response.headers.get("Retry-After"));
      else this.lost.add(row);
    } catch {
      if (!abort.signal.aborted) this.pause(null); // the network, or a picture that cannot be decoded
    } finally {
      this.running.delete(row);
      this.pump();
    }
  }

  async keep(row, level, blob, signal) {
    this.pauses = 0;
    const { side } = DETAILS[level];
    const job = { kind: "picture", blob, side };
    const { texels, size } = await run(job, { urgent: true, signal }).catch(() => ({ size: [0] }));
    if (signal.aborted) return;
    const longer = Math.max(...size);
    this.vain = longer > TILE ? 0 : this.vain + 1;
    if (longer < side) this.least.set(row, longer > TILE ? level + 1 : 0); // a larger one would not have more
    if (longer <= TILE) return;
    this.cloud.tiled?.shaped(row, size);
    this.put(row, level, texels);
    this.changed();
  }

  /** Texels → a layer of a level for a row, or for a picture from outside. */
  put(row, level, texels) {
    this.cloud.makeDetails();
    this.cloud.textures.putDetail(level, this.pools[level].take(row), texels);
  }

  release(row) {
    for (const pool of this.pools) pool.release(row);
  }

  /** Ask nobody for a while: as long as the server says, or longer each time. */
  pause(said) {
    if (this.timer) return;
    const seconds = Number(said) || PAUSE * 2 ** this.pauses++;
    this.timer = later(1000 * Math.min(seconds, LONGEST_PAUSE), () => {
      this.timer = 0;
      this.pump();
    });
  }

  stop() {
    clearTimeout(this.timer);
    this.wanted = [];
    this.timer = -1; // nothing is begun any more
    for (const abort of this.running.values()) abort.abort();
  }
}
