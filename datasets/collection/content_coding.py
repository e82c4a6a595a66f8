"""`Accept-Encoding` → the content coding of an answer; bytes, piece by piece → coded bytes."""

import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator

import brotli  # type: ignore[import-untyped]

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

IDENTITY = "identity"

_ITEM = re.compile(r"\s*([\w!#$%&'*+.^`|~-]+)\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?", re.ASCII)
_UNNAMED_IDENTITY = 0.0001
"""Always acceptable unless it is refused by name, and less welcome than all that a client names."""


def choose(accepted: str) -> str:
    """The coding that a client likes best, the first of `CODINGS` among equals. Never 406: at worst `IDENTITY`."""
    items = (_ITEM.fullmatch(item) for item in accepted.split(","))
    weights = {item[1].lower().removeprefix("x-"): float(item[2] or 1) for item in items if item}

    def weight(coding: str) -> float:
        return weights.get(coding, weights.get("*", _UNNAMED_IDENTITY if coding == IDENTITY else 0))

    best = max([*CODINGS, IDENTITY], key=weight)
    return best if weight(best) else IDENTITY


# The levels are the knees of the curve for these numbers, whose digits are mostly noise. 6.8 MB of them:
# zstd 1 takes 22 ms → 3.0 MB, 3 takes 70 ms → 3.1 MB; brotli 1 takes 61 ms → 3.1 MB, 4 takes 304 ms → 2.9 MB;
# gzip 1 takes 83 ms → 3.3 MB, 4 takes 127 ms → 3.1 MB, 6 takes 402 ms → 3.0 MB.


def _zstd(pieces: Iterable[bytes]) -> Iterator[bytes]:
    compressor = zstd.ZstdCompressor(level=1)
    for piece in pieces:
        yield compressor.compress(piece)
    yield compressor.flush()


def _brotli(pieces: Iterable[bytes]) -> Iterator[bytes]:
    compressor = brotli.Compressor(quality=1)
    for piece in pieces:
        yield compressor.process(piece)
    yield compressor.finish()


def _gzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(4, wbits=31)
    for piece in pieces:
        yield compressor.compress(piece)
    yield compressor.flush()


CODINGS: dict[str, Callable[[Iterable[bytes]], Iterator[bytes]]] = {"zstd": _zstd, "br": _brotli, "gzip": _gzip}
"""By the name that HTTP gives them, the best one first."""

VERSIONS = f"{zstd.zstd_version} {brotli.version} {zlib.ZLIB_RUNTIME_VERSION}"
"""Another version of a compressor may make other bytes."""
