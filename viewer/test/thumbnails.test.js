import { setImmediate } from "node:timers";
import { afterEach, expect, test, vi } from "vitest";
import { Thumbnails } from "../page/render/thumbnails.js";

const collection = { offers: { images: true }, thumbnail: (row, side) => `/images/${row}?size=${side}` };

function wantOne() {
  new Thumbnails({}, collection, { changed: () => {} }).want([{ row: 3, side: 200 }]);
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("a picture that cannot be fetched is tried again after a pause", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const fetch = vi.fn(() => Promise.reject(new TypeError("Failed to fetch")));
  vi.stubGlobal("fetch", fetch);
  wantOne();
  await settled();
  expect(fetch).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(2100);
  await settled();
  expect(fetch).toHaveBeenCalledTimes(2);
});

test("in a document that the browser has left, where no timer is ever set, nothing is tried again", async () => {
  let count = 0;
  vi.stubGlobal("setTimeout", () => 0);
  vi.stubGlobal("fetch", () =>
    ++count < 50 ? Promise.reject(new TypeError("Failed to fetch")) : new Promise(() => {}),
  );
  wantOne();
  await settled();
  expect(count).toBe(1);
});
