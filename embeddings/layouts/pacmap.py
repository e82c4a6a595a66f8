"""PaCMAP (Wang, Huang, Rudin & Shaposhnik 2021), by its authors' package.

LocalMAP of the same package is left out: it draws random numbers on several threads, and its places differ from run to
run where the machine is busy.
"""

import logging

import numpy as np

from embeddings.kernels import import_pacmap
from embeddings.reducers.base import first_columns
from embeddings.vector_files import Vectors

from .methods import Problem
from .parameters import Values


def lay_out(problem: Problem, values: Values) -> Vectors:
    pacmap = import_pacmap()

    # It warns of every seed, and that three dimensions are rarely tried.
    logging.getLogger("pacmap").setLevel(logging.ERROR)
    coordinates, dimensions = problem.coordinates, int(values["dimensions"])
    model = pacmap.PaCMAP(
        n_components=dimensions,
        n_neighbors=min(int(values["n_neighbors"]), (len(coordinates) - 1) // 3),
        random_state=int(values["seed"]),
        apply_pca=False,  # they are principal coordinates
    )
    start = first_columns(coordinates, dimensions)
    return np.ascontiguousarray(model.fit_transform(coordinates, init=start), dtype=np.float32)
