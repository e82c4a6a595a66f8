"""A chunk of files → features, tiles, facts: a function of what it is given alone, that any node may compute.

It needs neither models nor a data folder nor settings of its own: a node has the packages, and the source in its place.
"""

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from datasets.pictures import s3_objects
from datasets.pictures.extraction import prepare
from datasets.pictures.image_stats import ImageStats
from datasets.pictures.zip_archive import MemberError
from datasets.tilemaps.layout import Tile
from embeddings.backbones import BACKBONES, Weights
from embeddings.conversion import convert
from embeddings.extractors import Device, Extractor, Precision, open_extractor
from embeddings.images.decoding import RGB
from embeddings.pipeline import Pipeline
from embeddings.vector_files import replacing

from .chunks import Chunk, ExtractedChunk, fault
from .sources import OpenSource, SourceError, bucket_reader

Files = Mapping[str, NDArray[np.uint8]]
"""Their bytes by their names."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """All that decides what a chunk comes to, beside its files and the files of the network."""

    location: str
    """Where the source lies: the same path on each node, or an s3:// address."""
    size: int
    """Bytes of a ZIP; 0 of all else."""
    backbone: str
    weights: str
    """The name of the file of weights."""
    precision: Precision
    quantised: str
    """The name of the network file for int8; else empty."""
    max_pixels: int
    decode_mb: int
    decode_seconds: float
    device: Device
    threads: int
    """To compute and to decode with."""

    @classmethod
    def of(cls, location: str, pipeline: Pipeline, *, max_pixels: int, decode_mb: int, decode_seconds: float) -> "Job":
        path = Path(location)
        return cls(
            location=location,
            size=path.stat().st_size if path.is_file() else 0,
            backbone=pipeline.weights.backbone.name,
            weights=f"{pipeline.weights.digest[:16]}-{pipeline.weights.path.name}",
            precision=pipeline.choice.precision,
            quantised=pipeline.choice.network.name if pipeline.choice.network else "",
            max_pixels=max_pixels,
            decode_mb=decode_mb,
            decode_seconds=decode_seconds,
            device=pipeline.device,
            threads=1,
        )

    def network_files(self, pipeline: Pipeline) -> Files:
        """What a node needs beside the job: the weights, and the network as it was converted here."""
        paths = {self.weights: pipeline.weights.path}
        if self.device != "cuda":
            network = pipeline.choice.network or convert(pipeline.weights, pipeline.cache)
            paths |= {path.name: path for path in (network, network.with_suffix(".bin"))}
        return {name: np.fromfile(path, np.uint8) for name, path in paths.items()}


def extract_chunk(job: Job, files: Files, chunk: Chunk, cache: Path) -> ExtractedChunk:
    """Read and decode the chunk's files, and compute their features. `cache` is a folder of this node.

    Raises `SourceError` where this node has not the source that the names are of.
    """
    if not settings.configured:
        settings.configure(DECODE_MB=job.decode_mb, DECODE_SECONDS=job.decode_seconds)
    _unpack(files, cache)
    read, connections = _opened(job.location, job.size)
    extractor = _loaded(job, cache)
    tiles: list[Tile] = []
    facts: list[ImageStats] = []
    faults: dict[int, tuple[str, str]] = {}
    backbone = BACKBONES[job.backbone]
    with closing(prepare(chunk.names, read, backbone, job.max_pixels, threads=job.threads + connections)) as prepared:

        def crops() -> Iterator[RGB]:
            for place, (_, outcome) in enumerate(prepared):
                if isinstance(outcome, Exception):
                    faults[place] = fault(outcome)
                else:
                    tiles.append(outcome.tile)
                    facts.append(outcome.facts)
                    yield outcome.crop

        features = extractor.extract(crops())
    return ExtractedChunk(
        features=features,
        tiles=tiles,
        facts=facts,
        faults=faults,
        arithmetic=extractor.info.arithmetic(),
        node=socket.gethostname(),
    )


def _unpack(files: Files, cache: Path) -> None:
    """Once on a node: the names tell the content. A network's .xml comes last: whoever sees it finds its .bin."""
    for name in sorted(files):
        if not (cache / name).exists():
            with replacing(cache / name) as file:
                file.write(files[name].data)


@lru_cache(maxsize=1)
def _loaded(job: Job, cache: Path) -> Extractor:
    return open_extractor(
        Weights(backbone=BACKBONES[job.backbone], path=cache / job.weights, source="the machine that builds"),
        cache,
        precision=job.precision,
        quantised=cache / job.quantised if job.quantised else None,
        device=job.device,
        threads=job.threads,
    )


@lru_cache(maxsize=1)
def _opened(location: str, size: int) -> tuple[Callable[[str], bytes], int]:
    """What reads a file of the source by its name, and how many it may wait for at once."""
    if location.startswith(s3_objects.SCHEME):
        return bucket_reader(location), s3_objects.CONNECTIONS
    path, node = Path(location), socket.gethostname()
    if size:
        if not path.is_file() or path.stat().st_size != size:
            raise SourceError(f"{location} is not the same file on {node}: each node needs it at this path")
        return OpenSource(path).__enter__().read, 0
    if not path.is_dir():
        raise SourceError(f"there is no folder {location} on {node}: each node needs it at this path")

    def read(name: str) -> bytes:
        try:
            return (path / name).read_bytes()
        except FileNotFoundError as error:
            raise SourceError(f"{node} has no {location}/{name}: each node needs the same files there") from error
        except OSError as error:
            raise MemberError(f"it cannot be read: {error.strerror}") from error

    return read, 0
