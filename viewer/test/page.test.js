import { beforeEach, expect, test, vi } from "vitest";
import { Others } from "../page/data/columns.js";
import { errorText } from "../page/i18n/errors.js";
import { plural, setLanguage, t } from "../page/i18n/index.js";
import { LOCALES } from "../page/i18n/locales.js";
import { translateReason } from "../page/i18n/reasons.js";
import { isRefusal, moved, readingTime } from "../page/data/saved_views.js";
import { beside, format, leaveFrame, parse, read, write } from "../page/url_state.js";

beforeEach(() => {
  const location = { search: "", pathname: "/" };
  vi.stubGlobal("location", location);
  vi.stubGlobal("history", {
    state: null,
    replaceState(state, _, address) {
      this.state = state;
      location.search = address.startsWith("?") ? address : "";
    },
  });
  vi.stubGlobal("document", { documentElement: {}, querySelectorAll: () => [] });
});

const usual = {
  ...{ dataset: "", reducer: "umap", firstReducer: "umap", split: null, mode: "pictures", space: "orbit" },
  ...{ among: false, camera: null, picture: -1, open: [], theme: null, colour: "", size: 0, search: null },
  ...{ filters: new Map(), isolation: null, chosen: new Uint32Array() },
};

test("a usual view needs no address", () => {
  expect(write(usual)).toBe(true);
  expect(location.search).toBe("");
});

test("an address brings back what was written to it", () => {
  const filters = new Map();
  filters
    .set("kind", new Set(["cat, big", "dog"]))
    .set("age", [1.5, 9])
    .set("place", new Others(new Set(["Łódź"])));
  const state = { ...usual, dataset: "abc", reducer: "pca", camera: [0, 1, 2, 3, 4, 5.5], picture: 7, filters };
  expect(
    write({ ...state, isolation: Uint32Array.of(1, 5), chosen: Uint32Array.of(5), colour: "kind", size: 1.5 }),
  ).toBe(true);
  const found = read();
  expect(found).toMatchObject({
    dataset: "abc",
    reducer: "pca",
    camera: [0, 1, 2, 3, 4, 5.5],
    picture: 7,
    colour: "kind",
    size: 1.5,
  });
  expect(found.filters).toEqual(filters);
  expect([[...found.isolation], [...found.chosen]]).toEqual([[1, 5], [5]]);
});

/** A browser's storage. */
function storage() {
  const kept = new Map();
  return {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => kept.set(name, value),
    removeItem: (name) => kept.delete(name),
  };
}

/** Rows that take some 4,000 characters. */
const manyRows = Uint32Array.from({ length: 3000 }, (_, at) => 200 * at + (at % 7));

test("an address of two has the queries of both", () => {
  vi.stubGlobal("sessionStorage", storage());
  const filters = new Map([["kind", new Set(["cat & dog", "Łódź"])]]);
  const { text } = format({ ...usual, dataset: "abc", filters });
  const address = new URL(beside({ ...usual, dataset: "abc", filters }, "f00"), "http://localhost");
  expect(address.pathname).toBe("/compare");
  expect(address.searchParams.get("left")).toBe(text);
  expect(address.searchParams.get("right")).toBe("dataset=f00");
  expect(beside({ ...usual, dataset: "abc", reducer: "pca" }, "")).toBe("/compare?left=dataset=abc%26view=pca&right=");
  location.search = "?dataset=gone";
  expect(beside(null, "")).toBe("/compare?left=dataset=gone&right=");
});

test("a selection that is too long for one of two addresses goes into its frame and out again", () => {
  vi.stubGlobal("sessionStorage", storage());
  const state = { ...usual, dataset: "abc", chosen: manyRows };
  const [, left] = beside(state, "f00").match(/left=(.*)&/);
  const events = [];
  vi.stubGlobal("frameElement", { name: "left", dispatchEvent: ({ type }) => events.push(type) });
  location.search = `?${left}`;
  expect([...read().chosen]).toEqual([...manyRows]);
  expect(write(state)).toBe(false);
  history.state = null; // as after a reload of the page around
  expect([...read().chosen]).toEqual([...manyRows]);
  leaveFrame();
  expect(events).toEqual(["address", "alone"]);
  vi.stubGlobal("frameElement", null);
  expect([...read().chosen]).toEqual([...manyRows]);
  location.search = "?dataset=other";
  expect(read().chosen).toHaveLength(0);
});

