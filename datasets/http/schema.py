"""The words in which calls are described. Loaded when the OpenAPI document is asked for, and not before.

A call is described by a `Call` in a module of `datasets/described/`, under its view and method:

    CALLS = {pictures.Thumbnail: {"GET": Call(summary=…, answers={200: Reply(…), **refusals(400, 404)})}}

or, where one view answers under several paths, under each of them: `{"GET": of_both("images", Call(…))}`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from .codings import CODINGS

Json = dict[str, Any]

JSON = "application/json"
JPEG = "image/jpeg"
BINARY: Json = {"type": "string", "format": "binary"}
"""What is no text: pictures, arrays, archives."""
TEXT: Json = {"type": "string"}
NUMBER: Json = {"type": "number"}
COUNT: Json = {"type": "integer", "minimum": 0}


def ref(name: str) -> Json:
    """A schema of `COMPONENTS`."""
    return {"$ref": f"#/components/schemas/{name}"}


def obj(properties: Mapping[str, Json], *, optional: Sequence[str] = ()) -> Json:
    """An object of these properties and no others."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": dict(properties), "required": required, "additionalProperties": False}


def array(items: Json, **more: Any) -> Json:
    return {"type": "array", "items": items, **more}


def nullable(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]} if "$ref" in schema else {**schema, "type": [schema["type"], "null"]}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What a client may say beside the body."""

    name: str
    schema: Json
    description: str
    place: str = "query"
    """`path`, `query` or `header`."""
    example: Any = None

    def told(self) -> Json:
        found = {
            "name": self.name,
            "in": self.place,
            "description": self.description,
            "required": self.place == "path",
            "schema": self.schema,
        }
        return found if self.example is None else {**found, "example": self.example}


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One of the answers of a call."""

    description: str
    content: Mapping[str, Json] = field(default_factory=dict)
    """Media type → schema; empty where there is no body."""
    examples: Mapping[str, Any] = field(default_factory=dict)
    """Media type → example."""
    headers: Sequence[str] = ()
    """Names of `HEADERS`, beside those that every answer carries."""

    def told(self) -> Json:
        content = {
            media: {"schema": schema} | ({"example": self.examples[media]} if media in self.examples else {})
            for media, schema in self.content.items()
        }
        headers = {name: {"$ref": f"#/components/headers/{name}"} for name in [*self.headers, *ALWAYS]}
        found: Json = {"description": self.description, "headers": headers}
        return {**found, "content": content} if content else found


@dataclass(frozen=True, kw_only=True)
class Call:
    """What a call is for, what it takes and what it answers."""

    name: str
    """`operationId`: the function's name in generated clients."""
    summary: str
    description: str = ""
    tag: str
    parameters: Sequence[Parameter] = ()
    body: Json | None = None
    """The `requestBody`."""
    answers: Mapping[int, Reply]
    is_open: bool = False
    """Whether it never takes a token, whatever the settings say."""

    def told(self) -> Json:
        found: Json = {"operationId": self.name, "summary": self.summary, "tags": [self.tag]}
        if self.description:
            found["description"] = self.description
        if self.parameters:
            found["parameters"] = [parameter.told() for parameter in self.parameters]
        if self.body is not None:
            found["requestBody"] = self.body
        # Without a token, or with one: the settings decide which calls ask for it.
        found["security"] = [] if self.is_open else [{}, {"token": []}]
        found["responses"] = {str(status): self.answers[status].told() for status in sorted(self.answers)}
        return found


Calls = dict[str, Call | Mapping[str, Call]]
"""Method → its call; or, where a view has several paths, path → the call."""


def of_both(route: str, call: Call, *, of_upload: Mapping[int, Reply] | None = None) -> dict[str, Call]:
    """The same call for uploads and for the catalogue, by path. `call.name` is what both their names end with;
    `of_upload` are answers that an upload alone has."""
    upload = replace(
        call,
        name=f"get_dataset_{call.name}",
        parameters=[IDENTITY, *call.parameters],
        answers={**call.answers, **(of_upload or {})},
    )
    catalogue = replace(call, name=f"get_catalogue_{call.name}")
    return {f"/dataset/{{identity}}/{route}": upload, f"/catalogue/{route}": catalogue}


def multipart(description: str, **fields: Json) -> Json:
    """A body that is a form with files."""
    schema = {"type": "object", "properties": fields, "required": list(fields)}
    return {"required": True, "description": description, "content": {"multipart/form-data": {"schema": schema}}}


def refusals(*statuses: int, **sentences: str) -> dict[int, Reply]:
    """The errors that a call may answer with. `_404="…"` gives one another description."""
    return {status: _refusal(status, sentences.get(f"_{status}")) for status in statuses}


def _refusal(status: int, sentence: str | None) -> Reply:
    title = HTTPStatus(status).phrase
    told = sentence or _SENTENCES.get(status, title)
    example = {"error": told, "type": "about:blank", "title": title, "status": status, "detail": told}
    return Reply(
        description=told,
        content={JSON: ref("Problem")},
        examples={JSON: example},
        headers=[*_HEADERS_OF.get(status, ()), "Cache-Control"],
    )


