// Tilemaps → texels, beside the page's own thread, which answers to the mouse meanwhile.

const CELLS = 1000;
const COLUMNS = 10;
const PAGE_CELL = 50;
const BOX = 48;
const PAGES_KEPT = 4; // decoded, 10 MB each

const tilemapPages = new Map();
const KINDS = { small, sharp, picture };

self.onmessage = async ({ data: { id, job } }) => {
  try {
    const result = await KINDS[job.kind](job);
    self.postMessage(
      { id, result },
      Object.values(result).map((array) => array.buffer),
    );
  } catch (error) {
    self.postMessage({ id, error: String(error) });
  }
};

async function fetched(url) {
  for (let attempt = 0; ; attempt++) {
    const response = await fetch(url);
    if (response.ok) return response.arrayBuffer();
    // Busy with an upload that someone waits for, or asked too much.
    if ((response.status !== 503 && response.status !== 429) || attempt > 200) {
      throw new Error(`${response.status} for ${url}`);
    }
    const seconds = Math.min(Number(response.headers.get("Retry-After")) || 3, 30);
    await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  }
}

/** A small tilemap → its texels, and for 12 those for 6, too; each cell's shape, and each cell's mean colour. */
async function small({ url, tile }) {
  const buffer = await fetched(url);
  const image = pixels(await createImageBitmap(new Blob([buffer])));
  const described = { shapes: shapes(new Uint8Array(buffer)), colours: means(image.data, tile) };
  const texels = packed(image.data);
  return tile === 12 ? { texels, tiniest: packed(halved(image)), ...described } : { texels, ...described };
}

/** Four bytes a pixel → 5, 6 and 5 bits. */
function packed(data) {
  const texels = new Uint16Array(data.length / 4);
  for (let texel = 0, at = 0; texel < texels.length; texel++, at += 4) {
    texels[texel] = ((data[at] & 0xf8) << 8) | ((data[at + 1] & 0xfc) << 3) | (data[at + 2] >> 3);
  }
  return texels;
}

/** The means of 2 × 2 pixels each. */
function halved({ data, width }) {
  const half = new Uint8ClampedArray(data.length / 4);
  const line = 4 * width;
  for (let at = 0, target = 0; at < data.length; at += line) {
    for (const end = at + line; at < end; at += 8, target += 4) {
      for (let channel = at; channel < at + 3; channel++) {
        half[target + channel - at] =
          (data[channel] + data[channel + 4] + data[channel + line] + data[channel + line + 4]) / 4;
      }
    }
  }
  return half;
}

/** Cells of a full tilemap, each stretched over a slot of `side` × `side` texels. `cells` are `[cell, width, height]`. */
async function sharp({ url, side, cells, whole }) {
  const tilemapPage = await decoded(url);
  const canvas = new OffscreenCanvas(side, side * cells.length);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  cells.forEach(([cell, width, height], place) => {
    const left = whole ? 0 : PAGE_CELL * (cell % COLUMNS) + 1 + ((BOX - width + 1) >> 1);
    const top = whole ? 0 : PAGE_CELL * Math.floor(cell / COLUMNS) + 1 + ((BOX - height + 1) >> 1);
    // At its edges the JPEG has mixed a picture with the white around it.
    const edge = whole || Math.min(width, height) < 5 ? 0 : 0.8;
    /** @type {[number, number]} */
    const size = whole ? [tilemapPage.width, tilemapPage.height] : [width - 2 * edge, height - 2 * edge];
    context.drawImage(tilemapPage, left + edge, top + edge, ...size, 0, side * place, side, side);
  });
  const texels = new Uint8Array(context.getImageData(0, 0, side, canvas.height).data.buffer);
  return whole ? { texels, size: Uint16Array.of(tilemapPage.width, tilemapPage.height) } : { texels };
}

/** A picture's file, stretched over a slot of `side` × `side` texels; and its own width and height. */
async function picture({ blob, side }) {
  const image = await createImageBitmap(blob);
  const size = Uint16Array.of(image.width, image.height);
  const context = new OffscreenCanvas(side, side).getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, side, side);
  image.close();
  return { texels: new Uint8Array(context.getImageData(0, 0, side, side).data.buffer), size };
}

function decoded(url) {
  const known = tilemapPages.get(url);
  if (known) {
    tilemapPages.delete(url);
    tilemapPages.set(url, known);
    return known;
  }
  const tilemapPage = fetched(url).then((buffer) => createImageBitmap(new Blob([buffer])));
  tilemapPage.catch(() => tilemapPages.delete(url));
  tilemapPages.set(url, tilemapPage);
  if (tilemapPages.size > PAGES_KEPT) {
    const [oldest, bitmap] = tilemapPages.entries().next().value;
    tilemapPages.delete(oldest);
    bitmap.then((old) => setTimeout(() => old.close(), 5000)).catch(() => {});
  }
  return tilemapPage;
}

function pixels(bitmap) {
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** The JPEG's comment: a width and a height for each cell, as hexadecimal digits. */
function shapes(file) {
  const found = new Uint8Array(2 * CELLS).fill(BOX);
  for (let at = 2; file[at] === 0xff && file[at + 1] !== 0xda; at += 2 + 256 * file[at + 2] + file[at + 3]) {
    if (file[at + 1] !== 0xfe) continue;
    const text = new TextDecoder().decode(file.subarray(at + 4, at + 4 + 4 * CELLS));
    for (let index = 0; index < found.length; index++) found[index] = parseInt(text.substr(2 * index, 2), 16) || BOX;
  }
  return found;
}

function means(data, tile) {
  const colours = new Uint8Array(3 * CELLS);
  const width = COLUMNS * tile;
  for (let cell = 0; cell < CELLS; cell++) {
    const sums = [0, 0, 0];
    const start = 4 * (Math.floor(cell / COLUMNS) * tile * width + (cell % COLUMNS) * tile);
    for (let row = 0; row < tile; row++) {
      for (let at = start + 4 * row * width, end = at + 4 * tile; at < end; at += 4) {
        sums[0] += data[at];
        sums[1] += data[at + 1];
        sums[2] += data[at + 2];
      }
    }
    for (let channel = 0; channel < 3; channel++) colours[3 * cell + channel] = sums[channel] / (tile * tile);
  }
  return colours;
}
