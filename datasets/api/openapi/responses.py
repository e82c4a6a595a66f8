"""Answers of calls, for `responses=` of `extend_schema`: status → `Reply`, or the sentence of an error."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiRequest, OpenApiResponse
from rest_framework.serializers import Serializer

from datasets.api.http.exception_handler import problem
from datasets.api.serializers.problem import ProblemSerializer
from datasets.collection.content_coding import CODINGS

Json = dict[str, Any]
Shape = type[Serializer[Any]] | Json
"""A serializer, or a JSON schema."""

JSON = "application/json"
BINARY: Json = {"type": "string", "format": "binary"}
"""What is no text: pictures, arrays, archives."""
TEXT: Json = {"type": "string"}

HEADERS: dict[str, Json] = {
    "Access-Control-Allow-Origin": {"description": "`*`, or as CORS_ORIGINS says.", "schema": TEXT},
    "Accept-Ranges": {"description": "`Range` works.", "required": True, "schema": {"const": "bytes"}},
    "Allow": {"description": "The methods that there are.", "required": True, "schema": TEXT},
    "Cache-Control": {"description": "How long the answer holds.", "required": True, "schema": TEXT},
    "Content-Disposition": {"description": "A name for the file.", "schema": TEXT},
    "Content-Encoding": {
        "description": "As `Accept-Encoding` asks; there where it is compressed.",
        "schema": {"type": "string", "enum": list(CODINGS)},
    },
    "Content-Range": {
        "description": "Which bytes of how many.",
        "required": True,
        "schema": {"type": "string", "pattern": "^bytes "},
    },
    "ETag": {
        "description": "Names what came: send it back in `If-None-Match`, or in `If-Match`.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[^"]+"$'},
    },
    "Link": {
        "description": "Where more is told: of an upload without one readable picture, what became of each file.",
        "schema": {"type": "string", "pattern": '^<[^>]+>; rel="describedby"$'},
    },
    "Location": {
        "description": "Where the dataset, or the upload that comes in parts, is told of.",
        "required": True,
        "schema": {"type": "string", "pattern": "^/"},
    },
    "Preference-Applied": {"description": "RFC 7240.", "required": True, "schema": {"const": "respond-async"}},
    "Retry-After": {
        "description": "Seconds after which to ask again.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "Server-Timing": {
        "description": 'Milliseconds here, and in the database: `total;dur=1.2, db;dur=0.3;desc="2 queries"`.',
        "required": True,
        "schema": TEXT,
    },
    "Tus-Resumable": {"description": "The protocol's version.", "required": True, "schema": {"const": "1.0.0"}},
    "Upload-Expires": {
        "description": "When an unfinished upload is deleted, if nothing comes before.",
        "required": True,
        "schema": TEXT,
    },
    "Upload-Offset": {
        "description": "How many bytes the server has.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "Vary": {"description": "What else in the request decides what comes.", "schema": TEXT},
    "WWW-Authenticate": {"description": "`Bearer`.", "required": True, "schema": TEXT},
    "X-Dtype": {
        "description": "Of the numbers, as NumPy writes it; not with JSON.",
        "schema": {"enum": ["<f4", "<u2"]},
    },
    "X-Shape": {
        "description": "Rows and columns; not with JSON.",
        "schema": {"type": "string", "pattern": "^[0-9]+,[0-9]+$"},
        "example": "300,3",
    },
}
"""Those that are `required` are there wherever they are named."""
EVERYWHERE = ("Access-Control-Allow-Origin", "Server-Timing")

SENTENCES = {
    400: "The request cannot be understood.",
    401: "This server asks for a token: send “Authorization: Bearer …”.",
    404: "There is no such thing.",
    409: "The dataset was deleted while it was being computed.",
    412: "What you have a part of is not here any more.",
    413: "The upload is over a limit.",
    415: "The upload is no multipart form.",
    416: "There are no such bytes.",
    423: "Another request works on it.",
    429: "Too many requests, or too many uploads waiting.",
    500: "The server or its worker failed; sending it again is safe.",
    503: "Server is busy, please wait",
    507: "The server's disk is full.",
}
_ERROR_HEADERS: dict[int, Sequence[str]] = {
    401: ["WWW-Authenticate"],
    416: ["Content-Range"],
    423: ["Retry-After"],
    429: ["Retry-After"],
    503: ["Retry-After"],
}


NO_DATASET = "There is no dataset of this id."
NO_RANGE = "There is no range 007: the last one is 001."


class Reply(OpenApiResponse):
    """drf-spectacular's, with a shape and an example for each media type, and headers by name (`HEADERS`)."""

    def __init__(
        self,
        description: str,
        content: Shape | dict[str, Shape] | None = None,
        example: Any = None,
        headers: Sequence[str] = (),
    ) -> None:
        """`content` and `example` are of JSON, or by media type."""
        super().__init__(description=description)
        if not isinstance(content, dict) or not all("/" in key for key in content):
            content = {} if content is None else {JSON: content}
            example = {} if example is None else {JSON: example}
        self.content: dict[str, Shape] = content
        self.example_of: dict[str, Any] = example or {}
        self.headers = headers


def error(status: int, sentence: str, *headers: str) -> Reply:
    """An error of a kind that its status tells, as an example."""
    headers = (*headers, *_ERROR_HEADERS.get(status, ()), "Cache-Control")
    return Reply(sentence, ProblemSerializer, problem(sentence, status), headers)


def errors(*statuses: int) -> dict[int, str]:
    """Those of which no more is to be said than of all."""
    return {status: SENTENCES[status] for status in statuses}


COMPRESSED = ("Vary", "Content-Encoding")
"""Headers of what comes compressed, if a client likes it so."""


def sent(
    description: str, content: Shape | dict[str, Shape], example: Any = None, headers: Sequence[str] = COMPRESSED
) -> dict[int, Reply | str]:
    """The answers of `http.responses.send`: all of it, a part, nothing new, or a condition that does not hold."""
    headers = ("ETag", "Cache-Control", "Accept-Ranges", *headers)
    return {
        200: Reply(description, content, example, headers),
        # Without a shape: a part of JSON is no JSON.
        206: Reply("The bytes that `Range` asks for.", headers=[*headers, "Content-Range"]),
        304: Reply("What the client has still holds.", headers=("ETag", "Cache-Control")),
        **errors(412, 416),
    }


class Body(OpenApiRequest):
    """What a client sends, with a description."""

    def __init__(self, media_type: str, content: Shape, description: str = "", example: Any = None) -> None:
        super().__init__({media_type: content})
        self.media_type, self.content, self.description, self.example = media_type, content, description, example


def form(description: str, media_type: str) -> Body:
    """A multipart form with one file."""
    file = {**BINARY, "contentMediaType": media_type}
    schema = {"type": "object", "properties": {"file": file}, "required": ["file"]}
    return Body("multipart/form-data", schema, description)
