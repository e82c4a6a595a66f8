// Files that were dropped or chosen → a ZIP → the server → a dataset that can be shown.

import { Zip, ZipPassThrough } from "fflate";
import * as api from "./api.js";

export const MOST = 1000;
const PICTURE = /\.(jpe?g|png|webp|gif|bmp|tiff?|avif|jp2|j2k|ppm|pgm|tga)$/i;

export function isArchive(file) {
  return /\.zip$/i.test(file.name) || /zip/.test(file.type);
}

export function isPicture(file) {
  return PICTURE.test(file.name) || (file.type.startsWith("image/") && !file.type.includes("svg"));
}

/** Everything in a drop, folders included → `[File]`. Must be called while the event is handled. */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  return (await Promise.all(entries.map(walk))).flat();
}

async function walk(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!batch.length) return (await Promise.all(found.map(walk))).flat();
    found.push(...batch);
  }
}

/** Pictures → a ZIP with all of them at its top, stored as they are. `progress(done, total)`. */
export async function packed(files, progress) {
  const chunks = [];
  let failure = null;
  const zip = new Zip((error, chunk) => {
    failure ??= error;
    chunks.push(chunk);
  });
  const taken = new Set();
  let done = 0;
  for (const file of files) {
    const entry = new ZipPassThrough(unique(file.name, taken));
    entry.mtime = file.lastModified || Date.now();
    zip.add(entry);
    entry.push(new Uint8Array(await file.arrayBuffer()), true);
    progress(++done, files.length);
  }
  zip.end();
  if (failure) throw failure;
  return new Blob(chunks, { type: "application/zip" });
}

function unique(name, taken) {
  const [, stem, ending] = name.match(/^(.*?)(\.[^.]*)?$/);
  let candidate = name;
  for (let copy = 2; taken.has(candidate); copy++) candidate = `${stem} (${copy})${ending ?? ""}`;
  taken.add(candidate);
  return candidate;
}

/** The first pictures in the order of their names, as the server takes them. */
export function first(files) {
  const order = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  return files.filter(isPicture).sort(order).slice(0, MOST);
}

/**
 * Send a ZIP. `sending(share)` while it travels, `working(facts | null)` while the server computes; resolves with the
 * dataset's id and, where the server tells them, its facts. Raises `ApiError`.
 */
export async function send(archive, name, { offers, sending, working, signal }) {
  const { status, text } = await post(archive, name, { asynchronous: offers.facts, sending, working, signal });
  if (status === 200 && !text.startsWith("{")) return { id: text.trim(), facts: null };
  if (status >= 400) throw refusal(status, text);
  let facts = JSON.parse(text);
  const { id } = facts;
  while (facts.status === "queued" || facts.status === "processing") {
    working(facts);
    await api.pause(700);
    if (signal.aborted) throw new DOMException("left alone", "AbortError");
    facts = await api.json(`/dataset/${id}`);
  }
  if (facts.status === "failed") throw new api.ApiError(facts.error ?? "", 400);
  return { id, facts };
}

function refusal(status, text) {
  try {
    return new api.ApiError(JSON.parse(text).error, status);
  } catch {
    return new api.ApiError(text.slice(0, 200), status);
  }
}

/** XMLHttpRequest, not fetch: it alone tells how much has been sent. */
function post(archive, name, { asynchronous, sending, working, signal }) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append("file", archive, name);
    const request = new XMLHttpRequest();
    request.open("POST", "/dataset");
    if (asynchronous) request.setRequestHeader("Prefer", "respond-async");
    for (const [name, value] of Object.entries(api.proof())) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => sending(total ? loaded / total : 0);
    request.upload.onload = () => working(null);
    request.onload = () => resolve({ status: request.status, text: request.responseText });
    request.onerror = () => reject(new api.ApiError("", 0));
    request.onabort = () => reject(new DOMException("left alone", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}
