// Files that were dropped or chosen → a ZIP → the server → a dataset that can be shown.

import { Zip, ZipPassThrough } from "fflate";
import * as api from "./api.js";
import { zipDate } from "./upload_files.js";

export const MOST = 1000;
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

const paths = new WeakMap(); // of files that were dropped in a folder

/** Where a file lies in the folder that was chosen or dropped, `folder/…/name`; its name where there is none. */
export function pathOf(file) {
  return paths.get(file) ?? (file.webkitRelativePath || file.name);
}

/** What an upload of these files is called: as their folder is, or by the date. */
export function nameOf(files, otherwise) {
  const tops = new Set(files.map((file) => pathOf(file).split("/").slice(0, -1)[0]));
  return (tops.size === 1 && [...tops][0]) || otherwise;
}

/** Everything in a drop, folders included → `[File]`. Must be called while the event is handled. */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  return (await Promise.all(entries.map(walk))).flat();
}

async function walk(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    paths.set(file, entry.fullPath.replace(/^\//, ""));
    return [file];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!batch.length) return (await Promise.all(found.map(walk))).flat();
    found.push(...batch);
  }
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

/** The error that an answer tells of. */
export function responseError(status, text) {
  try {
    return api.ApiError.of(JSON.parse(text), status);
  } catch {
    return new api.ApiError(text.slice(0, 200), status);
  }
}

/**
 * Send a ZIP: `sending(share)` while it travels, `sent()` when all of it has left. Resolves with `{ status, text }` of the
 * answer. XMLHttpRequest, not fetch: it alone tells how much has been sent.
 */
export function post(archive, name, { asynchronous, sending, sent, signal }) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append("file", archive, name);
    const request = new XMLHttpRequest();
    request.open("POST", "/dataset");
    if (asynchronous) request.setRequestHeader("Prefer", "respond-async");
    for (const [name, value] of Object.entries(api.csrfHeaders())) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => sending(total ? loaded / total : 0);
    request.upload.onload = () => sent();
    request.onload = () => resolve({ status: request.status, text: request.responseText });
    request.onerror = () => reject(new api.ApiError("", 0));
    request.onabort = () => reject(new DOMException("left alone", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}
