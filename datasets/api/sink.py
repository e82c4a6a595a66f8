"""What a library writes into a file, piece by piece for an answer."""

import io
from typing import Any


class Sink(io.RawIOBase):
    """A file that is only ever written at its end, and gives away what it has."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._length

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        self._length += len(data)
        return len(data)

    def taken(self) -> bytes:
        taken, self._pieces = b"".join(self._pieces), []
        return taken
