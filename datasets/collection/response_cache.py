"""Answers as files: made once, then sent from disk by every process that comes after.

<folder>/<cache_key>          the bytes, for example catalogue/<fingerprint>/pca-0-202.<version>
<folder>/<cache_key>.zstd     the same, compressed
"""

import hashlib
import io
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO, cast

import orjson
from django.conf import settings

from embeddings.vector_files import replacing

from .content_coding import CODINGS, IDENTITY, VERSIONS

logger = logging.getLogger(__name__)

Chunks = Iterable[bytes]

_PIECE = 2**20
_TOUCHED_EVERY = 3600
_LEFT_FULL = 0.9
"""Of the limit, after a clearing: not every new file clears again."""


FORMAT = 1
"""To be raised with every change of the bytes that the same vectors are answered with."""
_VERSION = hashlib.sha256(f"{FORMAT} {orjson.__version__} {VERSIONS}".encode()).hexdigest()[:8]


def versioned(cache_key: str) -> str:
    """A key under which no other version of the service looks for what this one renders."""
    return f"{cache_key}.{_VERSION}"


class ResponseCache:
    """A folder of made bytes that never holds more than `limit` bytes: what was not sent for longest goes first.

    Each process counts what it writes itself. Where a file cannot be written, its bytes come from memory.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._room = 0
        self._clearing = threading.Lock()
        self.hits = self.misses = 0
        """Answers of this process that were there, and that were made. Threads may lose one of them at times."""
        self._making = [threading.RLock() for _ in range(64)]

    def open(
        self,
        cache_key: str,
        coding: str,
        render: Callable[[], Chunks],
        turn: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> BinaryIO:
        """The bytes of a cache key in a coding, made by `render` if they are not there: equal places, equal bytes.

        `turn` is entered before anything is made or waited for, and may refuse it.
        """
        path = self._folder / (cache_key if coding == IDENTITY else f"{cache_key}.{coding}")
        if found := _open(path):
            self.hits += 1
            return found
        with turn(), self._making[hash(cache_key) % len(self._making)]:
            if found := _open(path):  # another request has made it meanwhile
                return found
            if coding == IDENTITY:
                return self._make(path, render)
            with self.open(cache_key, IDENTITY, render) as plain:
                return self._make(path, lambda: CODINGS[coding](_pieces(plain)))

    def owners(self, kind: str) -> list[str]:
        """Whose bytes there are: the folders in the folder of a kind."""
        return [path.name for path in (self._folder / kind).glob("*")]

    def forget(self, kind: str, owner: str) -> None:
        shutil.rmtree(self._folder / kind / owner, ignore_errors=True)

    def _make(self, path: Path, make: Callable[[], Chunks]) -> BinaryIO:
        self.misses += 1
        try:
            with replacing(path) as file:
                file.writelines(make())
            made = path.open("rb", buffering=0)
        except OSError as error:
            logger.warning("%s cannot be kept, and is made again for each request: %s", path, error)
            return io.BytesIO(b"".join(make()))
        self._count(made.seek(0, io.SEEK_END))
        made.seek(0)
        return cast(BinaryIO, made)

    def _count(self, size: int) -> None:
        with self._clearing:
            self._room -= size
            if self._room < 0:
                self._room = self._limit - self._clear()

    def _clear(self) -> int:
        """Look at every file, remove the oldest ones if they are too many, and return what is left, in bytes."""
        files = sorted(_ages_and_sizes(self._folder))
        total = sum(size for _, size, _ in files)
        goal = self._limit if total <= self._limit else self._limit * _LEFT_FULL
        for _, size, path in files:
            if total <= goal:
                break
            path.unlink(missing_ok=True)
            total -= size
        return total


def kept() -> ResponseCache:
    """This service's."""
    return _kept(settings.CACHE_DIR / "answers", settings.CACHE_MB * 2**20)


@cache
def _kept(folder: Path, limit: int) -> ResponseCache:
    return ResponseCache(folder, limit)


def _open(path: Path) -> BinaryIO | None:
    try:
        file = path.open("rb", buffering=0)
    except OSError:
        return None
    if time.time() - os.fstat(file.fileno()).st_mtime > _TOUCHED_EVERY:
        with suppress(OSError):  # a file that may only be read is as good
            os.utime(path)
    return cast(BinaryIO, file)


def _pieces(file: BinaryIO) -> Chunks:
    """From the start each time: compressors make the same bytes of the same pieces."""
    file.seek(0)
    return iter(lambda: file.read(_PIECE), b"")


def _ages_and_sizes(folder: Path) -> Iterable[tuple[float, int, Path]]:
    for path in folder.rglob("*"):
        try:
            stat = path.stat()
        except OSError:  # just removed
            continue
        if path.is_file():
            yield stat.st_mtime, stat.st_size, path
