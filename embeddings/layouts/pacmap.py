"""PaCMAP (Wang, Huang, Rudin & Shaposhnik 2021) and LocalMAP (Wang, Sun, Huang & Rudin 2025), by their authors'."""

import logging

import numpy as np

from embeddings.kernels import import_pacmap
from embeddings.vector_files import Vectors

from .methods import Problem, first_columns
from .parameters import Values


def lay_out(problem: Problem, values: Values, *, local: bool = False) -> Vectors:
    pacmap = import_pacmap()

    # It warns of every seed, and that three dimensions are rarely tried.
    logging.getLogger("pacmap").setLevel(logging.ERROR)
    coordinates, dimensions = problem.coordinates, int(values["dimensions"])
    method = pacmap.LocalMAP if local else pacmap.PaCMAP
    model = method(
        n_components=dimensions,
        n_neighbors=min(int(values["n_neighbors"]), (len(coordinates) - 1) // 3),
        random_state=int(values["seed"]),
        apply_pca=False,  # they are principal coordinates
    )
    start = first_columns(coordinates, dimensions)
    return np.ascontiguousarray(model.fit_transform(coordinates, init=start), dtype=np.float32)
