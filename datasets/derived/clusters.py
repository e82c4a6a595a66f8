"""The clusters of a collection from before they were computed with each."""

from typing import TYPE_CHECKING, Any

from datasets.collection.base import Collection
from datasets.collection.clusters import Clusters, is_current
from datasets.collection.folder import CollectionFolder

if TYPE_CHECKING:
    from .kinds import Report


def is_ready(folder: CollectionFolder, name: str) -> bool:
    return is_current(folder.clusters_path)


def compute(found: Collection, name: str, parameters: dict[str, Any], report: "Report") -> None:
    clusters = Clusters.find(found.blocks(), report.stage)
    report.stage("storing")
    clusters.save(found.folder.clusters_path)
