"""Feature vectors → 3-D vectors: the registry of reducers, how each is fitted, applied, saved and loaded.

Both stand on one `Basis`: standardised features and their principal axes. PCA keeps the first three coordinates in it,
UMAP lays out the neighbourhoods found in the first tens of them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from .basis import Basis
from .features import Features
from .kernels import import_umap
from .vectors import Vectors, replacing

FORMAT = 1
"""Version of the saved models. A file of another one is refused, with the command that rebuilds it."""

SEED = 20210607


class ModelError(Exception):
    """A saved model cannot be used; the message says what to do."""


class Reducer(Protocol):
    """A fitted reducer."""

    name: ClassVar[str]

    @classmethod
    def fit(cls, basis: Basis, coordinates: NDArray[np.float32], *, seed: int) -> tuple[Self, Vectors]:
        """From the `(n, k)` coordinates of the training pictures in the basis → the reducer and their 3-D places."""
        ...

    def transform(self, features: Features) -> Vectors:
        """New pictures' `(n, d)` features → `(n, 3) float32` places, each independent of the others."""
        ...

    def explained_variance(self) -> list[float]:
        """Shares of the whole variance along the first three principal axes, 0 for an axis that is not there."""
        ...

    def save(self, path: Path) -> None:
        """Write all that `load` needs as one `.npz`, without pickles."""
        ...

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote. Raises `ModelError`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Pca:
    """The first three principal coordinates."""

    name: ClassVar[str] = "pca"
    basis: Basis

    @classmethod
    def fit(cls, basis: Basis, coordinates: NDArray[np.float32], *, seed: int) -> tuple[Self, Vectors]:
        first = Basis(
            mean=basis.mean,
            scale=basis.scale,
            axes=np.ascontiguousarray(basis.axes[:, :3]),
            variance_ratio=basis.variance_ratio[:3],
        )
        return cls(basis=first), _three_columns(coordinates)

    def transform(self, features: Features) -> Vectors:
        return _three_columns(self.basis.project(features))

    def explained_variance(self) -> list[float]:
        return _three_shares(self.basis)

    def save(self, path: Path) -> None:
        _save(path, self.name, _basis_arrays(self.basis))

    @classmethod
    def load(cls, path: Path) -> Self:
        return cls(basis=_basis_of(_load(path, cls.name, *_BASIS)))


