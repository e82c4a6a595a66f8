"""How far a layout can be trusted."""

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from datasets.collection import layouts
from datasets.collection.base import Collection
from datasets.collection.folder import CollectionFolder
from datasets.collection.uploaded import Upload
from embeddings import layout_quality
from embeddings.layout_stability import OTHER_SEEDS, stability
from embeddings.reducers import SEED, Pca
from embeddings.versions import versions

from .layouts import base_of
from .seeds import with_other_seeds

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
    others = with_other_seeds(found, name) if measured.scores else None
    if others is not None:
        report.stage("other seeds")
    stable = None if others is None else stability(places, others)
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
        "stability": stable,
        "other_seeds": OTHER_SEEDS if others is not None else 0,
        **_made(found, name),
        "network": found.network,
        "seconds": round(time.perf_counter() - started, 3),
        "versions": versions(),
    }
    layouts.store_quality(found.folder, name, content, measured.distortion)


def _made(found: Collection, name: str) -> dict[str, Any]:
    """How the layout came to be."""
    card = layouts.card_of(found.folder, name)
    if card is not None:
        return {
            "seed": card.parameters.get("seed"),
            "parameters": card.parameters,
            "explained_variance": None,
            "supervised_by": card.supervised_by,
        }
    model = found.folder.model_path(Pca.name)
    shares = Pca.load(model).explained_variance() if name == Pca.name and model.exists() else None
    if name == Pca.name and isinstance(found, Upload):
        shares = found.dataset.explained_variance
    seed = None if name == Pca.name else SEED
    return {"seed": seed, "parameters": {}, "explained_variance": shares or None, "supervised_by": None}


_WORST = 10
"""Pictures that are named as those that lie worst."""
