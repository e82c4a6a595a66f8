"""Descriptions of calls → the OpenAPI document.

drf-spectacular walks through the routes and asks each view's schema, which is `Described` for all of them. A route
without a description is an error of `manage.py spectacular --fail-on-warn`, which `make lint` runs.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import orjson
from drf_spectacular.drainage import error
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema

from datasets.http.schema import COMPONENTS, HEADERS, Json

from . import calls


class Described(AutoSchema):
    """What a view's description says, instead of what could be guessed from its code."""

    def get_operation(self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any) -> Json | None:
        call = calls().get(type(self.view), {}).get(method)
        if isinstance(call, Mapping):
            call = call.get(path)
        if call is None:
            error(f"{type(self.view).__name__}, {method} {path}, is not described in datasets/described.")
            return None
        return call.told()


def add_components(result: Json, **context: Any) -> Json:
    """drf-spectacular's hook for what it does not know: the named schemas and headers."""
    components = result.setdefault("components", {})
    components["schemas"] = dict(sorted(COMPONENTS.items()))
    components["headers"] = HEADERS
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
