"""Parameters of calls. Those behind the question mark are read and checked by what describes them."""

import re
from collections.abc import Iterable
from typing import Any, Literal

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from datasets.errors import ApiError

Json = dict[str, Any]

_DIGITS = re.compile("[0-9]{1,16}")
# Narrower than float(), which takes digits of all scripts, underscores and blanks.
_DECIMAL = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?")


class Parameter(OpenApiParameter):
    """drf-spectacular's, whose schema is given as it is, with an example."""

    def __init__(
        self,
        name: str,
        schema: Json,
        description: str,
        location: Literal["query", "path", "header"] = "query",
        *,
        example: Any = None,
        required: bool = False,
    ) -> None:
        super().__init__(name, schema, location, required=required or location == "path", description=description)
        self.example = example

    def as_json(self) -> Json:
        found = {
            "name": self.name,
            "in": self.location,
            "description": self.description,
            "required": self.required,
            "schema": self.type,
        }
        return found if self.example is None else {**found, "example": self.example}

    def _given(self, request: Request) -> str | None:
        return request.query_params.get(self.name)

    def _invalid(self, sentence: str) -> ApiError:
        return ApiError(sentence, code="parameter-invalid", name=self.name)


class IntegerParameter(Parameter):
    """A whole number between two bounds, both included."""

    def __init__(self, name: str, description: str, default: int | None = None, *, least: int = 0, most: int) -> None:
        schema: Json = {"type": "integer", "minimum": least, "maximum": most}
        super().__init__(name, schema if default is None else {**schema, "default": default}, description)
        self.default, self.least, self.most = default, least, most

    def read(self, request: Request, default: int = 0) -> int:
        """What the client says, or the default; the one given here where the parameter has none. Raises `ApiError`."""
        if (given := self._given(request)) is None:
            return default if self.default is None else int(self.default)
        if not _DIGITS.fullmatch(given) or not self.least <= int(given) <= self.most:
            between = f"from {self.least} to {self.most}"
            raise self._invalid(f"“{self.name}” is a whole number {between}, not “{given[:40]}”.")
        return int(given)


class ShareParameter(Parameter):
    """A number from 0 to 1."""

    def __init__(self, name: str, description: str, default: float) -> None:
        super().__init__(name, {"type": "number", "minimum": 0, "maximum": 1, "default": default}, description)
        self.default = default

    def read(self, request: Request) -> float:
        """Raises `ApiError`."""
        if (given := self._given(request)) is None:
            return float(self.default)
        if not _DECIMAL.fullmatch(given) or not 0 <= float(given) <= 1:
            raise self._invalid(f"“{self.name}” is a number from 0 to 1, not “{given[:40]}”.")
        return float(given)


class ChoiceParameter(Parameter):
    """One of the known words."""

    def __init__(self, name: str, choices: Iterable[str], description: str, default: str | None = None) -> None:
        self.choices = list(choices)
        schema: Json = {"type": "string", "enum": self.choices}
        super().__init__(name, schema if default is None else {**schema, "default": default}, description)
        self.default = default

    def read(self, request: Request, default: str = "") -> str:
        """What the client says, or the default; the one given here where the parameter has none. Raises `ApiError`."""
        if (given := self._given(request)) is None:
            return self.default or default
        if given not in self.choices:
            known = ", ".join(self.choices)
            raise self._invalid(f"There is no {self.name} “{given[:40]}”; known are {known}.")
        return given


class TextParameter(Parameter):
    """A text that must be there, and must not be blank."""

    def __init__(self, name: str, description: str, *, most: int, example: str) -> None:
        schema: Json = {"type": "string", "minLength": 1, "maxLength": most, "pattern": r"\S"}
        super().__init__(name, schema, description, example=example, required=True)
        self.most = most

    def read(self, request: Request) -> str:
        """Raises `ApiError`."""
        given = self._given(request) or ""
        if not re.search(r"\S", given) or len(given) > self.most or "\0" in given:
            raise self._invalid(f"“{self.name}” is a text of 1 to {self.most} characters that is not blank.")
        return given


def _path(name: str, pattern: str, description: str, example: str) -> Parameter:
    return Parameter(name, {"type": "string", "pattern": pattern}, description, "path", example=example)


def _range(name: str, description: str, digits: int = 9) -> Parameter:
    return _path(name, f"^[0-9]{{1,{digits}}}$", f"{description}, with or without zeros in front.", "000")


EXAMPLE_ID = "5d5a36a7b315098a3bcd4a77e53feacc"
ID_PATTERN = "^[0-9a-f]{32}$"
COLLECTION_PATTERN = "^([0-9a-f]{32}|[0-9a-f]{16}(-2)?)$"
"""Of a dataset's id, or a catalogue's."""
ID: Json = {"type": "string", "pattern": ID_PATTERN}
REDUCERS: Json = {"type": "string", "enum": ["pca", "umap"]}

PATH_PARAMETERS = {
    "dataset_id": _path("identity", ID_PATTERN, "The dataset's id, as its upload was answered.", EXAMPLE_ID),
    "upload_id": _path("identity", ID_PATTERN, "The upload's id, as `Location` told it.", EXAMPLE_ID),
    "reducer": Parameter("reducer", REDUCERS, "How the three dimensions were found.", "path", example="umap"),
    "range_id": _range("identity", "A range"),
    "start": _range("start", "The first range"),
    "end": _range("end", "The last range"),
    "number": _range("number", "A range", 12),
    "layout": _path("layout", "^[a-z0-9-]{1,80}$", "A layout's name, as the list of layouts has it.", "umap"),
    "digest": _path(
        "digest", "^[0-9a-f]{16}$", "Of the tiles, as their index has it under `nodes`.", "9f86d081884c7d65"
    ),
    "index": _path("index", "^[0-9]{1,12}$", "Which picture: row k, tile k, name k.", "0"),
    "level": _path("level", "^[0-9]{1,9}$", "Which level of clusters; 1 is the coarsest.", "1"),
    "cluster": _path("id", "^[0-9]{1,9}$", "Which cluster of the level.", "1"),
    "name": Parameter("name", {"type": "string", "minLength": 1}, "A field's.", "path", example="kind"),
}
"""By their names in the routes."""

CONDITIONS = (
    Parameter("If-None-Match", {"type": "string"}, "An `ETag`; 304 while it holds.", "header"),
    Parameter("If-Match", {"type": "string"}, "An `ETag`; 412 where it does not hold.", "header"),
)
"""What `http.responses.send` and `stream` heed."""

RANGES = (
    Parameter("Range", {"type": "string"}, "One range of bytes, `bytes=0-999`.", "header"),
    Parameter("If-Range", {"type": "string"}, "An `ETag`; else all bytes.", "header"),
)
"""What `http.responses.send` heeds beside them."""
