"""A chunk: what a fixed number of a source's files came to, computed anywhere, and kept until ranges are made of it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from datasets.pictures.image_stats import ImageStats, as_columns, at
from datasets.pictures.prepared_picture import Prepared
from datasets.tilemaps.layout import Tile
from embeddings.extractors import Features
from embeddings.images.decoding import NotAnImage, OversizedImage, TruncatedImage, UnreadableImage
from embeddings.vector_files import replacing

FILES = 256
"""Some seconds of work, and a multiple of the batch on GPUs."""

_FAULTS = {kind.__name__: kind for kind in (NotAnImage, OversizedImage, TruncatedImage, UnreadableImage)}
"""What a range's record tells apart, the last one being any other."""
_NO_CROP = np.empty((0, 0, 3), np.uint8)


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Some files of a source, by their names."""

    number: int
    names: tuple[str, ...]

    @classmethod
    def of(cls, names: Sequence[str], number: int) -> Self:
        return cls(number=number, names=tuple(names[number * FILES : (number + 1) * FILES]))

    def __str__(self) -> str:
        return f"the files {self.names[0]} … {self.names[-1]}"


def count(files: int) -> int:
    """How many chunks so many files are."""
    return -(-files // FILES)


@dataclass(frozen=True, kw_only=True)
class ExtractedChunk:
    """Row k of the features, tile k and facts k are of the k-th file that has no fault."""

    features: Features
    """`(n, d) float32`"""
    tiles: list[Tile]
    facts: list[ImageStats]
    faults: dict[int, tuple[str, str]]
    """Kind and reason, by the file's place in the chunk, of those that are no pictures."""
    arithmetic: Mapping[str, str]
    node: str
    """Where it was computed."""

    @property
    def files(self) -> int:
        return len(self.facts) + len(self.faults)

    def outcomes(self) -> Iterator[tuple[Features | None, Prepared | Exception]]:
        """File by file, with its row of features, what `datasets.pictures.extraction.prepare` had made of it, but for
        the crop."""
        pictures = iter(zip(self.features, self.tiles, self.facts, strict=True))
        for place in range(self.files):
            if place in self.faults:
                kind, reason = self.faults[place]
                yield None, _FAULTS[kind](reason)
            else:
                row, tile, facts = next(pictures)
                yield row, Prepared(tile=tile, crop=_NO_CROP, facts=facts)

    def save(self, path: Path) -> None:
        about = {"facts": as_columns(self.facts), "faults": list(self.faults.items())}
        pixels = np.concatenate([tile.ravel() for tile in self.tiles] or [np.empty(0, np.uint8)])
        encoded = np.frombuffer(json.dumps(about).encode(), np.uint8)
        with replacing(path) as file:
            np.savez(file, features=self.features, pixels=pixels, about=encoded)

    @classmethod
    def load(cls, path: Path) -> Self:
        with np.load(path, allow_pickle=False) as stored:
            about = json.loads(stored["about"].tobytes())
            features, pixels = stored["features"], stored["pixels"]
        facts = [each for index in range(len(features)) if (each := at(about["facts"], index))]
        ends = np.cumsum([each.tile_width * each.tile_height * 3 for each in facts], dtype=int)
        tiles = [
            part.reshape(each.tile_height, each.tile_width, 3)
            for part, each in zip(np.split(pixels, ends[:-1]), facts, strict=False)
        ]
        faults = {place: (kind, reason) for place, (kind, reason) in about["faults"]}
        return cls(features=features, tiles=tiles, facts=facts, faults=faults, arithmetic={}, node="")


def fault(error: Exception) -> tuple[str, str]:
    """Kind and reason of a file that is no picture, as they are kept."""
    return next((name for name, kind in _FAULTS.items() if isinstance(error, kind)), "UnreadableImage"), str(error)
