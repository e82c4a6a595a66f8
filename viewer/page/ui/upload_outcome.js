// What came of an upload → what its end says: one notice for each thing that the person should know. Add a notice as a
// function in `NOTICES`.

import { h } from "./dom.js";
import { plural, number, t } from "../i18n/index.js";
import { reasonContent } from "./reasons.js";

/** What `GET /dataset/{id}` says, and what the browser left out while packing → a notice, or null. */
const NOTICES = [outside, capacity, folders, leftOut, skipped, metadata];

/**
 * `[{ words, details: [{ name, reason, own }] }]`, empty where all went as one would expect; `reason` is a sentence of the
 * server, `own` one of the page.
 */
export function notices(facts, packing) {
  return NOTICES.map((notice) => notice(facts ?? {}, packing ?? {})).filter(Boolean);
}

function skipped({ skipped: files }) {
  return files?.length ? { words: plural("skipped", files.length), details: files } : null;
}

/** What shows the added pictures that are far from all that was there, told by the dataset's facts. */
export const farAway = { show: null };

function outside(facts) {
  if (!facts.outside) return null;
  const offer = farAway.show ? { label: t("showThem"), act: () => farAway.show(facts) } : null;
  return { words: plural("outside", facts.outside), offer };
}

/** What takes the rest of a ZIP, told by its facts; set by whoever can show it. */
export const rest = { take: null };

function capacity(facts, packing) {
  const { first = 0, over_capacity: over = 0, available = 0, count = 0, links } = facts;
  if (over) {
    const values = { from: number(first + 1), count: number(count), n: number(available) };
    const offer = links?.rest && rest.take ? { label: plural("takeRest", over), act: () => rest.take(facts) } : null;
    const details = offer ? [] : [{ own: plural("restNotKept", over) }];
    return { words: t(first ? "capacityLater" : "capacity", values), offer, details };
  }
  const { all = 0, before = 0, sent = 0, takeRest } = packing;
  if (sent >= all) return null;
  const values = { from: number(before + 1), count: number(sent - before), n: number(all) };
  // After a reload the page holds the files no more; sent again, the first ones are known at once, and the others follow.
  const offer = takeRest ? { label: plural("takeRest", all - sent), act: takeRest } : null;
  const details = offer ? [] : [{ own: plural("restGone", all - sent) }];
  return { words: t(before ? "capacityLater" : "capacity", values), offer, details };
}

function folders({ in_folders: left }) {
  return left ? { words: plural("inFolders", left) } : null;
}

function leftOut(facts, { others }) {
  return others ? { words: plural("leftOut", others) } : null;
}

/** Metadata that lies on no picture, pictures without any, and whatever else was odd in the file. */
function metadata({ metadata: found, count }) {
  if (!found?.remarks.length) return null;
  const { file, fields, unmatched, unmatched_names: names, pictures, remarks } = found;
  const words = !fields
    ? t("metadataUnused", { file })
    : unmatched
      ? plural("metadataUnmatched", unmatched, { file })
      : pictures < count
        ? plural("metadataMissing", count - pictures, { file })
        : t("metadataOdd", { file });
  return {
    words,
    details: [...names.map((name) => ({ name, own: t("noSuchPicture") })), ...remarks.map((reason) => ({ reason }))],
  };
}

/** What of notices can be acted on. */
export function offers(found) {
  return found.map(({ offer }) => offer).filter(Boolean);
}

/** Notices → elements. */
export function shown(found) {
  return found.map(({ words, details = [], offer = null }) =>
    h(
      "section",
      { class: "outcome" },
      h("p", {}, words),
      offer && h("button", { class: "take-rest", onclick: (event) => taken(event, offer) }, offer.label),
      details.length > 0 &&
        h(
          "ul",
          { class: "reasons" },
          details.map(({ name, reason, own = reasonContent(reason) }) =>
            h("li", {}, name && h("strong", {}, name), name && " – ", own),
          ),
        ),
    ),
  );
}

/** The rest is on its way: what is shown of that is not covered. */
function taken({ target }, offer) {
  const dialog = target.closest("dialog");
  if (dialog?.id !== "uploader") dialog?.close();
  offer.act();
}