_SENTENCES = {
    400: "The request cannot be understood.",
    401: "This server asks for a token: send “Authorization: Bearer …”.",
    404: "There is no such thing.",
    405: "The call does not have this method.",
    409: "The dataset was deleted while it was being computed.",
    410: "The file was not kept.",
    412: "What you have a part of is not here any more.",
    413: "The upload is over a limit.",
    415: "The upload is no multipart form.",
    416: "There are no such bytes.",
    429: "Too many requests, or too many uploads waiting.",
    500: "The server or its worker failed; sending it again is safe.",
    503: "Server is busy, please wait",
    507: "The server's disk is full.",
}
_HEADERS_OF: dict[int, Sequence[str]] = {
    401: ["WWW-Authenticate"],
    405: ["Allow"],
    416: ["Content-Range"],
    429: ["Retry-After"],
    503: ["Retry-After"],
}

ANY = refusals(401, 429)
"""Errors of every call: the settings may ask for a token, and hold clients back."""

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
        "description": "Names these very bytes: send it back in `If-None-Match`.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[^"]+"$'},
    },
    "Link": {
        "description": "Where more is told: of an upload without one readable picture, what became of each file.",
        "schema": {"type": "string", "pattern": '^<[^>]+>; rel="describedby"$'},
    },
    "Location": {
        "description": "Where the dataset is told of.",
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
    "Vary": {"description": "What else in the request decides what comes.", "schema": TEXT},
    "WWW-Authenticate": {"description": "`Bearer`.", "required": True, "schema": TEXT},
    "X-Dtype": {"description": "Of the numbers, as NumPy writes it; not with JSON.", "schema": {"const": "<f4"}},
    "X-Shape": {
        "description": "Rows and columns; not with JSON.",
        "schema": {"type": "string", "pattern": "^[0-9]+,[0-9]+$"},
        "example": "300,3",
    },
}
"""Those that are `required` are there wherever they are named."""
ALWAYS = ("Access-Control-Allow-Origin", "Server-Timing")

ID: Json = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
EXAMPLE_ID = "5d5a36a7b315098a3bcd4a77e53feacc"
IDENTITY = Parameter(
    name="identity",
    place="path",
    schema=ID,
    description="The dataset's id, as its upload was answered.",
    example=EXAMPLE_ID,
)
REDUCER = Parameter(
    name="reducer",
    place="path",
    schema={"type": "string", "enum": ["pca", "umap"]},
    description="How the three dimensions were found.",
    example="umap",
)

# What `answers.send` knows.
CONDITIONS = (
    Parameter(name="If-None-Match", place="header", schema=TEXT, description="An `ETag`; 304 while it holds."),
    Parameter(name="If-Match", place="header", schema=TEXT, description="An `ETag`; 412 where it does not hold."),
    Parameter(name="Range", place="header", schema=TEXT, description="One range of bytes, `bytes=0-999`."),
    Parameter(name="If-Range", place="header", schema=TEXT, description="An `ETag`; all bytes where it does not hold."),
)


def sent(description: str, media: str, schema: Json, example: Any = None) -> dict[int, Reply]:
    """The answers of `answers.send`: all of it, a part, nothing new, or a condition that does not hold."""
    headers = () if media == JPEG else COMPRESSED
    return sent_as(description, {media: schema}, {} if example is None else {media: example}, headers=headers)


COMPRESSED = ("Vary", "Content-Encoding")
"""Headers of what comes compressed, if a client likes it so."""


def sent_as(
    description: str,
    content: Mapping[str, Json],
    examples: Mapping[str, Any] | None = None,
    *,
    headers: Sequence[str] = (),
) -> dict[int, Reply]:
    """The same in one of several media types, with headers that it has beside those of all."""
    all_headers = ("ETag", "Cache-Control", "Accept-Ranges", *headers)
    return {
        200: Reply(description=description, content=content, examples=examples or {}, headers=all_headers),
        # No schema: a part of JSON is no JSON.
        206: Reply(description="The bytes that `Range` asks for.", headers=[*all_headers, "Content-Range"]),
        304: Reply(description="What the client has still holds.", headers=("ETag", "Cache-Control")),
        **refusals(412, 416),
    }


_EXAMPLE_SENTENCE = "There is no range 007: the last one is 001."
_INDICES: Json = array(COUNT, description="Which pictures the rows are, where not all are there.")
_VECTOR: Json = array(NUMBER, minItems=3, maxItems=3)

COMPONENTS: dict[str, Json] = {
    "Problem": {
        "description": "Every error: a sentence, and what RFC 9457 calls a problem.",
        **obj(
            {
                "error": {"type": "string", "description": "A sentence for people."},
                "type": {"const": "about:blank"},
                "title": {"type": "string", "description": "The status, in words."},
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": {"type": "string", "description": "The sentence again."},
            }
        ),
        "examples": [
            {
                "error": _EXAMPLE_SENTENCE,
                "type": "about:blank",
                "title": "Not Found",
                "status": 404,
                "detail": _EXAMPLE_SENTENCE,
            }
        ],
    },
    "Vectors": {
        "description": "Row k belongs to tile k.",
        **obj({"features": array(_VECTOR), "total": COUNT, "indices": _INDICES}, optional=["indices"]),
    },
    "CatalogueVectors": {
        "description": "Row k belongs to tile k of the tilemaps, one after the other.",
        **obj(
            {
                "features": array(_VECTOR),
                "tilemap_ids": array({"type": "string", "pattern": "^[0-9]{3,}$"}),
                "tilemaps": array(TEXT, description="The same list, with UMAP only."),
                "total": COUNT,
                "indices": _INDICES,
            },
            optional=["tilemaps", "indices"],
        ),
    },
}
"""Schemas by name; the modules of `datasets/described/` add theirs with `component`."""


def component(name: str, schema: Json) -> Json:
    """Give a schema a name, under which generated clients have a class."""
    COMPONENTS[name] = schema
    return ref(name)
