"""`extend_schema` beside the views → operations; and what drf-spectacular cannot know of all of them."""

import inspect
import re
from functools import cache
from typing import Any

import orjson
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema

from datasets.api.http.exception_handler import problem

from .parameters import CONDITIONS, PATH_PARAMETERS, RANGES, Json
from .responses import EVERYWHERE, HEADERS, NO_DATASET, NO_RANGE, Body, Reply, Shape, error, errors

_VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")
_ONLY_OF_UPLOADS = {409, 410}
"""Errors that a call has for an upload, and not for the catalogue; but for layouts, which are made of both."""
_MISSING = {"catalogue": "No catalogue is installed.", "tilemaps": NO_RANGE}
"""First part of a path → what is said instead of `NO_DATASET`."""


class CallSchema(AutoSchema):
    """drf-spectacular's, where headers, conditions and the errors of all calls need not be named at each.

    The first paragraph of a docstring is the summary, the others are the description.
    """

    def get_operation(self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any) -> Json | None:
        operation = super().get_operation(path, path_regex, path_prefix, method, registry)
        if operation is not None:
            collection = "dataset" if path.startswith("/dataset") else "catalogue"
            operation["operationId"] = operation["operationId"].format(collection=collection)
            # Without a token, or with one: the settings decide which calls ask for it.
            operation["security"] = [{}, {"token": []}] if self._takes_token() else []
        return operation

    def get_summary(self) -> str:
        return self._paragraphs()[0].removesuffix(".")

    def get_description(self) -> str:  # type: ignore[override]
        return "\n\n".join(self._paragraphs()[1:])

    def get_auth(self) -> list[Json]:
        return []

    def _takes_token(self) -> bool:
        return bool(self.view.get_authenticators())

    def _paragraphs(self) -> list[str]:
        text = inspect.getdoc(getattr(self.view, self.method.lower())) or inspect.getdoc(type(self.view)) or ""
        return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]

    def _get_parameters(self) -> list[Json]:
        of_path = [PATH_PARAMETERS[name] for name in _VARIABLE.findall(self.path_regex)]
        replies = self._replies()
        conditions = [
            *(CONDITIONS if 304 in replies else ()),
            *(RANGES if 206 in replies else ()),
        ]
        return [found.as_json() for found in (*of_path, *self.get_override_parameters(), *conditions)]

    def _get_request_body(self, direction: str = "request") -> Json | None:
        body = self.get_request_serializer() if self.method in {"POST", "PUT", "PATCH"} else None
        if not isinstance(body, Body):
            return None
        content = {"schema": self._schema_of(body.content)}
        content |= {} if body.example is None else {"example": body.example}
        described = {"description": body.description} if body.description else {}
        return {"required": True, **described, "content": {body.media_type: content}}

    def _get_response_bodies(self, direction: str = "response") -> Json:
        replies = {**(errors(401, 429) if self._takes_token() else {}), **self._replies()}
        collection = self.path.split("/")[1]
        if collection == "catalogue" and self.method == "GET" and "/layouts" not in self.path:
            replies = {status: reply for status, reply in replies.items() if status not in _ONLY_OF_UPLOADS}
        if replies.get(404) == NO_DATASET:
            replies[404] = _MISSING.get(collection, NO_DATASET)
        return {str(status): self._response(status, replies[status]) for status in sorted(replies)}

    def _replies(self) -> dict[int, Reply | str]:
        """Those that `extend_schema` has."""
        replies: Any = self.get_response_serializers()
        return dict(replies) if isinstance(replies, dict) else {}

    def _response(self, status: int, reply: Reply | str) -> Json:
        reply = error(status, reply) if isinstance(reply, str) else reply
        headers = {name: {"$ref": f"#/components/headers/{name}"} for name in (*reply.headers, *EVERYWHERE)}
        content = {
            media_type: {"schema": self._schema_of(shape)}
            | ({"example": reply.example_of[media_type]} if media_type in reply.example_of else {})
            for media_type, shape in reply.content.items()
        }
        return {"description": reply.description, "headers": headers} | ({"content": content} if content else {})

    def _schema_of(self, shape: Shape) -> Json:
        if isinstance(shape, dict):
            return shape
        found: Json = self.resolve_serializer(shape, "response").ref
        return found

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Json:
        """Without what drf-spectacular's own hooks are for, and without a width of numbers, which JSON has none of."""
        schema: Json = super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        return {key: value for key, value in schema.items() if key != "x-spec-enum-id" and value != "double"}

    def _map_serializer(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> Json:
        """An object of its properties and no others; none is asked for by some and answered by others."""
        schema: Json = super()._map_serializer(serializer, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        for of_property in schema.get("properties", {}).values():
            of_property.pop("readOnly", None)
        return {**schema, "additionalProperties": False}


def rename_path_parameters(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """drf-spectacular's hook: the names that clients have for variables of the routes."""
    renamed = {f"{{{name}}}": f"{{{found.name}}}" for name, found in PATH_PARAMETERS.items()}

    def rename(path: str) -> str:
        return re.sub(r"\{\w+\}", lambda match: renamed[match[0]], path)

    return [(rename(path), path_regex, method, view) for path, path_regex, method, view in endpoints]


def add_components(result: Json, **context: Any) -> Json:
    """drf-spectacular's hook for components that it does not know: headers, and how a token is sent."""
    components = result.setdefault("components", {})
    components["headers"] = HEADERS
    components["schemas"]["Problem"]["examples"] = [problem(NO_RANGE, 404, "range-unknown")]
    components["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "Where the server asks for one: its administrator gives them out, in the admin.",
        }
    }
    return result


@cache
def document() -> bytes:
    """The whole document as JSON; the same for every client."""
    generator: Any = SchemaGenerator  # without annotations
    return orjson.dumps(generator().get_schema(request=None, public=True), option=orjson.OPT_INDENT_2)


@cache
def document_as_yaml() -> bytes:
    import yaml

    return yaml.safe_dump(orjson.loads(document()), sort_keys=False, allow_unicode=True, width=120).encode()
