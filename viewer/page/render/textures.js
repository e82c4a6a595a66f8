// Texture arrays for the tiles: every cell at 6 and at 12 texels, at 24 where they fit, slots for those that are near, and
// some larger ones for thumbnails of the originals of those that are close.

import { DataArrayTexture, DataTexture, LinearFilter, RGBAFormat, RGBFormat, UnsignedByteType } from "three";

export const SLOTS = 512;
export const SIDE = 96;
const MOST = 400e6; // bytes of texels in all
/** Of thumbnails: how many of which side. 38 MB in all, once the first one is there. */
export const DETAILS = [
  { side: 128, slots: 128 },
  { side: 256, slots: 48 },
  { side: 512, slots: 16 },
];
/** A quad's slot is a layer of the sharp tiles, or, of `DETAILS[level]`, a layer beyond so many times `level + 1`. */
export const LEVEL = 1024;

const PACKED = { format: RGBFormat, type: "UNSIGNED_SHORT_5_6_5", internalFormat: "RGB565" };
const PLAIN = { format: RGBAFormat, type: UnsignedByteType, internalFormat: "RGBA8" };

export class Textures {
  /** For `ranges` tilemaps, each a layer, as far as the card takes so many. */
  constructor(renderer, ranges) {
    this.renderer = renderer;
    const gl = renderer.getContext();
    this.layers = Math.max(1, Math.min(ranges, gl.getParameter(gl.MAX_ARRAY_TEXTURE_LAYERS)));
    const slots = Math.min(SLOTS, gl.getParameter(gl.MAX_ARRAY_TEXTURE_LAYERS));
    const tilemapPage = (tile) => 2 * 1000 * tile * tile * this.layers;
    const sharp = 4 * SIDE * SIDE * slots;
    const details = DETAILS.reduce((sum, { side, slots }) => sum + 4 * side * side * slots, 0);
    this.tiles = tilemapPage(6) + tilemapPage(12) + tilemapPage(24) + sharp + details <= MOST ? [12, 24] : [12];
    this.slots = slots;
    this.bytes = sharp + [6, ...this.tiles].reduce((sum, tile) => sum + tilemapPage(tile), 0);
    this.some = false; // whether any small tiles are there
    this.tiny = empty(60, 600, this.layers, PACKED);
    this.small = empty(120, 1200, this.layers, PACKED);
    this.middle = this.tiles.includes(24) ? empty(240, 2400, this.layers, PACKED) : empty(1, 1, 1, PACKED);
    this.sharp = empty(SIDE, SIDE, slots, PLAIN);
    this.details = [];
    this.detailBytes = details;
  }

  /** Make room for thumbnails, unless there is. */
  makeDetails() {
    if (this.details.length) return;
    this.details = DETAILS.map(({ side, slots }) => empty(side, side, slots, PLAIN));
    this.bytes += this.detailBytes;
  }

  /** A range's texels at 6, 12 or 24 → its layer. */
  put(tile, range, texels) {
    if (range >= this.layers) return;
    const array = { 6: this.tiny, 12: this.small, 24: this.middle }[tile];
    this.copy(texels, 10 * tile, 100 * tile, PACKED, array, range);
    this.some = true;
  }

  putSharp(slot, texels) {
    this.copy(texels, SIDE, SIDE, PLAIN, this.sharp, slot);
  }

  putDetail(level, layer, texels) {
    const { side } = DETAILS[level];
    this.copy(texels, side, side, PLAIN, this.details[level], layer);
  }

  copy(texels, width, height, { format, type }, array, layer) {
    const source = new DataTexture(texels, width, height, format, type);
    this.renderer.copyTextureToTexture(source, array, null, { x: 0, y: 0, z: layer });
    source.dispose();
  }

  dispose() {
    for (const texture of [this.tiny, this.small, this.middle, this.sharp, ...this.details]) texture.dispose();
  }
}

/** Room on the card without bytes for it in memory: layers are filled one by one. */
function empty(width, height, depth, { format, type, internalFormat }) {
  const texture = new DataArrayTexture(null, width, height, depth);
  Object.assign(texture, { format, type, internalFormat });
  texture.minFilter = texture.magFilter = LinearFilter;
  texture.unpackAlignment = 1;
  texture.source.dataReady = false;
  texture.needsUpdate = true;
  return texture;
}
