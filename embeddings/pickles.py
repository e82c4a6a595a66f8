"""The old server's pickles: the interchange format of a catalogue's vectors, a pickled `(n, 3)` array each."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from .vectors import BadVectors, Vectors, check, replacing

# All that a pickled NumPy array calls, under the names that NumPy 1 and 2 give it.
_ARRAY_PARTS = {
    (f"numpy.{core}.{module}", name)
    for core in ("core", "_core")
    for module, name in (("multiarray", "_reconstruct"), ("multiarray", "scalar"), ("numeric", "_frombuffer"))
} | {("numpy", "ndarray"), ("numpy", "dtype")}


def _latin1(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"an array's bytes are never encoded as {encoding!r}")
    return text.encode("latin1")


class _ArrayUnpickler(pickle.Unpickler):
    """Admits NumPy arrays and nothing else; whatever else a pickle names is refused before it is looked up."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _ARRAY_PARTS:
            return super().find_class(module.replace("numpy.core.", "numpy._core."), name)
        if (module, name) == ("_codecs", "encode"):  # how protocol 2 and older spell bytes
            return _latin1
        raise pickle.UnpicklingError(f"it names {module}.{name}, and only NumPy arrays are admitted")


def read(path: Path) -> Vectors:
    """Read and check a pickled array without running anything in it.

    Returns `(n, 3) float32`. Raises `BadVectors` with a sentence for a foreign, poisoned, damaged or misshapen pickle.
    """
    try:
        with path.open("rb") as file:
            array = _ArrayUnpickler(file, encoding="latin1").load()
    except OSError:
        raise
    except Exception as error:  # a damaged or hostile pickle fails in as many ways as there are opcodes
        raise BadVectors(f"{path} is not a pickled NumPy array: {error}") from error
    if not isinstance(array, np.ndarray):
        raise BadVectors(f"{path} holds a {type(array).__name__}, not a NumPy array")
    return check(array, str(path))


def write(path: Path, vectors: Vectors) -> None:
    """Pickle the array so that NumPy 1 reads it too: protocol 3, under the module name that both versions know."""
    data = pickle.dumps(np.ascontiguousarray(vectors), protocol=3)
    with replacing(path) as file:
        file.write(data.replace(b"numpy._core.multiarray\n", b"numpy.core.multiarray\n", 1))
