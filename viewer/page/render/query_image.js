// A picture from outside, shown among those of the cloud: how it looks, and where it would lie.

import { DETAILS } from "./textures.js";

/** The thumbnails among which it is kept. */
export const QUERY_IMAGE_LEVEL = DETAILS.length - 1;
const SIDE = DETAILS[QUERY_IMAGE_LEVEL].side;
const GREY = 128; // stands in for what this browser cannot show

export class QueryImage {
  /**
   * `texels` fill a slot of the largest thumbnails, `shape` is width and height, of 1, and `positions` are `[x, y, z]` by reducer, as
   * the server tells them: null where it cannot.
   */
  constructor(texels, shape, positions) {
    this.texels = texels;
    this.shape = shape;
    this.positions = positions;
  }

  /** From its file. */
  static async of(file, positions) {
    const image = await createImageBitmap(file).catch(() => null); // the server takes forms that browsers do not
    if (!image) return new QueryImage(new Uint8Array(4 * SIDE * SIDE).fill(GREY), [1, 1], positions);
    const { width, height } = image;
    const context = new OffscreenCanvas(SIDE, SIDE).getContext("2d", { willReadFrequently: true });
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, SIDE, SIDE);
    image.close();
    const texels = new Uint8Array(context.getImageData(0, 0, SIDE, SIDE).data.buffer);
    const longer = Math.max(width, height);
    return new QueryImage(texels, [width / longer, height / longer], positions);
  }

  /** Where it lies in a layout of the viewer, given by its rows; null where it has no place there. */
  positionOf(layouts, rows) {
    const reducer = Object.keys(layouts).find((name) => layouts[name].rows === rows);
    const position = this.positions[reducer];
    return position ? layouts[reducer].transform(position) : null;
  }
}
