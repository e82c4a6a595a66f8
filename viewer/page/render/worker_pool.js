// A few workers, each with some jobs at a time: while one job waits for the network, another is decoded.

const EACH = 3;
const workers = [];
const queue = [];
const running = new Map();
let last = 0;

/** Run a job of tiles.worker.js; urgent ones go before all that wait. Aborted ones are never begun. */
export function run(job, { urgent = false, signal = null } = {}) {
  return new Promise((resolve, reject) => {
    const entry = { job, resolve, reject, signal };
    if (urgent) queue.unshift(entry);
    else queue.push(entry);
    next();
  });
}

function next() {
  while (queue.length) {
    const worker = free();
    if (!worker) return;
    const entry = queue.shift();
    if (entry.signal?.aborted) {
      entry.reject(new DOMException("not wanted any more", "AbortError"));
      continue;
    }
    const id = ++last;
    worker.jobs += 1;
    running.set(id, { ...entry, worker });
    worker.port.postMessage({ id, job: entry.job });
  }
}

function free() {
  const known = workers.find((worker) => worker.jobs === 0) ?? workers.find((worker) => worker.jobs < EACH);
  const most = Math.max(1, Math.min((navigator.hardwareConcurrency || 2) - 1, 4));
  if (known?.jobs === 0 || workers.length >= most) return known;
  const worker = { port: new Worker(new URL("tiles.worker.js", import.meta.url), { type: "module" }), jobs: 0 };
  worker.port.onmessage = ({ data: { id, result, error } }) => {
    const { resolve, reject } = running.get(id);
    running.delete(id);
    worker.jobs -= 1;
    if (error) reject(new Error(error));
    else resolve(result);
    next();
  };
  workers.push(worker);
  return worker;
}
