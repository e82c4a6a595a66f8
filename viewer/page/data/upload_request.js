// A ZIP → the server.

import * as api from "./api.js";

/** The error that an answer tells of. */
export function responseError(status, text) {
  try {
    return api.ApiError.of(JSON.parse(text), status);
  } catch {
    return new api.ApiError(text.slice(0, 200), status);
  }
}

/**
 * Send a ZIP, all of whose pictures are taken unless the answer is waited for; `into` is where they are added to those of
 * a collection, if they are. `sending(share)` while it travels, `sent()` when all of it has left. Resolves with `{ status, text }` of the answer. XMLHttpRequest, not fetch: it alone
 * tells how much has been sent.
 */
export function post(archive, name, { asynchronous, into = null, sending, sent, signal }) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append("file", archive, name);
    const request = new XMLHttpRequest();
    const address = asynchronous ? "/dataset?limit=all" : "/dataset";
    request.open("POST", into ?? address);
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
