// Files that were chosen → which of them are packed, in which order, and what is left for later uploads.

import { pathOf } from "./dropped_files.js";

const READ = "jpe?g?|jfif|mpo|a?png|webp|gif|bmp|dib|tiff?|avif|hei[cf]|hif|jxl|jp[2fx]|j2[ck]|p[bgnp]m|tga";
// The server names these in its report: better than leaving them out without a word.
const NAMED = "dng|cr[23w]|nef|arw|raf|orf|rw2|pef|srw|psd|exr|fits?";
const PICTURE = new RegExp(`\\.(${READ}|${NAMED})$`, "i");

export function isArchive(file) {
  return /\.zip$/i.test(file.name) || /zip/.test(file.type);
}

/** Whether it says something of the pictures beside it. */
export function isMetadata(file) {
  return /^metadata\.(csv|jsonl?)$/i.test(file.name);
}

export function isPicture(file) {
  return PICTURE.test(file.name) || (file.type.startsWith("image/") && !file.type.includes("svg"));
}

const MACHINES_OWN = new Set(["__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information"]);

/** Whether a file, or a folder above it, is hidden or was made by the operating system: macOS' `._a.jpg` is no picture. */
function isHidden(file) {
  return pathOf(file)
    .split("/")
    .some((part) => part.startsWith(".") || MACHINES_OWN.has(part));
}

/**
 * `{ archives, pictures, metadata, others }`: pictures in the order of their names, as the server takes them; the
 * metadata nearest to the top, or null; the number of what is neither.
 */
export function sortFiles(files) {
  const seen = files.filter((file) => !isHidden(file));
  const archives = seen.filter(isArchive);
  const pictures = seen.filter((file) => !isArchive(file) && isPicture(file)).sort(byName);
  const depth = (file) => pathOf(file).split("/").length;
  const [metadata = null] = seen.filter(isMetadata).sort((a, b) => depth(a) - depth(b) || compared(a.name, b.name));
  const others = seen.length - archives.length - pictures.length - (metadata ? 1 : 0);
  return { archives, pictures, metadata, others };
}

/** What one upload takes of the pictures, `most` of them, with what is said of them; and the pictures that are left. */
export function splitUpload(pictures, metadata, most) {
  return { chosen: [...pictures.slice(0, most), ...(metadata ? [metadata] : [])], rest: pictures.slice(most) };
}

function byName(a, b) {
  return compared(a.name, b.name) || compared(pathOf(a), pathOf(b));
}

function compared(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
