// A picture from outside, shown among those of the cloud: how it looks, and where it would lie.

import { SIDE } from "./textures.js";

const GREY = 128; // stands in for what this browser cannot show

export class Guest {
  /**
   * `texels` fill a slot of the sharp tiles, `shape` is width and height, of 1, and `places` are `[x, y, z]` by reducer, as
   * the server tells them: null where it cannot.
   */
  constructor(texels, shape, places) {
    Object.assign(this, { texels, shape, places });
    this.slot = null; // once it is drawn
  }

  /** From its file. */
  static async of(file, places) {
    const image = await createImageBitmap(file).catch(() => null); // the server takes forms that browsers do not
    if (!image) return new Guest(new Uint8Array(4 * SIDE * SIDE).fill(GREY), [1, 1], places);
    const { width, height } = image;
    const context = new OffscreenCanvas(SIDE, SIDE).getContext("2d", { willReadFrequently: true });
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, SIDE, SIDE);
    image.close();
    const texels = new Uint8Array(context.getImageData(0, 0, SIDE, SIDE).data.buffer);
    const longer = Math.max(width, height);
    return new Guest(texels, [width / longer, height / longer], places);
  }

  /** Where it lies in a layout of the stage, given by its rows; null where it has no place there. */
  spot(layouts, rows) {
    const reducer = Object.keys(layouts).find((name) => layouts[name].rows === rows);
    const place = this.places[reducer];
    return place ? layouts[reducer].place(place) : null;
  }
}
