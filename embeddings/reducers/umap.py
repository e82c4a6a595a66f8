"""UMAP: by umap-learn up to 10,000 pictures; beyond, its memberships with this project's neighbours and layout."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from embeddings.alignment import RigidMotion
from embeddings.extractors import Features
from embeddings.kernels import import_umap
from embeddings.placing import NearestOfMany, drawn, settled, weights_of
from embeddings.principal_axes import Standardizer
from embeddings.vector_files import Vectors

from . import snapshots
from .base import (
    SEED,
    STANDARDIZER_ARRAYS,
    first_three_columns,
    first_three_shares,
    load_arrays,
    save_arrays,
    spread,
    standardizer_arrays,
    standardizer_of,
)
from .snapshots import OnMove

if TYPE_CHECKING:
    from embeddings.knn_graph import Cells

_CURVE = (1.5769434603113077, 0.8950608778515733)
"""UMAP's a and b for its defaults, a min_dist of 0.1 and a spread of 1 (`umap.umap_.find_ab_params`)."""

_TOGETHER = 500_000
"""Pictures that are placed at once: their graph takes a few hundred megabytes."""
_EPOCHS_OF_MANY = 100
"""umap-learn takes 200 for as many points. Steps that do not overshoot, as `lay_out` takes them, need fewer."""


_CELLS = ("starts", "centres")
"""Which models of fewer pictures do not have, nor older ones: they are compared with all."""


