// Files → a ZIP.

import { Zip, ZipPassThrough } from "fflate";
import { pathOf } from "./dropped_files.js";
import { isMetadata, isPicture } from "./upload_files.js";

// What a ZIP's dates reach, a day within: they are told in the local time of whoever packs.
const [EARLIEST, LATEST] = [Date.UTC(1980, 0, 2), Date.UTC(2099, 11, 30)];

/** The moment of a file, in milliseconds, as a ZIP can hold it. */
export function zipDate({ lastModified }) {
  return Math.min(Math.max(lastModified || Date.now(), EARLIEST), LATEST);
}

/** Pictures → a ZIP with all of them at its top, stored as they are. `progress(done, total)`. */
export async function packArchive(files, progress) {
  const chunks = [];
  let failure = null;
  const zip = new Zip((error, chunk) => {
    failure ??= error;
    chunks.push(new Blob([chunk])); // which the browser may keep out of memory
  });
  const taken = new Set(files.some(isMetadata) ? [] : ["metadata.csv"]);
  const folders = new Map(); // name in the ZIP → the folder that it lay in
  let done = 0;
  for (const file of files) {
    const name = unique(file.name, taken);
    if (isPicture(file)) folders.set(name, pathOf(file).split("/").slice(0, -1).join("/"));
    const entry = new ZipPassThrough(name);
    entry.mtime = zipDate(file);
    zip.add(entry);
    entry.push(new Uint8Array(await file.arrayBuffer()), true);
    progress(++done, files.length);
  }
  if (!files.some(isMetadata) && new Set(folders.values()).size > 1) {
    const entry = new ZipPassThrough("metadata.csv");
    zip.add(entry);
    entry.push(new TextEncoder().encode(folderTable(folders)), true);
  }
  zip.end();
  if (failure) throw failure;
  return new Blob(chunks, { type: "application/zip" });
}

/** Which picture lay in which folder, below the one that all have in common: a field of the upload. */
function folderTable(folders) {
  const every = [...folders.values()];
  const parts = every.map((folder) => folder.split("/"));
  let common = 0;
  while (parts.every((each) => each.length > common && each[common] === parts[0][common])) common++;
  const quoted = (text) => `"${text.replaceAll('"', '""')}"`;
  const rows = [...folders].map(([name, folder]) => [name, folder.split("/").slice(common).join("/") || "."]);
  return ["file,folder", ...rows.map((row) => row.map(quoted).join(","))].join("\n");
}

function unique(name, taken) {
  const [, stem, ending] = name.match(/^(.*?)(\.[^.]*)?$/);
  let candidate = name;
  for (let copy = 2; taken.has(candidate); copy++) candidate = `${stem} (${copy})${ending ?? ""}`;
  taken.add(candidate);
  return candidate;
}
