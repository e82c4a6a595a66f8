// The service's calls. A refusal becomes an `ApiError` with the server's own sentence; while the server is busy with
// someone's upload, calls wait and ask again.

export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

const PATIENCE = 600_000; // milliseconds: a synchronous upload of a thousand pictures takes its minutes

/** Called with true when a call begins to wait for a busy server, with false when it has its answer. */
export const waiting = { tell: () => {} };

async function call(path, options) {
  const until = Date.now() + PATIENCE;
  for (;;) {
    let response;
    try {
      response = await fetch(path, options);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError("", 0);
    }
    if (response.status === 503 && Date.now() < until) {
      waiting.tell(true);
      await pause(1000 * Math.min(Number(response.headers.get("Retry-After")) || 2, 5));
      continue;
    }
    waiting.tell(false);
    if (!response.ok) throw await refusal(response);
    return response;
  }
}

async function refusal(response) {
  try {
    return new ApiError((await response.json()).error ?? response.statusText, response.status);
  } catch {
    return new ApiError(response.statusText, response.status);
  }
}

export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

export async function json(path, options) {
  return (await call(path, options)).json();
}

export async function bytes(path) {
  return (await call(path)).arrayBuffer();
}

export async function remove(path) {
  await call(path, { method: "DELETE", headers: proof() });
}

/** What shows that a request comes from this page, to a server that asks for a session of someone who has logged in. */
export function proof() {
  const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
  return token ? { "X-CSRFToken": token[1] } : {};
}

/** `(n, 3)` vectors as one Float32Array: raw from a server that sends them so, else from the contract's JSON. */
export async function vectors(path) {
  const response = await call(`${path}?format=raw`);
  if (!response.headers.get("Content-Type")?.includes("json")) return new Float32Array(await response.arrayBuffer());
  const { features } = await response.json();
  const flat = new Float32Array(3 * features.length);
  for (let row = 0; row < features.length; row++) flat.set(features[row], 3 * row);
  return flat;
}
