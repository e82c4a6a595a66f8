// A large ZIP → the server, in parts (the tus protocol): after a cut connection, or a restart of the server, it goes on
// where it was; after a reload of the page too, where the same file is chosen again.

import { Upload } from "tus-js-client";
import * as api from "./api.js";
import { t } from "../i18n/index.js";
import * as storage from "./storage.js";
import { responseError } from "./upload_request.js";

/** Bytes from which a ZIP goes in parts; smaller ones are sent in one request. */
export const LARGE = 16 * 2 ** 20;

const PART = 8 * 2 ** 20;
const EVERY = 700; // milliseconds between two questions to the server
const DELAYS = [0, 1000, 3000, 5000, 10_000, 20_000, ...Array(120).fill(30_000)]; // an hour without a single byte
const MAY_PASS = [0, 409, 423, 502, 503, 504]; // statuses after which the same may succeed

/**
 * Send a ZIP, all of whose pictures are taken: `sending(share)` while it travels, never less than before,
 * `interrupted()` when the connection breaks off, `sent()` when all of it is there. Resolves with the dataset's
 * `{ status, text }`, as `post` does.
 */
export async function sendInParts(archive, name, { sending, interrupted, sent, signal }) {
  const upload = await transfer(archive, name, { sending, interrupted, signal });
  sent();
  const facts = await settled(upload.url);
  if (facts.state !== "complete") forget(archive);
  if (facts.problem) throw api.ApiError.of(facts.problem);
  const dataset = await api.json(facts.links.dataset);
  return { status: isUnfinished(dataset) ? 202 : 200, text: JSON.stringify(dataset) };
}

function transfer(archive, name, { sending, interrupted, signal }) {
  const endpoint = new URL("/uploads", location.href).href;
  return new Promise((resolve, reject) => {
    let furthest = 0;
    const upload = new Upload(archive, {
      endpoint,
      chunkSize: PART,
      retryDelays: DELAYS,
      headers: api.csrfHeaders(),
      metadata: { filename: name, limit: "all" },
      fingerprint: async () => fingerprintOf(archive),
      urlStorage: begun,
      onProgress: (bytes, total) => sending((furthest = Math.max(furthest, bytes / total))),
      // Without it, a server that does not answer for a moment would be sent all of it anew.
      onUploadUrlAvailable: () => Object.assign(upload.options, { endpoint: null }),
      onShouldRetry: (error) => {
        const again = MAY_PASS.includes(statusOf(error)) || isThrottled(error);
        if (again) interrupted();
        // A file that was changed or moved meanwhile fails as a connection does, and would do so for ever.
        archive
          .slice(0, 1)
          .arrayBuffer()
          .catch(() => {
            upload.abort();
            reject(new Error(t("fileGone")));
          });
        return again;
      },
      onSuccess: () => resolve(upload),
      onError: (error) => {
        const status = statusOf(error);
        if (upload.url && (status === 404 || status === 410)) {
          furthest = 0; // it has expired: from the beginning
          Object.assign(upload, { url: null });
          Object.assign(upload.options, { endpoint, uploadUrl: null });
          return upload.start();
        }
        reject(status ? responseError(status, bodyOf(error)) : new api.ApiError("", 0));
        if (status === 400 || status === 413) discard(upload, archive); // which forgets the answer too
      },
    });
    signal.addEventListener("abort", () => {
      giveUp(upload, archive);
      reject(new DOMException("left alone", "AbortError"));
    });
    resume(upload);
  });
}

/** Begin, or go on with what was begun of the same file. */
async function resume(upload) {
  const [before] = await upload.findPreviousUploads();
  if (before) {
    upload.resumeFromPreviousUpload(before);
    upload.options.endpoint = null;
  }
  upload.start();
}

/** What has become of an upload whose bytes are all there, once that is decided, or cannot be now. */
async function settled(address) {
  for (;;) {
    try {
      const facts = await api.json(address);
      if (facts.state !== "complete" || facts.problem) return facts;
    } catch (error) {
      if (error.status !== 0 && error.status < 500) throw error;
    }
    await api.pause(EVERY);
  }
}

/** Stop, and leave nothing on the server: neither the bytes nor what may just have been made of them. */
async function giveUp(upload, archive) {
  await upload.abort();
  forget(archive);
  if (!upload.url) return;
  try {
    const { dataset } = await settled(upload.url);
    if (dataset && isUnfinished(await api.json(`/dataset/${dataset}`))) await api.remove(`/dataset/${dataset}`);
    await upload.abort(true);
  } catch {
    // The server removes it by itself in a day.
  }
}

function discard(upload, archive) {
  forget(archive);
  upload.abort(true).catch(() => null); // as above
}

function isUnfinished({ status }) {
  return status === "queued" || status === "processing";
}

function statusOf(error) {
  return error.originalResponse?.getStatus() ?? 0;
}

function bodyOf(error) {
  return error.originalResponse?.getBody() ?? "";
}

/** Too many requests in a time, not too many uploads in the queue. */
function isThrottled(error) {
  return statusOf(error) === 429 && bodyOf(error).includes(":throttled");
}

const packed = new WeakMap(); // ZIPs that were packed here → what tells them apart while the page is there

/** What a file is known by after a reload. One that was packed here is another one each time. */
function fingerprintOf(archive) {
  if (archive instanceof File) return [archive.name, archive.size, archive.lastModified].join("-");
  if (!packed.has(archive)) packed.set(archive, `packed-${crypto.randomUUID()}`);
  return packed.get(archive);
}

const ofThisPage = new Map(); // fingerprint of a packed ZIP → where it lies

/** Where uploads lie that were begun, as tus-js-client asks for it. */
const begun = {
  findAllUploads: async () => [...ofThisPage.values(), ...Object.values(storage.partialUploads())],
  findUploadsByFingerprint: async (fingerprint) =>
    [ofThisPage.get(fingerprint) ?? storage.partialUploads()[fingerprint]].filter(Boolean),
  addUpload: async (fingerprint, upload) => {
    const entry = { ...upload, urlStorageKey: fingerprint };
    if (fingerprint.startsWith("packed-")) ofThisPage.set(fingerprint, entry);
    else storage.keepPartialUpload(fingerprint, entry);
    return fingerprint;
  },
  removeUpload: async (fingerprint) => {
    ofThisPage.delete(fingerprint);
    storage.forgetPartialUpload(fingerprint);
  },
};

function forget(archive) {
  begun.removeUpload(fingerprintOf(archive));
}
