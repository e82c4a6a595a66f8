"""UMAP with parameters, in two or three dimensions, with densities kept, or supervised by a field; by umap-learn up to
10,000 pictures, beyond with this project's neighbours and layout."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.kernels import import_umap
from embeddings.reducers.base import first_columns, spread
from embeddings.vector_files import Vectors

from .methods import Problem
from .parameters import Values
from .supervision import Target, supervised

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
    if problem.target is not None:
        return _lay_out_supervised(coordinates, problem.target, start, neighbours, values, densities=densities)
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


def _lay_out_supervised(
    coordinates: NDArray[np.float32],
    target: Target,
    start: Vectors,
    neighbours: int,
    values: Values,
    *,
    densities: bool,
) -> Vectors:
    """As umap-learn's `fit` does it with a target, in its steps: the graph is changed before it is laid out."""
    parts, seed = import_umap().umap_, int(values["seed"])
    graph = supervised(_memberships(coordinates, neighbours, seed), target, neighbours, seed).tocoo()
    # What the field joins needs a distance, too.
    keywords = {
        "lambda": 2.0,
        "frac": 0.3,
        "var_shift": 0.1,
        "n_neighbors": neighbours,
        "graph_dists": _lengths(graph, coordinates) if densities else None,
    }
    a, b = curve(float(values["min_dist"]))
    places, _ = parts.simplicial_set_embedding(
        coordinates,
        graph,
        start.shape[1],
        1.0,
        a,
        b,
        1.0,
        5,
        _EPOCHS,
        start,
        np.random.RandomState(seed),
        "euclidean",
        {},
        densities,
        keywords,
        False,
    )
    return np.ascontiguousarray(places, dtype=np.float32)


def _memberships(coordinates: NDArray[np.float32], neighbours: int, seed: int) -> Any:
    """umap-learn's fuzzy graph, `(n, n)`, of each picture and its nearest others."""
    if len(coordinates) > MANY_ROWS:
        from embeddings.knn_graph import Cells
        from embeddings.umap_layout import memberships

        cells = Cells.of(coordinates, seed=seed)
        back = np.argsort(cells.order)
        return memberships(cells, neighbours, seed).tocsr()[back][:, back]
    from .nearest import nearest_others

    others, apart = nearest_others(coordinates, neighbours - 1)
    rows = np.arange(len(coordinates))[:, None]
    graph, _, _ = import_umap().umap_.fuzzy_simplicial_set(
        coordinates,
        neighbours,
        np.random.RandomState(seed),
        "euclidean",
        knn_indices=np.hstack([rows, others]),
        knn_dists=np.hstack([np.zeros((len(rows), 1), np.float32), apart]),
    )
    return graph


def _lengths(graph: Any, coordinates: NDArray[np.float32]) -> Any:
    """The distance along each edge, as umap-learn looks it up."""
    from scipy.sparse import coo_array

    lengths = np.linalg.norm(coordinates[graph.row] - coordinates[graph.col], axis=1)
    return coo_array((lengths, (graph.row, graph.col)), shape=graph.shape).todok()


def _lay_out_many(problem: Problem, start: Vectors, neighbours: int, values: Values) -> Vectors:
    from embeddings.knn_graph import Cells
    from embeddings.umap_layout import lay_out as settle
    from embeddings.umap_layout import memberships

    seed = int(values["seed"])
    cells = Cells.of(problem.coordinates, seed=seed)
    graph = memberships(cells, neighbours, seed)
    if problem.target is not None:
        graph = supervised(graph, problem.target.at(cells.order), neighbours, seed)
    problem.progress(0.4)
    a, b = curve(float(values["min_dist"]))
    # The layout works in space; forces leave a plane a plane.
    places = np.zeros((len(start), 3), np.float32)
    places[:, : start.shape[1]] = start[cells.order]
    places = settle(graph, places, a=a, b=b, epochs=_EPOCHS_OF_MANY, seed=seed)
    found = np.empty_like(start)
    found[cells.order] = places[:, : start.shape[1]]
    return found
