// Sets of rows as short text for an address, and back: as the gaps between them, or as one bit for each row, whichever is
// shorter. Both in bytes, and these in base64 with the letters that addresses may have.

const GAPS = "g";
const BITS = "b";

/** Ascending rows → text. */
export function encodeRows(rows) {
  const gaps = [];
  let last = -1;
  for (const row of rows) {
    let gap = row - last - 1;
    last = row;
    for (; gap > 127; gap = Math.floor(gap / 128)) gaps.push((gap % 128) + 128);
    gaps.push(gap);
  }
  const bits = (last + 8) >> 3;
  if (bits >= gaps.length) return GAPS + base64(Uint8Array.from(gaps));
  const bytes = new Uint8Array(bits);
  for (const row of rows) bytes[row >> 3] |= 1 << (row & 7);
  return BITS + base64(bytes);
}

/** Text → ascending rows below `count`; null if it is no such text. */
export function decodeRows(text, count = 2 ** 32) {
  const bytes = unbase64(text.slice(1));
  if (!bytes || !text || ![GAPS, BITS].includes(text[0])) return null;
  const rows = text[0] === GAPS ? fromGaps(bytes) : fromBits(bytes);
  return Uint32Array.from(rows.filter((row) => row < count));
}

function fromGaps(bytes) {
  const rows = [];
  let last = -1;
  let gap = 0;
  let unit = 1;
  for (const byte of bytes) {
    gap += (byte & 127) * unit;
    unit *= 128;
    if (byte > 127) continue;
    last += gap + 1;
    rows.push(last);
    gap = 0;
    unit = 1;
  }
  return rows;
}

function fromBits(bytes) {
  const rows = [];
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) if (bytes[at] & (1 << bit)) rows.push(8 * at + bit);
  }
  return rows;
}

function base64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function unbase64(text) {
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}
