// The button that has clusters computed, where a collection is from before they were found with each. They become fields
// and landmarks as soon as they are there.

import { computeClusters } from "../data/clusters.js";
import { find } from "./dom.js";
import { errorText } from "../i18n/errors.js";
import { plural, t } from "../i18n/index.js";
import * as notifications from "./notifications.js";

export class ClusterFinder {
  /** `found(collection)` is told when the clusters of the collection that is shown are there. */
  constructor(filteredView, { found }) {
    this.filteredView = filteredView;
    this.found = found;

    this.finding = new Map(); // collection → how far it is, in words
    filteredView.addEventListener("changed", () => this.offer());
    find("find-clusters").addEventListener("click", () => this.find());
  }

  offer() {
    const { collection } = this.filteredView;
    find("find-clusters-row").hidden = !collection?.lacksClusters;
    const words = this.finding.get(collection);
    find("find-clusters").disabled = words !== undefined;
    find("finding-clusters").textContent = words ?? "";
  }

  async find() {
    const { collection } = this.filteredView;
    const isShown = () => this.filteredView.collection === collection;
    const say = (words) => {
      this.finding.set(collection, words);
      if (isShown()) this.offer();
    };
    say(t("computing"));
    try {
      const progress = (share) =>
        say(
          share === null
            ? t("queued")
            : `${t("computing")} – ${t("layoutProgress", { share: Math.round(100 * share) })}`,
        );
      if (await computeClusters(collection, progress, isShown)) {
        collection.lacksClusters = false;
        await this.found(collection);
        if (isShown()) this.tell();
      }
    } catch (error) {
      if (isShown()) notifications.toast(errorText(error));
    } finally {
      this.finding.delete(collection);
      if (isShown()) this.offer();
    }
  }

  /** How many there are on the first level; none of few pictures. */
  tell() {
    const field = this.filteredView.columns?.fields.get("cluster");
    notifications.toast(plural("clustersFound", field?.distinct ?? 0));
  }
}
