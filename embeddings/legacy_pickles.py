"""The old server's pickles: the interchange format of a catalogue's vectors, a pickled `(n, 3)` array each."""

import io
import pickle
import pickletools
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .vector_files import BadVectors, Vectors, check, replacing

# An array's pickle remembers some twenty things; unpickling makes room for as many as a pickle claims.
_MEMO_SIZE = 1000


class _Dtype:
    """Stands for `numpy.dtype` while a pickle is read: a plain type of numbers, and their byte order."""

    def __init__(self, code: str, *flags: object) -> None:
        if not re.fullmatch("[biuf][0-9]{1,2}", code):
            raise pickle.UnpicklingError(f"its type is {code[:20]}, which is none of plain numbers")
        self.numbers = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] in ("<", ">"):
            self.numbers = self.numbers.newbyteorder(state[1])


class _Array:
    """Stands for `numpy.ndarray`, whose own unpickling believes what it is told: sizes, offsets, nested types."""

    values: NDArray[np.generic] | None = None

    def __init__(self, *arguments: object) -> None:
        """Of any size and type: an array gets both with its bytes."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, fortran, data = state
        # Text is what the bytes of Python 2's pickles come as.
        self._fill(data.encode("latin1") if isinstance(data, str) else data, dtype, shape, "F" if fortran else "C")

    def _fill(self, data: bytes, dtype: _Dtype, shape: tuple[int, ...], order: Any) -> None:
        self.values = np.frombuffer(data, dtype.numbers).reshape(shape, order=order)


def _frombuffer(data: bytes, dtype: _Dtype, shape: tuple[int, ...], order: str) -> _Array:
    array = _Array()
    array._fill(data, dtype, shape, order)
    return array


def _latin1(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"an array's bytes are never encoded as {encoding!r}")
    return text.encode("latin1")


# All that a pickled NumPy array calls, under the names that NumPy 1 and 2 give it.
_ARRAY_PARTS: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy.core.numeric", "_frombuffer"): _frombuffer,
    ("numpy._core.numeric", "_frombuffer"): _frombuffer,
    ("_codecs", "encode"): _latin1,  # how protocol 2 and older spell bytes
}


class _ArrayUnpickler(pickle.Unpickler):
    """Admits NumPy arrays and nothing else; nothing that a pickle names is ever looked up."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ARRAY_PARTS[module, name]
        except KeyError:
            message = f"it names {module}.{name}, and only NumPy arrays are admitted"
            raise pickle.UnpicklingError(message[:300]) from None


def read(path: Path) -> Vectors:
    """Read and check a pickled array without running anything in it.

    Returns `(n, 3) float32`. Raises `BadVectors` with a sentence for a foreign, poisoned, damaged or misshapen pickle.
    """
    data = path.read_bytes()
    try:
        _check_memo(data)
        array = _ArrayUnpickler(io.BytesIO(data), encoding="latin1").load()
    except Exception as error:  # a damaged or hostile pickle fails in as many ways as there are opcodes
        raise BadVectors(f"{path} is not a pickled NumPy array: {error}") from error
    if not isinstance(array, _Array) or array.values is None:
        raise BadVectors(f"{path} holds no NumPy array")
    return check(array.values, str(path))


def write(path: Path, vectors: Vectors) -> None:
    """Pickle the array so that NumPy 1 reads it too: protocol 3, under the module name that both versions know."""
    data = pickle.dumps(np.ascontiguousarray(vectors), protocol=3)
    with replacing(path) as file:
        file.write(data.replace(b"numpy._core.multiarray\n", b"numpy.core.multiarray\n", 1))


def _check_memo(data: bytes) -> None:
    for opcode, argument, _ in pickletools.genops(data):
        if "PUT" in opcode.name and int(argument or 0) > _MEMO_SIZE:
            raise pickle.UnpicklingError("it remembers more than an array has parts")
