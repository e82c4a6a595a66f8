import { describe, expect, test, vi } from "vitest";
import { distortionField, greatest, layoutOf } from "../page/data/layout_quality.js";
import { parseJson } from "../page/data/api.js";
import { colourRows } from "../page/data/colour_scale.js";
import { Columns, Others, partOf, withWord } from "../page/data/columns.js";
import { csvOf } from "../page/data/csv_export.js";
import { loadLayout } from "../page/data/layouts.js";
import { decodeRows, encodeRows } from "../page/data/row_sets.js";
import { nameOf } from "../page/data/dropped_files.js";
import * as storage from "../page/data/storage.js";
import { zipDate } from "../page/data/upload_archive.js";
import { isArchive, isPicture, sortFiles, splitUpload } from "../page/data/upload_files.js";
import { applyRotation, fitRotation, normalise, radiusOf } from "../page/data/vectors.js";
import { ViewState } from "../page/data/view_state.js";
import { VisibleRows, without } from "../page/data/visible_rows.js";

const file = (name, { path = "", type = "", lastModified = 0 } = {}) =>
  /** @type {any} */ ({ name, type, lastModified, webkitRelativePath: path });

describe("JSON", () => {
  test("keeps integers beyond 2⁵³ as texts, and nothing else", () => {
    expect(parseJson('{"id": 12345678901234567891, "n": 9007199254740991, "t": "12345678901234567891"}')).toEqual({
      id: "12345678901234567891",
      n: 9007199254740991,
      t: "12345678901234567891",
    });
  });
});

describe("row sets", () => {
  const many = Uint32Array.from({ length: 5000 }, (_, at) => 3 * at);
  test.each([
    ["none", []],
    ["the first", [0]],
    ["far apart", [5, 200_000, 4_000_000]],
    ["a block", Uint32Array.from({ length: 900 }, (_, at) => 40 + at)],
    ["many", many],
  ])("%s: decoded as they were encoded", (_, rows) => {
    expect([...decodeRows(encodeRows(rows))]).toEqual([...rows]);
  });

  test("takes the shorter form, leaves out rows that are not there, and refuses other texts", () => {
    expect(encodeRows(many)[0]).toBe("b");
    expect(encodeRows([1_000_000])[0]).toBe("g");
    expect([...decodeRows(encodeRows([1, 50, 99]), 60)]).toEqual([1, 50]);
    expect(decodeRows("x!")).toBeNull();
    expect(decodeRows("")).toBeNull();
  });
});

describe("visible rows", () => {
  test("are those that no part leaves out, and counts leave a part's own filter aside", () => {
    const visible = new VisibleRows(6);
    visible.put("isolation", without([0, 1, 2, 3], 6));
    const own = Uint8Array.from([1, 0, 1, 0, 1, 0]);
    visible.put("field:a", own);
    expect([...visible.rows]).toEqual([1, 3]);
    expect([...visible.skip]).toEqual([1, 0, 1, 0, 1, 1]);
    const codes = Uint8Array.from([1, 2, 1, 2, 1, 2]);
    expect([...visible.counts(codes, 3, "field:a")]).toEqual([0, 2, 2]);
    expect([...visible.counts(codes, 3, "field:b")]).toEqual([0, 0, 2]);
    expect([...visible.counts(codes, 5, "field:b")]).toEqual([0, 0, 2, 0, 0]);
    visible.put("field:a", null);
    expect([...visible.rows]).toEqual([0, 1, 2, 3]);
  });
});

describe("columns", () => {
  const answers = {
    kind: { texts: ["cat", "dog"], values: [0, 1, 0, null] },
    age: { values: [1, 4.5, null, 10] },
  };
  const fields = [
    {
      name: "kind",
      type: "string",
      values: [
        { value: "cat", count: 2 },
        { value: "dog", count: 1 },
      ],
    },
    { name: "age", type: "number", min: 1, max: 10, histogram: { counts: [1, 1, 1] } },
  ];
  const made = () => new Columns({ field: async (name) => answers[name] }, fields, new VisibleRows(4));

  test("know which rows a filter leaves out", async () => {
    const columns = made();
    const kind = await columns.column("kind");
    expect([...kind.excludedBy(new Set(["cat"]))]).toEqual([0, 1, 0, 1]);
    expect([...kind.excludedBy(new Others(new Set(["cat"])))]).toEqual([1, 0, 1, 0]);
    const age = await columns.column("age");
    expect([...age.excludedBy([1, 5])]).toEqual([0, 0, 1, 1]);
    expect([...age.rowsWith([1])]).toEqual([1, 0, 0, 0]);
  });

  test("count each other's filters and not their own", async () => {
    const columns = made();
    const kind = await columns.column("kind");
    await columns.column("age");
    columns.shown.put(partOf("kind"), kind.excludedBy(new Set(["cat"])));
    expect(columns.values("kind", 2)).toEqual([
      ["cat", 2],
      ["dog", 1],
    ]);
    expect(columns.bins("age")).toEqual([1, 0, 0]);
  });

  test("a word more or less makes another filter, none where nothing is left out", () => {
    expect(withWord(undefined, "a", true)).toEqual(new Set(["a"]));
    expect(withWord(new Set(["a"]), "a", false)).toBeNull();
    expect(withWord(new Others(new Set(["a"])), "b", false).labels).toEqual(new Set(["a", "b"]));
    expect(withWord(new Others(new Set(["a"])), "a", true)).toBeNull();
  });

  test("colour words apart, numbers along the ramp, and rows without a value grey", async () => {
    const columns = made();
    const { bytes, entries } = colourRows(await columns.column("kind"), columns.fields.get("kind"));
    expect(entries.map(([word]) => word)).toEqual(["cat", "dog"]);
    expect([...bytes.subarray(0, 3)]).toEqual([...bytes.subarray(6, 9)]);
    expect([...bytes.subarray(0, 3)]).not.toEqual([...bytes.subarray(3, 6)]);
    expect([...bytes.subarray(9)]).toEqual([0x6b, 0x72, 0x80]);
    const ramp = colourRows(await columns.column("age"), columns.fields.get("age"));
    expect([...ramp.bytes.subarray(0, 3)]).toEqual([0x3b, 0x2f, 0x8f]);
    expect([...ramp.bytes.subarray(6, 9)]).toEqual([0x6b, 0x72, 0x80]);
  });
});

