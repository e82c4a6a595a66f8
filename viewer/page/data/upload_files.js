// Files that were chosen → which of them are packed, in which order, and what is left for later uploads.

import { MOST, isArchive, isMetadata, isPicture, pathOf } from "./upload_archive.js";

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

/** What one upload takes of the pictures, with what is said of them; and the pictures that are left. */
export function splitUpload(pictures, metadata) {
  return { chosen: [...pictures.slice(0, MOST), ...(metadata ? [metadata] : [])], rest: pictures.slice(MOST) };
}

// What a ZIP's dates reach, a day within: they are told in the local time of whoever packs.
const [EARLIEST, LATEST] = [Date.UTC(1980, 0, 2), Date.UTC(2099, 11, 30)];

/** The moment of a file, in milliseconds, as a ZIP can hold it. */
export function zipDate({ lastModified }) {
  return Math.min(Math.max(lastModified || Date.now(), EARLIEST), LATEST);
}

function byName(a, b) {
  return compared(a.name, b.name) || compared(pathOf(a), pathOf(b));
}

function compared(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
