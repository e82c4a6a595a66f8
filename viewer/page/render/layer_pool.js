// A fixed number of layers of a texture array, lent to rows: those that were wanted least lately make room.

export class LayerPool {
  constructor(size) {
    this.size = size;
    this.layers = new Map(); // row → layer, those that were wanted last at the end
    this.free = Array.from({ length: size }, (_, layer) => layer);
  }

  has(row) {
    return this.layers.has(row);
  }

  /** A row's layer, or null. */
  get(row) {
    return this.layers.get(row) ?? null;
  }

  /** It is wanted: others make room first. */
  touch(row) {
    const layer = this.layers.get(row);
    if (layer === undefined) return;
    this.layers.delete(row);
    this.layers.set(row, layer);
  }

  /** A layer for a row. */
  take(row) {
    this.release(row);
    let layer = this.free.pop();
    if (layer === undefined) {
      const [oldest, taken] = this.layers.entries().next().value;
      this.layers.delete(oldest);
      layer = taken;
    }
    this.layers.set(row, layer);
    return layer;
  }

  release(row) {
    const layer = this.layers.get(row);
    if (layer === undefined) return;
    this.layers.delete(row);
    this.free.push(layer);
  }
}
