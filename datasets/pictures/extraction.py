"""Picture files → features, tiles and names in one order; each file read and decoded once, while the network runs."""

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from datasets.tilemaps.layout import CAPACITY, Tilemap
from embeddings.backbones import Backbone
from embeddings.extractors import Features
from embeddings.images.decoding import RGB, NotAnImage, OversizedImage, TruncatedImage, UnreadableImage, in_order

from .decode_limits import Allowance
from .decoder_pool import decoders
from .image_stats import ImageStats
from .prepared_picture import Prepared
from .zip_archive import MemberError, OverLimit, Skipped, named_as_picture

# Decoding lets go of the interpreter, and the network needs every core: as many threads as cores keep it fed.
DECODERS = os.cpu_count() or 2
_AHEAD = 64


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """What files came to: row k of the features, tile k and name k are the same picture."""

    features: Features
    """`(n, d) float32`, n ≤ 1000"""
    tilemap: bytes
    """JPEG."""
    names: list[str]
    facts: list[ImageStats]
    skipped: list[Skipped]
    ignored: list[str]
    """Files that are no pictures and do not claim to be."""
    over_limit: bool
    """Whether a limit was the reason to skip any of them."""
    taken: int
    """How many files were looked at."""


def prepare(
    names: Iterable[str],
    read: Callable[[str], bytes],
    backbone: Backbone,
    max_pixels: int,
    *,
    size: Callable[[str], int] = lambda name: 0,
    allowance: Allowance | None = None,
    threads: int = DECODERS,
) -> Generator[tuple[str, Prepared | Exception], None, None]:
    """Read and decode files on several threads, ahead of whoever takes the results, in the order of `names`.

    A file that is no picture comes with its error instead. `size` tells a file's bytes before it is read.
    """

    def work(name: str) -> tuple[str, Prepared | Exception]:
        try:
            if allowance:
                allowance.check_pixels()
            with decoders().holding(size(name)):
                return name, decoders().prepared(
                    read(name),
                    resize=backbone.resize,
                    side=backbone.side,
                    max_pixels=max_pixels,
                    allowance=allowance,
                )
        except (MemberError, UnreadableImage) as error:
            return name, error

    with ThreadPoolExecutor(threads, thread_name_prefix="decode") as pool:
        try:
            yield from in_order(pool, work, names, _AHEAD)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def extract_pictures(
    prepared: Iterator[tuple[str, Prepared | Exception]],
    extract: Callable[[Iterable[RGB]], Features],
    on_file: Callable[[int], object] = lambda count: None,
    allowance: Allowance | None = None,
    most: int = CAPACITY,
    begun: tuple[bytes, int] = (b"", 0),
) -> Pictures:
    """Take prepared files until so many of them, 1000 at most, were pictures, or there are no more.

    `on_file` is told the number of pictures after each file. The iterator can be gathered from again. `begun` is a
    tilemap to go on with, and how many tiles it has.
    """
    page, first = Tilemap(begun[0]), begun[1]
    names: list[str] = []
    facts: list[ImageStats] = []
    skipped: list[Skipped] = []
    ignored: list[str] = []
    taken = 0
    over_limit = False

    def crops() -> Iterator[RGB]:
        nonlocal taken, over_limit
        for name, outcome in prepared:
            taken += 1
            if allowance:
                outcome = allowance.judged(outcome)
            if isinstance(outcome, NotAnImage) and not named_as_picture(name):
                ignored.append(name)
            elif isinstance(outcome, Exception):
                skipped.append(Skipped(name=name, reason=str(outcome), kind=_kind(outcome)))
                over_limit |= isinstance(outcome, OverLimit)
            else:
                page.put(first + len(names), outcome.tile)
                names.append(name)
                facts.append(outcome.facts)
                yield outcome.crop
            on_file(len(names))
            if len(names) == most:
                return

    features = extract(crops())
    return Pictures(
        features=features,
        tilemap=page.jpeg(),
        names=names,
        facts=facts,
        skipped=skipped,
        ignored=ignored,
        over_limit=over_limit,
        taken=taken,
    )


def _kind(error: Exception) -> str:
    if isinstance(error, OverLimit | OversizedImage):
        return "too_large"
    return "truncated" if isinstance(error, TruncatedImage) else "unreadable"
