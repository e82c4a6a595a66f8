// One picture as an element: a thumbnail where the server makes them, else its tile cut from the tilemap.

import { h } from "./dom.js";

const SHEETS = 6;
const sheets = new Map();

/** `side` in CSS pixels; `shape` its width and height, of 1. */
export function face(collection, row, side, shape) {
  const address = collection.thumbnail(row, Math.min(256, Math.ceil(side * Math.min(devicePixelRatio || 1, 2))));
  if (!address) return tile(collection, row, shape);
  const image = h("img", { src: address, alt: "", loading: "lazy", decoding: "async" });
  image.addEventListener("error", () => image.replaceWith(tile(collection, row, shape)), { once: true });
  return image;
}

/** The original where it is kept, or the best there is. */
export function portrait(collection, row, shape) {
  const address = original(collection, row);
  if (!address) return face(collection, row, 256, shape);
  const image = h("img", { src: address, alt: "", decoding: "async" });
  // Browsers do not show every format that the server takes.
  image.addEventListener("error", () => image.replaceWith(face(collection, row, 256, shape)), { once: true });
  return image;
}

/** Its address; null where the server says nothing of a file. */
export function original(collection, row) {
  return collection.known(row)?.bytes ? collection.original(row) : null;
}

function tile(collection, row, shape) {
  const [width, height] = shape.map((part) => Math.max(1, Math.round(part * 48)));
  const canvas = h("canvas", { width: 4 * width, height: 4 * height, "aria-hidden": "true" });
  sheet(collection.tilemap(Math.floor(row / 1000))).then(
    (image) => {
      const cell = row % 1000;
      const left = 50 * (cell % 10) + 1 + ((49 - width) >> 1);
      const top = 50 * Math.floor(cell / 10) + 1 + ((49 - height) >> 1);
      const context = canvas.getContext("2d");
      context.imageSmoothingQuality = "high";
      context.drawImage(image, left, top, width, height, 0, 0, canvas.width, canvas.height);
    },
    () => {},
  );
  return canvas;
}

function sheet(address) {
  if (!sheets.has(address)) {
    const image = new Image();
    image.src = address;
    sheets.set(
      address,
      image.decode().then(() => image),
    );
    if (sheets.size > SHEETS) sheets.delete(sheets.keys().next().value);
  }
  return sheets.get(address);
}
