"""The extraction of a build in chunks that are computed elsewhere → the same ranges as those of `builder.extract`.

Ranges hold 1000 readable pictures, so where one begins depends on all files before it. Chunks are fixed files, which
depend on nothing, and ranges are made of them here, in order, by the code that makes them of files. Finished chunks lie
in the build's folder until their ranges are written, so that a build goes on where it was, with or without an engine.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from datasets.pictures.prepared_picture import Prepared
from embeddings.extractors import Features
from embeddings.images.decoding import RGB

from . import arithmetic, builder
from .build_directory import BuildDirectory
from .chunks import FILES, Chunk, ExtractedChunk, count
from .sources import Source


class Engine(Protocol):
    """What computes chunks, on this machine or on others."""

    def submit(self, chunk: Chunk) -> "Future[ExtractedChunk]":
        """Begin with a chunk. Its result is the chunk's, or raises `BuildError`; what is killed is begun again."""
        ...

    def room(self) -> int:
        """How many chunks are worth having underway."""
        ...


def extract(
    work: BuildDirectory,
    source: Source,
    engine: Engine,
    on_files: Callable[[int], object],
    *,
    allow_mixed: bool = False,
) -> list[dict[str, Any]]:
    """As `builder.extract`, with the same results. Raises `BuildError` also where nodes compute in different ways."""
    work.note_passed_over(source.left)
    chunks = _Chunks(work, source, engine, on_files, allow_mixed=allow_mixed)
    with closing(chunks.outcomes()) as outcomes:
        return builder.write_ranges(work, source, outcomes, chunks.features, on_range=chunks.forget)


class _Chunks:
    """Those of one build: which are finished, which are underway."""

    def __init__(
        self,
        work: BuildDirectory,
        source: Source,
        engine: Engine,
        on_files: Callable[[int], object],
        *,
        allow_mixed: bool,
    ) -> None:
        self._work, self._source, self._engine, self._on_files = work, source, engine, on_files
        self._allow_mixed = allow_mixed
        self._taken = work.taken
        self._first = self._taken // FILES
        self._rows: deque[Features] = deque()
        self._underway: dict[Future[ExtractedChunk], Chunk] = {}

    def outcomes(self) -> Generator[tuple[str, Prepared | Exception], None, None]:
        """The files that are in no range yet, as they came out, in order."""
        names = self._source.names
        self._on_files(self._taken)
        self.forget(self._taken)
        waiting = iter([number for number in range(self._first, count(len(names))) if not self._is_kept(number)])
        for number in range(self._first, count(len(names))):
            while not self._path(number).exists():
                self._fill(waiting)
                self._keep_what_is_done()
            chunk = ExtractedChunk.load(self._path(number))
            before = max(self._taken - number * FILES, 0)
            for place, (row, outcome) in enumerate(chunk.outcomes()):
                if place >= before:
                    if row is not None:
                        self._rows.append(row)
                    yield names[number * FILES + place], outcome

    def features(self, crops: Iterable[RGB]) -> Features:
        """Those of the pictures that were taken, in place of the network's."""
        taken = [self._rows.popleft() for _ in crops]
        return np.stack(taken) if taken else np.empty((0, 0), np.float32)

    def forget(self, taken: int) -> None:
        """Delete the chunks of which all files are in ranges, so many files."""
        for path in self._work.chunks.glob("*.npz"):
            if (int(path.stem) + 1) * FILES <= taken:
                path.unlink()

    def _fill(self, waiting: Iterator[int]) -> None:
        room = self._engine.room() - len(self._underway)
        for number in (number for _, number in zip(range(room), waiting, strict=False)):
            chunk = Chunk.of(self._source.names, number)
            self._underway[self._engine.submit(chunk)] = chunk

    def _keep_what_is_done(self) -> None:
        done, _ = wait(self._underway, return_when=FIRST_COMPLETED)
        for future in done:
            chunk, extracted = self._underway.pop(future), future.result()
            arithmetic.note(self._work, extracted.arithmetic, where=extracted.node, allow_mixed=self._allow_mixed)
            extracted.save(self._path(chunk.number))
            self._count(chunk.number)

    def _is_kept(self, number: int) -> bool:
        """Whether it was computed before; then its files count as done."""
        kept = self._path(number).exists()
        if kept:
            self._count(number)
        return kept

    def _count(self, number: int) -> None:
        first, last = number * FILES, min((number + 1) * FILES, len(self._source.names))
        self._on_files(last - max(first, self._taken))

    def _path(self, number: int) -> Path:
        return self._work.chunks / f"{number:06d}.npz"
