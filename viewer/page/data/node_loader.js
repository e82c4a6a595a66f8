// Nodes of points on their way from the server: the most urgent ones first, those that lie together by one request, and
// as many kept as are worth it.

import { later } from "./later.js";
import { readNode, together } from "./point_index.js";

const AT_A_TIME = 4;
const PAUSE = 2000; // milliseconds after a request that failed
const TRIES = 5;

export class NodeLoader {
  /**
   * Of an index that was read (`readIndex`). `fetchBytes(first, last)` resolves to `{ buffer, start }`. `came(node, data)`
   * and `went(node)` are told what is there and what is not any more, `failed(error)` what cannot be had.
   */
  constructor(index, fetchBytes, { came, went, failed }, most) {
    this.index = index;
    this.fetchBytes = fetchBytes;
    this.listener = { came, went, failed };
    this.most = most; // points that are kept

    this.there = new Map(); // number → node, those that were wanted last at the end
    this.points = 0; // of those that are there
    this.coming = new Set();
    this.wanted = [];
    this.requests = 0;
    this.failures = 0;
    this.timer = 0;
  }

  get idle() {
    return !this.requests && !this.missing().length;
  }

  /** Have these nodes, the most urgent first. */
  want(nodes) {
    this.wanted = nodes;
    for (const node of nodes) {
      if (this.there.delete(node.number)) this.there.set(node.number, node);
    }
    this.pump();
  }

  missing() {
    return this.wanted.filter(({ number }) => !this.there.has(number) && !this.coming.has(number));
  }

  pump() {
    while (this.requests < AT_A_TIME && !this.timer) {
      const missing = this.missing();
      if (!missing.length) return;
      this.fetch(together(missing, this.index.nodes));
    }
  }

  /** Nodes that lie together. Resolves when they are there, or have failed. */
  async fetch(nodes) {
    this.requests += 1;
    for (const { number } of nodes) this.coming.add(number);
    const [{ first }, last] = [nodes[0], nodes.at(-1)];
    try {
      const { buffer, start } = await this.fetchBytes(first, last.first + last.bytes - 1);
      this.failures = 0;
      for (const node of nodes) this.keep(node, readNode(buffer, start + node.first - first, node, this.index.colours));
      this.evict();
    } catch (error) {
      this.wait(error);
    } finally {
      this.requests -= 1;
      for (const { number } of nodes) this.coming.delete(number);
      this.pump();
    }
  }

  keep(node, data) {
    this.there.set(node.number, node);
    this.points += node.count;
    this.listener.came(node, data);
  }

  /** Let those go that have not been wanted for the longest time. */
  evict() {
    const wanted = new Set(this.wanted);
    for (const [number, node] of this.there) {
      if (this.points <= this.most) return;
      if (wanted.has(node)) continue;
      this.there.delete(number);
      this.points -= node.count;
      this.listener.went(node);
    }
  }

  /** Ask for nothing for a while; for good where it is in vain. */
  wait(error) {
    this.failures += 1;
    if (this.failures === TRIES || error.status === 404) {
      this.stop();
      this.listener.failed(error);
    } else if (!this.timer) {
      this.timer = later(PAUSE, () => {
        this.timer = 0;
        this.pump();
      });
    }
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = -1;
    this.wanted = [];
  }
}
