"""Picture files → features, tiles and names in one order; each file read and decoded once, while the network runs."""

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from embeddings.backbones import Backbone
from embeddings.features import Features
from embeddings.images import (
    RGB,
    NotAnImage,
    OversizedImage,
    TruncatedImage,
    UnreadableImage,
    crop,
    decode_picture,
    in_order,
)

from .archive import MemberError, OverLimit, Skipped, named_as_picture
from .facts import Facts
from .tilemap import CAPACITY, Tile, Tilemap, tile

# Decoding lets go of the interpreter, and the network needs every core: as many threads as cores keep it fed.
_DECODERS = os.cpu_count() or 2
_AHEAD = 64


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """One picture, ready for all that comes."""

    tile: Tile
    crop: RGB
    """What the network sees."""
    facts: Facts


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """What files came to: row k of the features, tile k and name k are the same picture."""

    features: Features
    """`(n, d) float32`, n ≤ 1000"""
    tilemap: bytes
    """JPEG."""
    names: list[str]
    facts: list[Facts]
    skipped: list[Skipped]
    passed_over: list[str]
    """Files that are no pictures and do not claim to be."""
    over_limit: bool
    """Whether a limit was the reason to skip any of them."""
    taken: int
    """How many files were looked at."""


def prepare(
    names: Iterable[str], read: Callable[[str], bytes], backbone: Backbone, max_pixels: int
) -> Generator[tuple[str, Prepared | Exception], None, None]:
    """Read and decode files on several threads, ahead of whoever takes the results, in the order of `names`.

    A file that is no picture comes with its error instead.
    """

    def work(name: str) -> tuple[str, Prepared | Exception]:
        try:
            data = read(name)
            picture = decode_picture(data, min_side=backbone.resize, max_pixels=max_pixels)
            small = tile(picture.rgb)
            return name, Prepared(
                tile=small,
                crop=crop(picture.rgb, resize=backbone.resize, side=backbone.side),
                facts=Facts.of(data, picture, small),
            )
        except (MemberError, UnreadableImage) as error:
            return name, error

    with ThreadPoolExecutor(_DECODERS, thread_name_prefix="decode") as pool:
        yield from in_order(pool, work, names, _AHEAD)


def gather(
    prepared: Iterator[tuple[str, Prepared | Exception]],
    extract: Callable[[Iterable[RGB]], Features],
    on_picture: Callable[[int], object] = lambda count: None,
) -> Pictures:
    """Take prepared files until 1000 of them were pictures, or there are no more.

    `on_picture` is told the number of pictures after each one. The iterator can be gathered from again.
    """
    sheet = Tilemap()
    names: list[str] = []
    facts: list[Facts] = []
    skipped: list[Skipped] = []
    passed_over: list[str] = []
    taken = 0
    over_limit = False

    def crops() -> Iterator[RGB]:
        nonlocal taken, over_limit
        for name, outcome in prepared:
            taken += 1
            if isinstance(outcome, NotAnImage) and not named_as_picture(name):
                passed_over.append(name)
            elif isinstance(outcome, Exception):
                skipped.append(Skipped(name=name, reason=str(outcome), kind=_kind(outcome)))
                over_limit |= isinstance(outcome, OverLimit)
            else:
                sheet.put(len(names), outcome.tile)
                names.append(name)
                facts.append(outcome.facts)
                on_picture(len(names))
                yield outcome.crop
                if len(names) == CAPACITY:
                    return

    features = extract(crops())
    return Pictures(
        features=features,
        tilemap=sheet.jpeg(),
        names=names,
        facts=facts,
        skipped=skipped,
        passed_over=passed_over,
        over_limit=over_limit,
        taken=taken,
    )


def _kind(error: Exception) -> str:
    if isinstance(error, OverLimit | OversizedImage):
        return "too_large"
    return "truncated" if isinstance(error, TruncatedImage) else "unreadable"
