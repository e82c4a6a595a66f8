"""Picture files → features, tiles and names in one order; each file read and decoded once, while the network runs."""

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from embeddings.backbones import Backbone
from embeddings.features import Features
from embeddings.images import RGB, NotAnImage, UnreadableImage, crop, decode, in_order

from .archive import MemberError, OverLimit, Skipped, named_as_picture
from .tilemap import CAPACITY, Tile, Tilemap, tile

# Decoding lets go of the interpreter, and the network needs every core: as many threads as cores keep it fed.
_DECODERS = os.cpu_count() or 2
_AHEAD = 64

Prepared = tuple[Tile, RGB]
"""A picture's tile, and the crop that the network sees."""


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """What files came to: row k of the features, tile k and name k are the same picture."""

    features: Features
    """`(n, d) float32`, n ≤ 1000"""
    tilemap: bytes
    """JPEG."""
    names: list[str]
    skipped: list[Skipped]
    passed_over: int
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
            rgb = decode(read(name), min_side=backbone.resize, max_pixels=max_pixels)
            return name, (tile(rgb), crop(rgb, resize=backbone.resize, side=backbone.side))
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
    skipped: list[Skipped] = []
    passed_over = taken = 0
    over_limit = False

    def crops() -> Iterator[RGB]:
        nonlocal passed_over, taken, over_limit
        for name, outcome in prepared:
            taken += 1
            if isinstance(outcome, NotAnImage) and not named_as_picture(name):
                passed_over += 1
            elif isinstance(outcome, Exception):
                skipped.append(Skipped(name=name, reason=str(outcome)))
                over_limit |= isinstance(outcome, OverLimit)
            else:
                picture, pixels = outcome
                sheet.put(len(names), picture)
                names.append(name)
                on_picture(len(names))
                yield pixels
                if len(names) == CAPACITY:
                    return

    features = extract(crops())
    return Pictures(
        features=features,
        tilemap=sheet.jpeg(),
        names=names,
        skipped=skipped,
        passed_over=passed_over,
        over_limit=over_limit,
        taken=taken,
    )
