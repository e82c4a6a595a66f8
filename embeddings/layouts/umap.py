"""UMAP with parameters, in two or three dimensions, or with densities kept; by umap-learn up to 10,000
pictures, beyond with this project's neighbours and layout."""

import numpy as np

from embeddings.kernels import import_umap
from embeddings.reducers.base import first_columns, spread
from embeddings.vector_files import Vectors

from .methods import Problem
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


def _lay_out_many(problem: Problem, start: Vectors, neighbours: int, values: Values) -> Vectors:
    from embeddings.knn_graph import Cells
    from embeddings.umap_layout import lay_out as settle
    from embeddings.umap_layout import memberships

    seed = int(values["seed"])
    cells = Cells.of(problem.coordinates, seed=seed)
    graph = memberships(cells, neighbours, seed)
    problem.progress(0.4)
    a, b = curve(float(values["min_dist"]))
    # The layout works in space; forces leave a plane a plane.
    places = np.zeros((len(start), 3), np.float32)
    places[:, : start.shape[1]] = start[cells.order]
    places = settle(graph, places, a=a, b=b, epochs=_EPOCHS_OF_MANY, seed=seed)
    found = np.empty_like(start)
    found[cells.order] = places[:, : start.shape[1]]
    return found
