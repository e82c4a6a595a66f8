// Tiles for the pictures of a collection: small ones for all, range by range, and sharp ones for those that are near.

import { LayerPool } from "./layer_pool.js";
import { SIDE } from "./textures.js";
import { run } from "./worker_pool.js";

const AT_A_TIME = 2; // sharp jobs: the page's own thread copies what they bring
const FEW_TILEMAPS = 12; // that many full tilemaps are fetched whole; of more, thumbnails where the server has them
const THUMBNAILS = 4;
const THUMBNAIL = 128; // pixels: the smallest that the server makes which fills a slot

export class Tiles {
  /** `changed()` after something arrived, `progress(done, total)` of the small tilemaps. */
  constructor(cloud, collection, { changed, progress, failed }) {
    this.cloud = cloud;
    this.collection = collection;
    this.changed = changed;
    this.progress = progress;
    this.failed = failed;

    this.textures = cloud.textures;
    this.abort = new AbortController();
    this.pool = new LayerPool(this.textures.slots);
    this.pending = new Set();
    this.lost = new Set();
    this.wanted = [];
    this.jobs = 0;
    this.shaped = new Uint8Array(collection.ranges);
  }

  /** All small tilemaps, the smallest size first. Resolves when all are there or have failed. */
  async load() {
    const total = this.collection.ranges * this.textures.tiles.length;
    let done = 0;
    const one = async (tile, range) => {
      try {
        await this.small(tile, range);
      } catch (error) {
        if (this.abort.signal.aborted) return;
        this.failed(error);
      }
      this.progress(++done, total);
    };
    for (const tile of this.textures.tiles) {
      const ranges = Array.from({ length: this.collection.ranges }, (_, range) => one(tile, range));
      await Promise.all(ranges);
      if (this.abort.signal.aborted) return;
      this.cloud.shared.uBest.value = tile;
      this.cloud.bare = !this.shaped.every(Boolean);
    }
  }

  /** Do without the small ones: there are too many to have them all. Sharp ones come all the same. */
  without() {
    this.shaped.fill(1);
    this.progress(1, 1);
  }

  async small(tile, range) {
    const job = { kind: "small", url: this.collection.tilemap(range, tile), tile };
    const { texels, tiniest, shapes, colours } = await run(job, { signal: this.abort.signal });
    if (this.abort.signal.aborted) return;
    this.textures.put(tile, range, texels);
    if (tiniest) this.textures.put(6, range, tiniest);
    if (!this.shaped[range]) this.describe(range, shapes, colours);
    this.changed();
  }

  /** Each picture's shape, and its mean colour for its dot. */
  describe(range, shapes, colours) {
    const first = 1000 * range;
    const count = Math.min(1000, this.collection.count - first);
    const known = this.cloud.array("colour");
    const mixed = new Uint8Array(4 * count);
    for (let index = 0; index < count; index++) {
      mixed.set(colours.subarray(3 * index, 3 * index + 3), 4 * index);
      mixed[4 * index + 3] = known[4 * (first + index) + 3];
    }
    this.cloud.writeRows("colour", first, mixed);
    if (range >= this.textures.layers) return; // more than the card takes: they stay dots
    this.shaped[range] = 1;
    const scaled = Uint8Array.from(shapes.subarray(0, 2 * count), (side) => Math.round((side * 255) / 48));
    this.cloud.writeRows("shape", first, scaled);
  }

  slot(row) {
    return this.pool.get(row);
  }

  /** Have sharp tiles of these rows, the first ones first; others make room for them. */
  want(rows) {
    this.wanted = rows.slice(0, this.textures.slots);
    for (const row of this.wanted) this.pool.touch(row);
    this.pump();
  }

  pump() {
    const thumbnails = this.collection.ranges > FEW_TILEMAPS && this.collection.offers.images;
    while (this.jobs < (thumbnails ? THUMBNAILS : AT_A_TIME)) {
      const missing = this.wanted.filter((row) => this.isMissing(row));
      if (!missing.length) return;
      if (thumbnails) this.fetch(missing.slice(0, 1), this.collection.thumbnail(missing[0], THUMBNAIL), true);
      else this.fetchFullest(missing);
    }
  }

  isMissing(row) {
    return !this.pool.has(row) && !this.pending.has(row) && !this.lost.has(row) && this.shaped[Math.floor(row / 1000)];
  }

  /** The tilemap that has most of them. */
  fetchFullest(rows) {
    const groups = new Map();
    for (const row of rows) {
      const range = Math.floor(row / 1000);
      if (!groups.has(range)) groups.set(range, []);
      groups.get(range).push(row);
    }
    const [range, group] = [...groups].reduce((a, b) => (b[1].length > a[1].length ? b : a));
    this.fetch(group.slice(0, 100), this.collection.tilemap(range), false);
  }

  async fetch(rows, url, whole) {
    this.jobs += 1;
    for (const row of rows) this.pending.add(row);
    const cells = rows.map((row) => [row % 1000, ...this.cloud.shape(row).map((side) => Math.round(side * 48))]);
    try {
      const job = { kind: "sharp", url, side: SIDE, cells, whole };
      const { texels, size } = await run(job, { urgent: true, signal: this.abort.signal });
      if (this.abort.signal.aborted) return;
      if (size) this.cloud.tiled?.shaped(rows[0], size);
      const each = 4 * SIDE * SIDE;
      rows.forEach((row, place) => {
        this.textures.putSharp(this.pool.take(row), texels.subarray(each * place, each * (place + 1)));
      });
      this.changed(true);
    } catch {
      for (const row of rows) this.lost.add(row); // its small tile stays
    } finally {
      this.jobs -= 1;
      for (const row of rows) this.pending.delete(row);
      if (!this.abort.signal.aborted) this.pump();
    }
  }

  stop() {
    this.abort.abort();
  }
}
