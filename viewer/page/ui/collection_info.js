// What is known of one collection: what came of each of its files, and ways to its copies and outliers.

import * as api from "../data/api.js";
import { fill, find, h } from "./dom.js";
import { bytes, date, plural, number, t } from "../i18n/index.js";
import * as outcome from "./upload_outcome.js";
import { heading } from "./panels.js";
import { errorText } from "../i18n/errors.js";
import { reasonContent } from "./reasons.js";

const OUTLIERS = 24;
const FIRST = 50; // files of one sort that are listed

export class CollectionInfo {
  /**
   * `look(id, list)` shows a list of rows beside a collection; `list` is `{ rows, title, notes, empty }`. `packing(id)` is
   * what this page knows of the files that it packed; `add({ name, add })` asks for pictures that are sent there, `refit(facts)` has
   * all laid out anew.
   */
  constructor({ look, packing, add, refit }) {
    this.look = look;
    this.packing = packing;
    this.add = add;
    this.refit = refit;

    this.dialog = find("about");
  }

  /** `add` is where pictures are added to a catalogue, if they can be. */
  async open({ id, name, isCatalogue = !id, add = null }) {
    const body = h("div", {}, h("p", { class: "soft", role: "status" }, t("searching")));
    fill(
      this.dialog,
      heading(name, () => this.dialog.close(), { id: "about-title" }),
      body,
    );
    this.dialog.showModal();
    try {
      const [facts, report] = await Promise.all([
        isCatalogue ? null : api.json(`/dataset/${id}`),
        isCatalogue ? catalogueReport(id) : api.json(`/dataset/${id}/report`).catch(() => null),
      ]);
      fill(
        body,
        facts && summary(facts),
        this.ways(id, facts, { name, add: facts?.links?.add ?? add }),
        outcome.shown(facts ? outcome.notices(facts, this.packing(id)) : ofMetadata(report)),
        list(report),
      );
    } catch (error) {
      fill(body, h("p", { class: "bad", role: "alert" }, errorText(error)));
    }
  }

  ways(id, facts, growing) {
    const leave = (act, what) => {
      this.dialog.close();
      act(what);
    };
    return h(
      "div",
      { class: "actions" },
      h("button", { id: "copies", onclick: () => this.find(id, copies) }, t("copies")),
      h("button", { id: "outliers", onclick: () => this.find(id, outliers) }, t("outliers")),
      growing.add && h("button", { id: "add-pictures", onclick: () => leave(this.add, growing) }, t("add")),
      facts?.links?.refit &&
        facts.parent &&
        h("button", { id: "refit", onclick: () => leave(this.refit, facts) }, t("refit")),
    );
  }

  async find(id, ask) {
    try {
      const found = await ask(id ? `/dataset/${id}` : "/catalogue");
      this.dialog.close();
      await this.look(id, found);
    } catch (error) {
      this.dialog.append(h("p", { class: "bad", role: "alert" }, errorText(error)));
    }
  }
}

async function copies(base) {
  const { groups } = await api.json(`${base}/duplicates`);
  const rows = groups.flatMap(({ images }) => images.map(({ index }) => index));
  const notes = groups.flatMap(({ images, kind, similarity }, group) =>
    images.map(() => `${group + 1}: ${kind === "exact" ? "=" : `${Math.round(100 * similarity)} %`}`),
  );
  return { rows, notes, title: plural("copiesFound", rows.length), empty: t("noCopies") };
}

async function outliers(base) {
  const found = (await api.json(`${base}/outliers?limit=${OUTLIERS}`)).outliers;
  return { rows: found.map(({ index }) => index), title: t("outliers"), empty: t("noCopies") };
}

function summary({ count, bytes: size, created_at: created, backbone, space }) {
  const rows = [
    [t("uploadedAt"), date(created)],
    [t("pictures"), number(count)],
    [t("fileSize"), bytes(size)],
    [t("network"), backbone],
    [t("laidOut"), t(space === "catalogue" ? "amongCatalogue" : "byItself")],
  ];
  return h(
    "dl",
    {},
    rows.filter(([, value]) => value).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
  );
}

/** Of a catalogue, "" being the installed one; null where there is none: it was not built here, or long ago. */
async function catalogueReport(id) {
  try {
    const { catalogues } = await api.json("/catalogues");
    const found = catalogues.find((one) => (id ? one.id === id : one.is_installed));
    return found?.has_report ? await api.json(`/dataset/${found.id}/report`) : null;
  } catch {
    return null;
  }
}

/** What is to be told of the files of metadata that a catalogue was given. */
function ofMetadata(report) {
  const count = report?.rows ?? 0;
  return (report?.metadata_files ?? []).flatMap((metadata) => outcome.notices({ metadata, count }, {}));
}

/** What became of the files: how many are shown, and those with a remark or a reason, by its kind. */
function list(report) {
  if (!report) return null;
  const listed = Map.groupBy(report.files, ({ outcome: kind }) => kind);
  const rows = report.rows ?? report.files.filter(({ index }) => index !== null).length;
  // Metadata are told with the notices.
  const kinds = Object.keys(report.counts).filter((kind) => kind !== "row" && kind !== "metadata");
  return h(
    "section",
    { class: "report" },
    h("h3", {}, t("report")),
    h("p", {}, `${t("outcomes").row}: ${number(rows)}`),
    kinds.map((kind) => {
      const count = report.counts[kind];
      const files = (listed.get(kind) ?? []).slice(0, FIRST);
      return h(
        "details",
        {},
        h("summary", {}, `${t("outcomes")[kind] ?? kind}: ${number(count)}`),
        h(
          "ul",
          { class: "reasons" },
          files.map(({ name, reason }) =>
            h("li", {}, h("strong", {}, name), reason && " – ", reason && reasonContent(reason)),
          ),
        ),
        count > files.length && h("p", { class: "soft" }, t("andMore", { n: number(count - files.length) })),
      );
    }),
  );
}
