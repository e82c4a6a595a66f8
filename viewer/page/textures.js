// Texture arrays for the tiles: every cell at 6 and at 12 texels, at 24 where they fit, and slots for those that are near.

import { DataArrayTexture, DataTexture, LinearFilter, RGBAFormat, RGBFormat, UnsignedByteType } from "three";

export const SLOTS = 512;
export const SIDE = 96;
const MOST = 400e6; // bytes of texels in all

const PACKED = { format: RGBFormat, type: "UNSIGNED_SHORT_5_6_5", internalFormat: "RGB565" };
const PLAIN = { format: RGBAFormat, type: UnsignedByteType, internalFormat: "RGBA8" };

export class Textures {
  /** For `ranges` tilemaps, each a layer, as far as the card takes so many. */
  constructor(renderer, ranges) {
    this.renderer = renderer;
    const gl = renderer.getContext();
    this.layers = Math.max(1, Math.min(ranges, gl.getParameter(gl.MAX_ARRAY_TEXTURE_LAYERS)));
    const slots = Math.min(SLOTS, gl.getParameter(gl.MAX_ARRAY_TEXTURE_LAYERS));
    const sheet = (tile) => 2 * 1000 * tile * tile * this.layers;
    const sharp = 4 * SIDE * SIDE * slots;
    this.tiles = sheet(6) + sheet(12) + sheet(24) + sharp <= MOST ? [12, 24] : [12];
    this.slots = slots;
    this.bytes = sharp + [6, ...this.tiles].reduce((sum, tile) => sum + sheet(tile), 0);
    this.some = false; // whether any small tiles are there
    this.tiny = empty(60, 600, this.layers, PACKED);
    this.small = empty(120, 1200, this.layers, PACKED);
    this.middle = this.tiles.includes(24) ? empty(240, 2400, this.layers, PACKED) : empty(1, 1, 1, PACKED);
    this.sharp = empty(SIDE, SIDE, slots, PLAIN);
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

  copy(texels, width, height, { format, type }, array, layer) {
    const source = new DataTexture(texels, width, height, format, type);
    this.renderer.copyTextureToTexture(source, array, null, { x: 0, y: 0, z: layer });
    source.dispose();
  }

  dispose() {
    for (const texture of [this.tiny, this.small, this.middle, this.sharp]) texture.dispose();
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