test("an address tells a text that describes pictures from one in their names", () => {
  const described = { rows: [5, 1], similarities: [0.3, 0.2] };
  const search = { text: "a dog & a cat", rows: Uint32Array.of(1, 5), only: true, described };
  write({ ...usual, search });
  expect(location.search).toBe("?of=a+dog+%26+a+cat&found=only");
  expect(read().search).toEqual({ text: "a dog & a cat", isDescribed: true, only: true });
  write({ ...usual, search: { ...search, only: false, described: null } });
  expect(location.search).toBe("?find=a+dog+%26+a+cat");
  expect(read().search).toEqual({ text: "a dog & a cat", isDescribed: false, only: false });
});

test("rows that are too many for an address stay in the history", () => {
  const chosen = Uint32Array.from({ length: 60_000 }, (_, at) => at * 2 + (at % 7 ? 0 : 1));
  expect(write({ ...usual, chosen })).toBe(false);
  expect(location.search).toBe("");
  expect(read().chosen).toBe(chosen);
});

test("reasons are translated with what they name, nested ones too; unknown ones are not", () => {
  setLanguage("pl");
  expect(translateReason("it is no picture")).toBe("to nie jest zdjęcie");
  expect(translateReason("the same file as a.jpg")).toBe("ten sam plik co a.jpg");
  expect(translateReason("it was not used: it says nothing of any picture")).toBe(
    "nie użyto go: nie mówi nic o żadnym zdjęciu",
  );
  expect(translateReason("something else")).toBeNull();
});

test("errors are told in the page's language, with the server's own sentence where there is none", () => {
  setLanguage("pl");
  const error = { status: 413, type: "urn:wwzd:error:upload-too-large", params: { limit: 5 }, message: "Too large." };
  expect(errorText(error)).toBe("Zbiór przekracza limit 5 MiB.");
  setLanguage("en");
  expect(errorText(error)).toBe("Too large.");
  expect(errorText({ status: 0 })).toBe(t("offline"));
});

test("numbers choose the form of a text", () => {
  setLanguage("pl");
  expect([1, 3, 5].map((n) => plural("count", n))).toEqual(["1 zdjęcie", "3 zdjęcia", "5 zdjęć"]);
  setLanguage("en");
  expect([1, 2].map((n) => plural("count", n))).toEqual(["1 picture", "2 pictures"]);
});

test("every language has every text of the page, with the same names in it", () => {
  const names = (text) => [...new Set(JSON.stringify(text).match(/\{\w+\}/g) ?? [])].sort();
  for (const { messages } of Object.values(LOCALES)) {
    expect(Object.keys(messages).sort()).toEqual(Object.keys(LOCALES.en.messages).sort());
    for (const [key, text] of Object.entries(messages))
      expect([key, names(text)]).toEqual([key, names(LOCALES.en.messages[key])]);
  }
});

test("a saved view keeps what an address has no room for", () => {
  const chosen = Uint32Array.from({ length: 60_000 }, (_, at) => at * 2 + (at % 7 ? 0 : 1));
  const { text, kept } = format({ ...usual, chosen, colour: "kind" }, 80_000);
  expect(kept).toEqual({});
  expect([...parse(text).chosen]).toEqual([...chosen].sort((a, b) => a - b));
  expect(parse(text).colour).toBe("kind");
});

test("views are moved one place on, and stay at the ends", () => {
  const views = ["a", "b", "c"].map((id) => ({ id }));
  const order = (id, step) => moved(views, id, step).map((view) => view.id);
  expect(order("a", 1)).toEqual(["b", "a", "c"]);
  expect(order("c", -1)).toEqual(["a", "c", "b"]);
  expect(order("a", -1)).toEqual(["a", "b", "c"]);
  expect(order("c", 1)).toEqual(["a", "b", "c"]);
  expect(order("x", 1)).toEqual(["a", "b", "c"]);
});

test("a stop of a tour lasts as long as its words take to read", () => {
  const time = (note) => readingTime({ id: "", name: "Cats", state: "", note });
  expect(time("")).toBeGreaterThan(3);
  expect(time("x".repeat(100))).toBeGreaterThan(time("x") + 4);
  expect(time("x".repeat(2000))).toBe(25);
});

test("only what refuses to write leaves views to the browser", () => {
  expect(isRefusal({ status: 401 })).toBe(true);
  expect(isRefusal({ status: 507, type: "urn:wwzd:error:read-only" })).toBe(true);
  expect(isRefusal({ status: 400, type: "urn:wwzd:error:parameter-invalid" })).toBe(false);
  expect(isRefusal({ status: 0 })).toBe(false);
});