describe("the view's history", () => {
  test("goes back and forward, and a new change ends what was forward", () => {
    const view = new ViewState();
    const heard = [];
    view.subscribe((state, before) => heard.push([state.colour, before?.colour]));
    view.change({ colour: "kind" });
    view.change({ colour: "kind" }); // no change
    view.change({ colour: "age" });
    view.undo();
    expect(view.state.colour).toBe("kind");
    view.redo();
    expect(view.state.colour).toBe("age");
    view.undo();
    view.choose([9, 3, 3]);
    expect([...view.state.chosen]).toEqual([3, 9]);
    view.redo();
    expect(view.state.colour).toBe("kind");
    expect(heard).toEqual([
      ["kind", ""],
      ["age", "kind"],
      ["kind", "age"],
      ["age", "kind"],
      ["kind", "age"],
      ["kind", "kind"],
    ]);
  });

  test("counts searches that follow each other as one step", () => {
    const view = new ViewState();
    view.found("a", [1]);
    view.found("ab", [1]);
    view.undo();
    expect(view.state.search).toBeNull();
  });

  test("shows all without forgetting what is chosen", () => {
    const view = new ViewState();
    view.filter("kind", new Set(["cat"]));
    view.isolate([4, 2]);
    view.choose([2]);
    expect(view.isNarrowed).toBe(true);
    view.showAll();
    expect(view.isNarrowed).toBe(false);
    expect([...view.state.chosen]).toEqual([2]);
  });
});

describe("vectors", () => {
  const rows = Float32Array.from({ length: 300 }, (_, at) => Math.sin(7 * at) * (1 + (at % 3)) + (at % 3));

  test("are centred, and 95 % of them lie within a distance of 1", () => {
    const { rows: drawn, transform } = normalise(rows);
    expect(radiusOf(drawn)).toBeCloseTo(1, 5);
    for (const axis of [0, 1, 2]) {
      expect(drawn.filter((_, at) => at % 3 === axis).reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 3);
    }
    transform(rows.subarray(30, 33)).forEach((value, axis) => expect(value).toBeCloseTo(drawn[30 + axis], 5));
  });

  test.each([
    ["turned", ([x, y, z]) => [0.6 * x - 0.8 * y, 0.8 * x + 0.6 * y, z]],
    ["mirrored", ([x, y, z]) => [-z, y, x].map((value, axis) => (axis === 1 ? -value : value))],
  ])("%s ones are turned back onto their model", (_, move) => {
    const model = normalise(rows);
    const moved = new Float32Array(rows.length);
    for (let at = 0; at < rows.length; at += 3) moved.set(move([...model.rows.subarray(at, at + 3)]), at);
    const { rows: back } = applyRotation({ rows: moved, transform: (point) => point }, fitRotation(moved, model.rows));
    back.forEach((value, at) => expect(value).toBeCloseTo(model.rows[at], 4));
  });

  test("of a layout are turned onto those of the reference", async () => {
    const turned = new Float32Array(rows.length);
    for (let at = 0; at < rows.length; at += 3) turned.set([rows[at + 1], -rows[at], rows[at + 2]], at);
    const collection = {
      reference: "pca",
      kind: "dataset",
      ranges: 1,
      vectors: async (name) => (name === "pca" ? rows : turned),
    };
    const [reference, other] = [await loadLayout(collection, "pca"), await loadLayout(collection, "umap")];
    other.rows.forEach((value, at) => expect(value).toBeCloseTo(reference.rows[at], 3));
  });
});