@dataclass(frozen=True, kw_only=True)
class Umap:
    """UMAP (McInnes, Healy & Melville 2018) of the first tens of principal coordinates, by umap-learn."""

    name: ClassVar[str] = "umap"
    MIN_ROWS: ClassVar[int] = 5
    """With fewer rows there are no neighbourhoods to lay out: the places are PCA's."""
    MANY_ROWS: ClassVar[int] = 10_000
    """With more, the layout step is ours, which a seed does not force to one core."""
    EXACT_ROWS: ClassVar[int] = 250_000
    """Up to here a new picture is compared with every training picture; with more, with those in the cells around it.
    Of 250,000, a thousand new ones take a second either way; of a million, 6.5 and 1.8 seconds of a core
    (`python -m benchmarks.scale_rows placing`)."""

    standardizer: Standardizer
    training: NDArray[np.float32]
    """`(n, k)` coordinates of the training pictures."""
    places: Vectors
    """`(n, 3)` where they were laid out."""
    neighbours: int
    a: float
    b: float
    """The curve that low-dimensional distances follow, 1 / (1 + a·d^2b)."""
    starts: NDArray[np.int64] | None = None
    """Of more than `EXACT_ROWS` pictures, which are sorted by `knn_graph.Cells` then: where each cell begins."""
    centres: NDArray[np.float32] | None = None
    """`(cells, k)` of the same."""

    @classmethod
    def fit(
        cls,
        standardizer: Standardizer,
        coordinates: NDArray[np.float32],
        *,
        seed: int,
        on_move: OnMove | None = None,
    ) -> tuple[Self, Vectors]:
        count = len(coordinates)
        neighbours = min(15, max(count - 1, 1))
        # Starting from PCA keeps the large-scale order (Kobak & Linderman 2021), and never fails to converge.
        start = first_three_columns(coordinates)
        a, b = _CURVE
        fitted = partial(cls, standardizer=standardizer, neighbours=neighbours, a=a, b=b)
        if count < cls.MIN_ROWS:
            places = start
        elif count <= cls.MANY_ROWS:
            model = import_umap().UMAP(
                n_neighbors=neighbours,
                n_components=3,
                init=spread(start, seed),
                n_epochs=500,
                random_state=seed,
                n_jobs=1,  # what a seed forces anyway; said, so that umap need not warn
                a=a,
                b=b,
            )
            with snapshots.of_umap_learn(on_move):
                places = np.ascontiguousarray(model.fit_transform(coordinates), dtype=np.float32)
        else:
            places, cells = _lay_out_many(coordinates, spread(start, seed), neighbours, seed, on_move)
            if count > cls.EXACT_ROWS:
                training, sorted_places = cells.points, places[cells.order]
                starts, centres = cells.starts, cells.centres
                return fitted(training=training, places=sorted_places, starts=starts, centres=centres), places
        return fitted(training=coordinates, places=places), places

    def transform(self, features: Features) -> Vectors:
        """Place new pictures as umap-learn's own `transform` does, but for two things that make each picture's place
        its own: memberships are scaled row by row, where umap scales them by the batch's largest, and its neighbours
        are exact, or nearly so among more than `EXACT_ROWS`. (umap seeds its random numbers by each row's starting
        place, so they are independent already.)
        """
        coordinates = self.standardizer.project(features)
        if len(self.training) < self.MIN_ROWS or not len(coordinates):
            return first_three_columns(coordinates)
        indices, distances = self._nearest(coordinates)
        return drawn(self.places, indices, weights_of(indices, distances), self.a, self.b, SEED)

    def place_many(self, coordinates: NDArray[np.float32]) -> Vectors:
        if len(self.training) < self.MIN_ROWS:
            return first_three_columns(coordinates)
        nearest, parts = NearestOfMany(self.training, self.neighbours), []
        for start in range(0, len(coordinates), _TOGETHER):
            indices, distances = nearest.of(coordinates[start : start + _TOGETHER])
            parts.append(settled(self.places, indices, weights_of(indices, distances), self.a, self.b, SEED))
        return np.concatenate(parts)

    def turned_onto(self, places: Vectors, fixed: Vectors) -> tuple[Self, Vectors]:
        motion = RigidMotion.onto(places[: len(fixed)], fixed)
        return replace(self, places=motion(self.places)), motion(places)

    def explained_variance(self) -> list[float]:
        return first_three_shares(self.standardizer)

    def _nearest(self, coordinates: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The nearest training pictures, `(n, neighbours)` indices and distances, nearest first."""
        if self.starts is not None and self.centres is not None:
            from embeddings.knn_graph import Cells

            order = np.arange(len(self.training))
            cells = Cells(order=order, points=self.training, starts=self.starts, centres=self.centres)
            return cells.nearest_to(coordinates, self.neighbours)
        return self._exactly_nearest(coordinates)

    def _exactly_nearest(self, coordinates: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
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
        save_arrays(
            path,
            self.name,
            standardizer_arrays(self.standardizer)
            | {
                "training": self.training,
                "places": self.places,
                "neighbours": np.int64(self.neighbours),
                "curve": np.array([self.a, self.b]),
            }
            | {name: array for name in _CELLS if (array := getattr(self, name)) is not None},
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        arrays = load_arrays(path, cls.name, *STANDARDIZER_ARRAYS, "training", "places", "neighbours", "curve")
        a, b = arrays["curve"]
        return cls(
            standardizer=standardizer_of(arrays),
            training=arrays["training"],
            places=arrays["places"],
            neighbours=int(arrays["neighbours"]),
            a=float(a),
            b=float(b),
            **{name: arrays.get(name) for name in _CELLS},
        )


def _lay_out_many(
    coordinates: NDArray[np.float32], start: Vectors, neighbours: int, seed: int, on_move: OnMove | None
) -> "tuple[Vectors, Cells]":
    """UMAP of a catalogue: umap-learn's memberships; neighbours and layout are ours, on every core. Returns the cells
    that the neighbours were found in, too."""
    from embeddings.knn_graph import Cells
    from embeddings.umap_layout import lay_out, memberships

    # Sorted by cells, neighbours lie near each other in memory as well.
    cells = Cells.of(coordinates, seed=seed)
    graph = memberships(cells, neighbours, seed)
    a, b = _CURVE

    def unsorted(places: Vectors) -> Vectors:
        found = np.empty_like(start)
        found[cells.order] = places
        return found

    moved = snapshots.every_half_second(on_move and (lambda places: on_move(unsorted(places))))
    start = start[cells.order]
    return unsorted(lay_out(graph, start, a=a, b=b, epochs=_EPOCHS_OF_MANY, seed=seed, on_epoch=moved)), cells


def warm_up() -> None:
    """Compile what UMAP compiles at first use, or load it from numba's cache: some twenty seconds, or one."""
    random = np.random.default_rng(SEED)
    features = random.normal(size=(120, 60)).astype(np.float32)
    standardizer = Standardizer.fit([features])
    umap, _ = Umap.fit(standardizer, standardizer.project(features), seed=SEED)
    umap.transform(features[:2])
