"""The names of a collection's pictures → one block of memory, looked up by row and searched as people type.

A file of names is UTF-8, each name ended by a zero byte, in the order of rows. CelebA's 202,599 take 2 MB, and 8 MB in
memory once they have been searched; a list of strings would take 14 MB, and the records that hold them 60 MB.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

_END = b"\0"
"""No file's name holds it."""


class Names:
    """Name k belongs to row k."""

    def __init__(self, joined: bytes) -> None:
        """From a file of names."""
        self.joined = joined
        self._ends = _ends(joined)

    @classmethod
    def of(cls, names: Iterable[str]) -> Self:
        return cls("".join(f"{name}\0" for name in names).encode(errors="replace"))

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, row: int) -> str:
        """Of a row from 0 on. Raises `IndexError`."""
        start = int(self._ends[row - 1]) + 1 if row else 0
        return self.joined[start : self._ends[row]].decode(errors="replace")

    def containing(self, text: str) -> NDArray[np.int64]:
        """Ascending rows whose names contain the text, upper case or lower, accents written one way or another."""
        folded, ends = self._folded
        wanted = _folded(text).encode(errors="replace")
        if _END in wanted:
            return np.empty(0, np.int64)
        places = np.fromiter((match.start() for match in re.finditer(re.escape(wanted), folded)), np.int64)
        found = np.zeros(len(ends) + 1, np.bool_)
        found[np.searchsorted(ends, places)] = True
        return np.flatnonzero(found[:-1])

    @cached_property
    def _folded(self) -> tuple[bytes, NDArray[np.int64]]:
        """All names as they are compared, and where each ends."""
        joined = _folded(self.joined.decode(errors="replace")).encode()
        return joined, _ends(joined)


def _folded(text: str) -> str:
    # Composed last: macOS writes ż as two characters, keyboards as one.
    return unicodedata.normalize("NFC", text.casefold())


def _ends(joined: bytes) -> NDArray[np.int64]:
    return np.flatnonzero(np.frombuffer(joined, np.uint8) == 0)