describe("files", () => {
  test("are told apart, hidden ones left out, pictures in the order of their names", () => {
    const files = [
      file("b.jpg"),
      file("a.HEIC", { path: "x/a.HEIC" }),
      file("._a.jpg"),
      file("c.jpg", { path: "__MACOSX/c.jpg" }),
      file("metadata.csv", { path: "x/y/metadata.csv" }),
      file("metadata.csv", { path: "x/metadata.csv" }),
      file("notes.txt"),
      file("all.zip"),
    ];
    const found = sortFiles(files);
    expect(found.pictures.map(({ name }) => name)).toEqual(["a.HEIC", "b.jpg"]);
    expect(found.metadata).toBe(files[5]);
    expect(found.archives).toEqual([files[7]]);
    expect(found.others).toBe(2);
  });

  test("beyond what one upload takes wait for later ones", () => {
    const pictures = Array.from({ length: 1003 }, (_, at) => file(`${at}.jpg`));
    const metadata = file("metadata.csv");
    const { chosen, rest } = splitUpload(pictures, metadata, 1000);
    expect(chosen).toHaveLength(1001);
    expect(chosen.at(-1)).toBe(metadata);
    expect(rest).toEqual(pictures.slice(1000));
  });

  test("are named and dated as a ZIP can hold it", () => {
    expect(zipDate({ lastModified: 1 })).toBe(Date.UTC(1980, 0, 2));
    expect(zipDate({ lastModified: Date.UTC(2200, 0) })).toBe(Date.UTC(2099, 11, 30));
    expect(nameOf([file("a.jpg", { path: "trip/a.jpg" }), file("b.jpg", { path: "trip/x/b.jpg" })], "else")).toBe(
      "trip",
    );
    expect(nameOf([file("a.jpg", { path: "trip/a.jpg" }), file("b.jpg")], "else")).toBe("else");
    expect([
      isArchive(file("a.ZIP")),
      isPicture(file("a.jxl")),
      isPicture(file("a", { type: "image/svg+xml" })),
    ]).toEqual([true, true, false]);
  });
});

test("the CSV quotes, defuses formulas and renames fields that are called as its own columns", async () => {
  const records = [{ name: "=a.jpg", width: 2, height: 3, bytes: 4, metadata: { x: 'say "hi"', pca_x: -1 } }, null];
  const collection = {
    offers: { images: true },
    reducers: ["pca"],
    fields: async () => [{ name: "x" }, { name: "pca_x" }],
    vectors: async () => Float32Array.from([0.1, 1, 2, 3, 4, 5]),
    fetchRecords: async () => {},
    cachedRecord: (row) => records[row],
  };
  const text = await (await csvOf(collection, [0, 1])).text();
  expect(text.split("\r\n")).toEqual([
    "index,name,width,height,bytes,pca_x,pca_y,pca_z,x,pca_x_",
    `0,'=a.jpg,2,3,4,0.100000001,1,2,"say ""hi""",-1`,
    "1,,,,,3,4,5,,",
    "",
  ]);
});

describe("uploads that were begun", () => {
  const stored = new Map();
  vi.stubGlobal("localStorage", {
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, value) => stored.set(key, value),
  });
  const begun = (hours) => ({
    uploadUrl: "/uploads/1",
    creationTime: new Date(Date.now() - hours * 3_600_000).toString(),
  });

  test("are known for as long as the server keeps them", () => {
    storage.keepPartialUpload("old", begun(25));
    storage.keepPartialUpload("new", begun(23));
    expect(Object.keys(storage.partialUploads())).toEqual(["new"]);
    storage.keepPartialUpload("other", begun(1));
    storage.forgetPartialUpload("new");
    storage.forgetPartialUpload("never known");
    expect(Object.keys(storage.partialUploads())).toEqual(["other"]);
  });

  test("are none where what is stored is damaged", () => {
    for (const damaged of ["{", "null", "[1]", '{"a":null}', "7"]) {
      stored.set("wwzd.partial", damaged);
      expect(storage.partialUploads()).toEqual({});
    }
  });
});

test("a layout's distortion is a field of numbers with a histogram", () => {
  const values = Float32Array.of(0, 0.05, 0.101, 0.02, 0.101);
  const field = distortionField({ name: "umap", kind: "umap", parameters: {} }, values);
  expect([field.name, field.min, field.max]).toEqual(["distortion:umap", 0, 0.11]);
  expect(field.histogram.counts.reduce((sum, count) => sum + count)).toBe(5);
  expect(field.histogram.counts[0]).toBe(1);
  expect(field.histogram.counts.at(-1)).toBe(0);
  expect(distortionField({ name: "umap" }, Float32Array.of(0, 0)).max).toBe(0.01);
  expect(layoutOf(field.name)).toBe("umap");
  expect(layoutOf("age")).toBeNull();
});

test("the greatest values are listed first, equal ones in their order", () => {
  expect(greatest(Float32Array.of(0.1, 0.5, 0.3, 0.5), 3)).toEqual([1, 3, 2]);
  expect(greatest(Float32Array.of(0.1), 3)).toEqual([0]);
});
