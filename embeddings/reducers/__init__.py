"""Feature vectors → 3-D vectors: the registry of reducers, how each is fitted, applied, saved and loaded.

All share one `Standardizer`: standardised features and their principal axes. PCA keeps the first three coordinates,
UMAP lays out the neighbourhoods found in the first tens of them.
"""

from pathlib import Path

from .base import FORMAT, SEED, ModelError, Reducer
from .pca import Pca
from .umap import Umap, warm_up

__all__ = ["FORMAT", "REDUCERS", "SEED", "ModelError", "Pca", "Reducer", "Umap", "load_all", "warm_up"]

REDUCERS: dict[str, type[Pca] | type[Umap]] = {reducer.name: reducer for reducer in (Pca, Umap)}


def load_all(folder: Path) -> dict[str, Reducer]:
    """The fitted reducers that were saved in a folder, by name. Raises `ModelError`."""
    return {name: kind.load(folder / f"{name}.npz") for name, kind in REDUCERS.items()}
