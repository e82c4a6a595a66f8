// The service's calls. A refusal becomes an `ApiError` with the server's own sentence; while the server is busy with
// someone's upload, calls wait and ask again.

export class ApiError extends Error {
  /** `type` says of what kind it is and `params` what stands in the sentence, as the server tells them. */
  constructor(message, status, { type = "", params = {} } = {}) {
    super(message);
    this.status = status;
    this.type = type;
    this.params = params;
  }

  /** From the server's account of it. */
  static of(problem, status = problem.status) {
    return new ApiError(problem.error ?? "", status, problem);
  }
}

const PATIENCE = 600_000; // milliseconds: a synchronous upload of a thousand pictures takes its minutes

/** Called with true when a call begins to wait for a busy server, with false when it has its answer.
 * @type {{ tell: (waits: boolean) => void }} */
export const waiting = { tell: () => {} };

/** Called with false when the server cannot be reached, with true when it answers again.
 * @type {{ tell: (answers: boolean) => void }} */
export const reach = { tell: () => {} };

async function call(path, options) {
  const until = Date.now() + PATIENCE;
  for (;;) {
    let response;
    try {
      response = await fetch(path, options);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      reach.tell(false);
      throw new ApiError("", 0);
    }
    reach.tell(true);
    if (response.status === 503 && Date.now() < until && (await isBusy(response.clone()))) {
      waiting.tell(true);
      await pause(1000 * Math.min(Number(response.headers.get("Retry-After")) || 2, 5));
      continue;
    }
    waiting.tell(false);
    if (!response.ok) throw await errorOf(response);
    return response;
  }
}

/** Whether it only waits for someone's upload: other things that are not to be had now may stay so for long. */
async function isBusy(response) {
  const { type } = await response.json().catch(() => ({}));
  return type === undefined || type.endsWith(":busy");
}

async function errorOf(response) {
  try {
    return ApiError.of(await response.json(), response.status);
  } catch {
    return new ApiError(response.statusText, response.status);
  }
}

const EVERY = 1500; // milliseconds between two looks at what is being computed

/**
 * What `ask()` answers once `isThere(answer)`; null as soon as `goesOn()` says no. `waiting(answer)` is told of the
 * answers before. Raises `ApiError`.
 */
export async function untilThere(ask, isThere, goesOn, waiting = undefined) {
  for (;;) {
    const answer = await ask();
    if (!goesOn()) return null;
    if (isThere(answer)) return answer;
    waiting?.(answer);
    await pause(EVERY);
    if (!goesOn()) return null;
  }
}

export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const LARGE = /[[:,]\s*-?\d{16,}\s*[,\]}]/; // what may be an integer beyond 2⁵³
const TOKENS = /"(?:[^"\\]|\\.)*"|[-+.\deE]+/g; // texts and numbers of JSON

/** JSON, its integers beyond 2⁵³ as texts: as numbers they would be others. */
export function parseJson(text) {
  if (!LARGE.test(text)) return JSON.parse(text);
  const quoted = text.replace(TOKENS, (token) =>
    /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token)) ? `"${token}"` : token,
  );
  return JSON.parse(quoted);
}

export async function json(path, options) {
  return parseJson(await (await call(path, options)).text());
}

/** The same with the tag that names it, `{ value, etag }`: for a change that must not overwrite another one. */
export async function tagged(path, options) {
  const response = await call(path, options);
  return { value: parseJson(await response.text()), etag: response.headers.get("ETag") };
}

export async function bytes(path) {
  return (await call(path)).arrayBuffer();
}

/** Some bytes of a file, both ends included, in a buffer from `start` on: all of it from who knows no ranges. */
export async function part(path, first, last) {
  const response = await call(path, { headers: { Range: `bytes=${first}-${last}` } });
  return { buffer: await response.arrayBuffer(), start: response.status === 206 ? 0 : first };
}

export async function remove(path) {
  await call(path, { method: "DELETE", headers: csrfHeaders() });
}

/** Give a dataset another name. Raises `ApiError`. */
export function rename(id, name) {
  return sendJson("PATCH", `/dataset/${id}`, { name });
}

/** Send a value as JSON. Raises `ApiError`. */
export function sendJson(method, path, value) {
  const headers = { "Content-Type": "application/json", ...csrfHeaders() };
  return json(path, { method, headers, body: JSON.stringify(value) });
}

/** What shows that a request comes from this page, to a server that asks for a session of someone who has logged in. */
export function csrfHeaders() {
  const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
  return token ? { "X-CSRFToken": token[1] } : {};
}

/**
 * `(n, 3)` vectors as one Float32Array: raw from a server that sends them so, else from the contract's JSON. `window` is
 * which rows of them, if not all.
 */
export async function vectors(path, window = {}) {
  const response = await call(`${path}?${new URLSearchParams({ format: "raw", ...window })}`);
  if (!response.headers.get("Content-Type")?.includes("json")) return new Float32Array(await response.arrayBuffer());
  const { features } = await response.json();
  const flat = new Float32Array(3 * features.length);
  for (let row = 0; row < features.length; row++) flat.set(features[row], 3 * row);
  return flat;
}
