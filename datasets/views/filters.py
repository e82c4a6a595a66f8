"""Which pictures a client asks for: by their metadata, and by a part of their names."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rest_framework.request import Request

PREFIX = "field."
"""May stand before any field's name, and must where a parameter of the call is called the same."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked of each picture."""

    fields: Mapping[str, Sequence[str]]
    """Field → the values that it may have."""
    search: str
    """What its name contains; empty for any name."""

    @property
    def key(self) -> str:
        """Tells one such question from another."""
        asked = (self.search, sorted((name, sorted(values)) for name, values in self.fields.items()))
        return hashlib.sha256(repr(asked).encode()).hexdigest()[:16]


def wanted(request: Request, *parameters: str) -> Wanted:
    """All that stands behind the question mark is a field, but for `search` and the call's own parameters."""
    fields: dict[str, list[str]] = {}
    for name, values in request.query_params.lists():
        if name != "search" and name not in parameters:
            fields.setdefault(name.removeprefix(PREFIX), []).extend(values)
    return Wanted(fields=fields, search=request.query_params.get("search", ""))
