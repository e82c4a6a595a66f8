"""UMAP with parameters, in two or three dimensions, or with densities kept; by umap-learn up to 10,000
pictures, beyond with this project's neighbours and layout."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.kernels import import_umap
from embeddings.vector_files import Vectors

from .methods import Problem, first_columns
from .parameters import Values

MANY_ROWS = 10_000
_EPOCHS, _EPOCHS_OF_MANY = 500, 100


def curve(min_dist: float) -> tuple[float, float]:
    """UMAP's a and b for a spread of 1."""
    a, b = import_umap().umap_.find_ab_params(1.0, min_dist)
    return float(a), float(b)


def lay_out(problem: Problem, values: Values, *, densities: bool = False) -> Vectors:
    coordinates = problem.coordinates
    count, seed = len(coordinates), int(values["seed"])
    neighbours = min(int(values["n_neighbors"]), count - 1)
    start = spread(first_columns(coordinates, int(values["dimensions"])), seed)
    if count > MANY_ROWS and not densities:
        return _lay_out_many(problem, start, neighbours, values)
    model = import_umap().UMAP(
        n_neighbors=neighbours,
        n_components=start.shape[1],
        min_dist=float(values["min_dist"]),
        init=start,
        n_epochs=_EPOCHS,
        random_state=seed,
        n_jobs=1,  # what a seed forces anyway; said, so that umap need not warn
        densmap=densities,
    )
    return np.ascontiguousarray(model.fit_transform(coordinates), dtype=np.float32)


def spread(places: Vectors, seed: int) -> Vectors:
    """PCA's places as a start: within ±10, as umap scales its own; coinciding points nudged apart."""
    largest = float(np.abs(places).max(initial=0.0)) or 1.0
    nudge = np.random.default_rng(seed).normal(scale=1e-4, size=places.shape)
    return (places * (10 / largest) + nudge).astype(np.float32)


def _lay_out_many(problem: Problem, start: Vectors, neighbours: int, values: Values) -> Vectors:
    from embeddings.knn_graph import Cells
    from embeddings.umap_layout import lay_out as settle

    seed = int(values["seed"])
    cells = Cells.of(problem.coordinates, seed=seed)
    graph = _graph(cells, neighbours, seed)
    problem.progress(0.4)
    a, b = curve(float(values["min_dist"]))
    # The layout works in space; forces leave a plane a plane.
    places = np.zeros((len(start), 3), np.float32)
    places[:, : start.shape[1]] = start[cells.order]
    places = settle(graph, places, a=a, b=b, epochs=_EPOCHS_OF_MANY, seed=seed)
    found = np.empty_like(start)
    found[cells.order] = places[:, : start.shape[1]]
    return found


def _graph(cells: Any, neighbours: int, seed: int) -> Any:
    indices: NDArray[np.int32]
    indices, distances = cells.nearest(neighbours)
    graph, _, _ = import_umap().umap_.fuzzy_simplicial_set(
        cells.points,
        neighbours,
        np.random.RandomState(seed),
        "euclidean",
        knn_indices=indices,
        knn_dists=distances,
    )
    return graph
