"""A layout of a collection → the same with other seeds."""

from collections.abc import Iterator

from datasets.collection import layouts
from datasets.collection.base import Collection
from datasets.collection.uploaded import Upload
from embeddings.layout_stability import OTHER_SEEDS
from embeddings.layouts import METHODS
from embeddings.layouts import compute as lay_out
from embeddings.layouts.computing import reduced
from embeddings.reducers import SEED, Umap
from embeddings.vector_files import Vectors

from .targets import target_of


def with_other_seeds(found: Collection, name: str) -> Iterator[Vectors] | None:
    """None of a layout that has no seed, as PCA's and grids, or in which pictures were placed afterwards."""
    seeds = range(1, 1 + OTHER_SEEDS)
    if name == Umap.name:
        is_fitted = not (isinstance(found, Upload) and (found.space or found.dataset.intake.get("added")))
        return (reduced(found.blocks(), Umap, SEED + more) for more in seeds) if is_fitted else None
    card = layouts.card_of(found.folder, name)
    if card is None or card.placed or "seed" not in card.parameters:
        return None
    method, values = METHODS[card.kind], card.parameters
    changed = [values | {"seed": (int(values["seed"]) + more) % 2**32} for more in seeds]
    target = target_of(found, values)
    return (lay_out(found.blocks(), method, each, lambda share: None, target) for each in changed)
