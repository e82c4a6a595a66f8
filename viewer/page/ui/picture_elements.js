// One picture as an element: a thumbnail where the server makes them, else its tile cut from the tilemap.

import { h } from "./dom.js";

const PAGES_KEPT = 6;
const SIZES = [128, 256, 512]; // pixels of the thumbnails that are asked for: few, so that the server keeps them
const tilemapPages = new Map();

/** `side` in CSS pixels; `shape` its width and height, of 1. */
export function thumbnailElement(collection, row, side, shape) {
  const needed = side * Math.min(devicePixelRatio || 1, 2);
  const address = collection.thumbnail(row, SIZES.find((size) => size >= needed) ?? SIZES.at(-1));
  if (!address) return tile(collection, row, shape);
  const image = h("img", { src: address, alt: "", loading: "lazy", decoding: "async" });
  image.addEventListener("error", () => image.replaceWith(tile(collection, row, shape)), { once: true });
  return image;
}

/** The original where it is kept, or the best there is. */
export function originalElement(collection, row, shape) {
  const address = original(collection, row);
  if (!address) return thumbnailElement(collection, row, 256, shape);
  const image = h("img", { src: address, alt: "", decoding: "async" });
  // Browsers do not show every format that the server takes.
  image.addEventListener("error", () => image.replaceWith(thumbnailElement(collection, row, 256, shape)), {
    once: true,
  });
  return image;
}

/** Its address; null where the server says nothing of a file. */
export function original(collection, row) {
  return collection.cachedRecord(row)?.bytes ? collection.original(row) : null;
}

function tile(collection, row, shape) {
  const [width, height] = shape.map((part) => Math.max(1, Math.round(part * 48)));
  const canvas = h("canvas", { width: 4 * width, height: 4 * height, "aria-hidden": "true" });
  tilemapPage(collection.tilemap(Math.floor(row / 1000))).then(
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

function tilemapPage(address) {
  if (!tilemapPages.has(address)) {
    const image = new Image();
    image.src = address;
    tilemapPages.set(
      address,
      image.decode().then(() => image),
    );
    if (tilemapPages.size > PAGES_KEPT) tilemapPages.delete(tilemapPages.keys().next().value);
  }
  return tilemapPages.get(address);
}