@dataclass(frozen=True, kw_only=True)
class Umap:
    """UMAP (McInnes, Healy & Melville 2018) of the first tens of principal coordinates, by umap-learn."""

    name: ClassVar[str] = "umap"
    MIN_ROWS: ClassVar[int] = 5
    """With fewer rows there are no neighbourhoods to lay out: the places are PCA's."""
    MANY_ROWS: ClassVar[int] = 10_000
    """With more, the layout step is ours, which a seed does not force to one core."""

    basis: Basis
    training: NDArray[np.float32]
    """`(n, k)` coordinates of the training pictures."""
    places: Vectors
    """`(n, 3)` where they were laid out."""
    neighbours: int
    a: float
    b: float
    """The curve that low-dimensional distances follow, 1 / (1 + a·d^2b)."""

    @classmethod
    def fit(cls, basis: Basis, coordinates: NDArray[np.float32], *, seed: int) -> tuple[Self, Vectors]:
        count = len(coordinates)
        neighbours = min(15, max(count - 1, 1))
        # Starting from PCA keeps the large-scale order (Kobak & Linderman 2021), and never fails to converge.
        start = _three_columns(coordinates)
        a, b = _CURVE
        if count < cls.MIN_ROWS:
            places = start
        elif count <= cls.MANY_ROWS:
            model = import_umap().UMAP(
                n_neighbors=neighbours,
                n_components=3,
                init=_spread(start, seed),
                n_epochs=500,
                random_state=seed,
                n_jobs=1,  # what a seed forces anyway; said, so that umap need not warn
                a=a,
                b=b,
            )
            places = np.ascontiguousarray(model.fit_transform(coordinates), dtype=np.float32)
        else:
            places = _lay_out_many(coordinates, _spread(start, seed), neighbours, seed)
        return (
            cls(basis=basis, training=coordinates, places=places, neighbours=neighbours, a=a, b=b),
            places,
        )

    def transform(self, features: Features) -> Vectors:
        """Place new pictures as umap-learn's own `transform` does, but for two things that make each picture's place
        its own: memberships are scaled row by row, where umap scales them by the batch's largest, and its neighbours
        are exact. (umap seeds its random numbers by each row's starting place, so they are independent already.)
        """
        coordinates = self.basis.project(features)
        if len(self.training) < self.MIN_ROWS or not len(coordinates):
            return _three_columns(coordinates)
        umap = import_umap()
        parts = umap.umap_
        epochs = 100
        indices, distances = self._nearest(coordinates)
        # Not 0 as umap has it: then it measures by the mean of the whole batch, and where all neighbours coincide with
        # the picture it reads past the end of an empty array.
        sigmas, rhos = parts.smooth_knn_dist(distances, float(self.neighbours), local_connectivity=1e-6)
        _, _, weights, _ = parts.compute_membership_strengths(indices, distances, sigmas, rhos, bipartite=True)
        weights = weights.reshape(indices.shape)
        weights /= weights.max(axis=1, keepdims=True)
        weights[weights < 1 / epochs] = 0
        shares = weights / weights.sum(axis=1, keepdims=True)
        start = np.einsum("ij,ijk->ik", shares, self.places[indices]).astype(np.float32)
        rows, columns = np.nonzero(weights)
        strengths = weights[rows, columns]
        places = umap.layouts.optimize_layout_euclidean(
            start,
            self.places.astype(np.float32, copy=True),
            rows.astype(np.int32),
            indices[rows, columns],
            epochs,
            len(self.places),
            parts.make_epochs_per_sample(strengths, epochs),
            self.a,
            self.b,
            np.random.RandomState(SEED).randint(-(2**31) + 1, 2**31 - 2, 3).astype(np.int64),
            initial_alpha=0.25,
            negative_sample_rate=5,
        )
        return np.ascontiguousarray(places, dtype=np.float32)

    def explained_variance(self) -> list[float]:
        return _three_shares(self.basis)

    def _nearest(self, coordinates: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Exact nearest training pictures, `(n, neighbours)` indices and distances, nearest first."""
        from sklearn.neighbors import NearestNeighbors

        index = NearestNeighbors(n_neighbors=self.neighbours, algorithm="brute").fit(self.training)
        found = index.kneighbors(coordinates, return_distance=False)
        # The search works with matrix products, whose rounding depends on the batch: measured again pair by pair.
        apart = np.linalg.norm(self.training[found] - coordinates[:, None, :], axis=2)
        order = np.lexsort((found, apart), axis=1)
        return (
            np.take_along_axis(found, order, axis=1).astype(np.int32),
            np.take_along_axis(apart, order, axis=1).astype(np.float32),
        )

    def save(self, path: Path) -> None:
        _save(
            path,
            self.name,
            _basis_arrays(self.basis)
            | {
                "training": self.training,
                "places": self.places,
                "neighbours": np.int64(self.neighbours),
                "curve": np.array([self.a, self.b]),
            },
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        arrays = _load(path, cls.name, *_BASIS, "training", "places", "neighbours", "curve")
        a, b = arrays["curve"]
        return cls(
            basis=_basis_of(arrays),
            training=arrays["training"],
            places=arrays["places"],
            neighbours=int(arrays["neighbours"]),
            a=float(a),
            b=float(b),
        )


_CURVE = (1.5769434603113077, 0.8950608778515733)
"""UMAP's a and b for its defaults, a min_dist of 0.1 and a spread of 1 (`umap.umap_.find_ab_params`)."""

REDUCERS: dict[str, type[Pca] | type[Umap]] = {reducer.name: reducer for reducer in (Pca, Umap)}


_EPOCHS_OF_MANY = 100
"""umap-learn takes 200 for as many points. Steps that do not overshoot, as `lay_out` takes them, need fewer."""


def _lay_out_many(coordinates: NDArray[np.float32], start: Vectors, neighbours: int, seed: int) -> Vectors:
    """UMAP of a catalogue: umap-learn's memberships; neighbours and layout are ours, on every core."""
    parts = import_umap().umap_
    from .cells import Cells
    from .layout import lay_out

    # Sorted by cells, neighbours lie near each other in memory as well.
    cells = Cells.of(coordinates, seed=seed)
    indices, distances = cells.nearest(neighbours)
    graph, _, _ = parts.fuzzy_simplicial_set(
        cells.points,
        neighbours,
        np.random.RandomState(seed),
        "euclidean",
        knn_indices=indices,
        knn_dists=distances,
    )
    a, b = _CURVE
    places = np.empty_like(start)
    places[cells.order] = lay_out(graph, start[cells.order], a=a, b=b, epochs=_EPOCHS_OF_MANY, seed=seed)
    return places


def warm_up() -> None:
    """Compile what UMAP compiles at first use, or load it from numba's cache: some twenty seconds, or one."""
    random = np.random.default_rng(SEED)
    features = random.normal(size=(120, 60)).astype(np.float32)
    basis = Basis.fit([features])
    umap, _ = Umap.fit(basis, basis.project(features), seed=SEED)
    umap.transform(features[:2])


def _three_shares(basis: Basis) -> list[float]:
    shares = [float(share) for share in basis.variance_ratio[:3]]
    return shares + [0.0] * (3 - len(shares))


def _three_columns(coordinates: NDArray[np.float32]) -> Vectors:
    """The first three columns, zeros where there are fewer."""
    places = np.zeros((len(coordinates), 3), np.float32)
    width = min(3, coordinates.shape[1])
    places[:, :width] = coordinates[:, :width]
    return places


def _spread(places: Vectors, seed: int) -> Vectors:
    """PCA's places as a start for the layout: within ±10, as umap scales its own; coinciding points nudged apart."""
    largest = float(np.abs(places).max(initial=0.0)) or 1.0
    nudge = np.random.default_rng(seed).normal(scale=1e-4, size=places.shape)
    return (places * (10 / largest) + nudge).astype(np.float32)


_BASIS = ("mean", "scale", "axes", "variance_ratio")


def _basis_arrays(basis: Basis) -> dict[str, Any]:
    return {name: getattr(basis, name) for name in _BASIS}


def _basis_of(arrays: dict[str, Any]) -> Basis:
    return Basis(**{name: arrays[name] for name in _BASIS})


def _save(path: Path, kind: str, arrays: dict[str, Any]) -> None:
    with replacing(path) as file:
        np.savez(file, format=np.int64(FORMAT), kind=np.array(kind), **arrays)


def _load(path: Path, kind: str, *names: str) -> dict[str, Any]:
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
