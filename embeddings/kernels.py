"""umap-learn and PaCMAP, imported so that what numba compiles for them is kept on disk.

umap-learn and pynndescent compile some fifty functions in every process that uses them, ten to twenty seconds, and ask
numba to keep few of them. numba can keep nearly all, keyed by source file, its own version and the CPU, in the folder
named by NUMBA_CACHE_DIR or else beside the sources.
"""

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def import_umap() -> Any:
    """The module `umap`, its kernels cached."""
    if "umap" in sys.modules:
        return sys.modules["umap"]
    # A few functions cannot be kept, and numba would warn of each.
    warnings.filterwarnings("ignore", message="Cannot cache compiled function")
    with _caching_by_default(), warnings.catch_warnings():
        # umap tells at its import that an optional part of it, ParametricUMAP, has no TensorFlow.
        warnings.simplefilter("ignore", ImportWarning)
        import umap
        import umap.layouts
    return umap


def import_pacmap() -> Any:
    """The module `pacmap`, its kernels cached."""
    if "pacmap" not in sys.modules:
        warnings.filterwarnings("ignore", message="Cannot cache compiled function")
        with _caching_by_default():
            import pacmap  # noqa: F401
    return sys.modules["pacmap"]


@contextmanager
def _caching_by_default() -> Iterator[None]:
    """Within the block, `numba.njit` and `numba.jit` cache unless told otherwise."""
    import numba

    def caching(decorator: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **options: decorator(*args, **{"cache": True} | options)

    originals = {name: getattr(numba, name) for name in ("njit", "jit")}
    try:
        for name, original in originals.items():
            setattr(numba, name, caching(original))
        yield
    finally:
        for name, original in originals.items():
            setattr(numba, name, original)
