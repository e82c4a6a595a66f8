"""How far a layout can be trusted."""

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from datasets.collection import layouts
from datasets.collection.base import Collection
from datasets.collection.folder import CollectionFolder
from embeddings import layout_quality
from embeddings.reducers import SEED
from embeddings.versions import versions

from .layouts import base_of

if TYPE_CHECKING:
    from .kinds import Report


def is_ready(folder: CollectionFolder, name: str) -> bool:
    return layouts.quality_of(folder, name) is not None


def compute(found: Collection, name: str, parameters: dict[str, Any], report: "Report") -> None:
    """Of the layout `name`."""
    places, blocks = base_of(found, name), found.blocks()
    started = time.perf_counter()
    report.stage("comparing")
    measured = layout_quality.measure(blocks, places)
    report.stage("storing")
    content = {
        "name": name,
        "scores": [asdict(scores) for scores in measured.scores],
        "total": found.total,
        "measured": measured.measured,
        "exact": measured.measured == found.total,
        "distortion_neighbors": measured.distortion_neighbours,
        "distortion_against": measured.distortion_against,
        "mean_distortion": float(measured.distortion.mean()),
        "worst": (-measured.distortion).argsort(kind="stable")[:_WORST].tolist(),
        "sample_seed": SEED,
        "network": found.network,
        "seconds": round(time.perf_counter() - started, 3),
        "versions": versions(),
    }
    layouts.store_quality(found.folder, name, content, measured.distortion)


_WORST = 10
"""Pictures that are named as those that lie worst."""
