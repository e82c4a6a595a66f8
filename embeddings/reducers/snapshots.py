"""A layout while it is computed → copies of it, each half second at most."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from embeddings.kernels import import_umap
from embeddings.vector_files import Vectors

SECONDS = 0.5
OnMove = Callable[[Vectors], object]
"""Given `(n, 3)`, to keep."""


def every_half_second(on_move: OnMove | None) -> OnMove:
    """Called whenever points have moved, tells of it seldom."""
    last = time.monotonic()

    def moved(places: Vectors) -> None:
        nonlocal last
        if on_move is not None and time.monotonic() - last >= SECONDS:
            on_move(places.copy())
            last = time.monotonic()

    return moved


@contextmanager
def of_umap_learn(on_move: OnMove | None) -> Iterator[None]:
    """Watch what umap-learn lays out meanwhile.

    It tells nothing, but it moves the points of one array in place, which is caught on its way in. What is computed is
    the same.
    """
    if on_move is None:
        yield
        return
    parts = import_umap().umap_
    lay_out, ended = parts.optimize_layout_euclidean, threading.Event()

    def look(places: Vectors) -> None:
        while not ended.wait(SECONDS):
            on_move(places.copy())

    def watched(places: Vectors, *arguments: Any, **options: Any) -> Any:
        looking = threading.Thread(target=look, args=(places,), name="snapshots", daemon=True)
        looking.start()
        try:
            return lay_out(places, *arguments, **options)
        finally:
            ended.set()
            looking.join()

    parts.optimize_layout_euclidean = watched
    try:
        yield
    finally:
        parts.optimize_layout_euclidean = lay_out
