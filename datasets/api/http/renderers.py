"""Answers as JSON, made by orjson: float32 arrays straight from memory, each number in its shortest exact form."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from embeddings.vector_files import Vectors

_ROWS = 2**16
"""That are rendered at once: two megabytes of JSON, however many rows there are."""


def dumps(data: Any) -> bytes:
    return orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY)


def vectors(features: Vectors, facts: Mapping[str, Any]) -> Iterator[bytes]:
    """`(n, 3) float32` and what is to be said of them → `{"features": [[x, y, z], …], …facts}`, piece by piece."""
    yield b'{"features":['
    for start in range(0, len(features), _ROWS):
        yield b"," if start else b""
        yield dumps(features[start : start + _ROWS])[1:-1]
    yield b"]," + dumps(facts)[1:]


class OrjsonRenderer(BaseRenderer):
    """Plain data and contiguous NumPy arrays → JSON."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else dumps(data)


class FixedNegotiation(BaseContentNegotiation):
    """Answer in the view's own format whatever `Accept` says, as the old server did: no 406."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        content_type = request.content_type or ""
        return next((parser for parser in parsers if parser.media_type == content_type.split(";")[0].strip()), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type
