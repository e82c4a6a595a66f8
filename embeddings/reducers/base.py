"""What every reducer has and does, and how a fitted one is saved and loaded."""

from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from embeddings.extractors import Features
from embeddings.principal_axes import Standardizer
from embeddings.vector_files import Vectors, replacing

from .snapshots import OnMove

FORMAT = 1
"""Version of the saved models. A file of another one is refused, with the command that rebuilds it."""

SEED = 20210607


class ModelError(Exception):
    """A saved model cannot be used; the message says what to do."""


class Reducer(Protocol):
    """A fitted reducer."""

    name: ClassVar[str]

    @classmethod
    def fit(
        cls,
        standardizer: Standardizer,
        coordinates: NDArray[np.float32],
        *,
        seed: int,
        on_move: OnMove | None = None,
    ) -> tuple[Self, Vectors]:
        """From the `(n, k)` coordinates of the training pictures → the reducer and their 3-D coordinates.

        `on_move` is given where the pictures lie meanwhile, if that takes longer than a moment.
        """
        ...

    def transform(self, features: Features) -> Vectors:
        """New pictures' `(n, d)` features → `(n, 3) float32` places, each independent of the others."""
        ...

    def place_many(self, coordinates: NDArray[np.float32]) -> Vectors:
        """The same from `(n, k)` coordinates, for a large collection at once: in a tenth of the time. A few of the
        neighbours that a picture is placed by are not its very nearest, and its place depends on the others'."""
        ...

    def explained_variance(self) -> list[float]:
        """Shares of the whole variance along the first three principal axes, 0 for an axis that is not there."""
        ...

    def turned_onto(self, places: Vectors, fixed: Vectors) -> tuple[Self, Vectors]:
        """The same reducer, moved rigidly so that `places`, `(n, 3)` of what it was fitted on, lie as near as they can
        to others, `fixed`, of which there may be fewer: of the first rows. With the places as they are then."""
        ...

    def save(self, path: Path) -> None:
        """Write all that `load` needs as one `.npz`, without pickles."""
        ...

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote. Raises `ModelError`."""
        ...


def first_three_shares(standardizer: Standardizer) -> list[float]:
    shares = [float(share) for share in standardizer.variance_ratio[:3]]
    return shares + [0.0] * (3 - len(shares))


def first_columns(coordinates: NDArray[np.float32], count: int) -> Vectors:
    """The first `count` columns, zeros where there are fewer."""
    places = np.zeros((len(coordinates), count), np.float32)
    width = min(count, coordinates.shape[1])
    places[:, :width] = coordinates[:, :width]
    return places


def first_three_columns(coordinates: NDArray[np.float32]) -> Vectors:
    return first_columns(coordinates, 3)


def spread(places: Vectors, seed: int) -> Vectors:
    """PCA's places as a start for a layout: within ±10, as umap scales its own; coinciding points nudged apart."""
    largest = float(np.abs(places).max(initial=0.0)) or 1.0
    nudge = np.random.default_rng(seed).normal(scale=1e-4, size=places.shape)
    return (places * (10 / largest) + nudge).astype(np.float32)


STANDARDIZER_ARRAYS = ("mean", "scale", "axes", "variance_ratio")


def standardizer_arrays(standardizer: Standardizer) -> dict[str, Any]:
    return {name: getattr(standardizer, name) for name in STANDARDIZER_ARRAYS}


def standardizer_of(arrays: dict[str, Any]) -> Standardizer:
    return Standardizer(**{name: arrays[name] for name in STANDARDIZER_ARRAYS})


def save_arrays(path: Path, kind: str, arrays: dict[str, Any]) -> None:
    with replacing(path) as file:
        np.savez(file, format=np.int64(FORMAT), kind=np.array(kind), **arrays)


def load_arrays(path: Path, kind: str, *names: str) -> dict[str, Any]:
    """The named arrays of a model of this kind. Raises `ModelError`."""
    rebuild = "rebuild it with `manage.py fit_reducers`"
    try:
        # Opened here, since NumPy leaves a file that it opens and cannot read open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = dict(archive)
    except FileNotFoundError:
        raise ModelError(f"there is no model {path}; {rebuild}") from None
    except Exception as error:  # zipfile, NumPy and the file system each fail in their own way
        raise ModelError(f"{path} cannot be read ({error}); {rebuild}") from error
    known = np.array_equal(arrays.get("format", 0), FORMAT) and np.array_equal(arrays.get("kind", ""), kind)
    if not known or not set(names) <= arrays.keys():
        raise ModelError(f"{path} is not a {kind} model of format {FORMAT}; {rebuild}")
    return arrays
