"""Which pictures a client asks for: by their metadata, and by a part of their names."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rest_framework.request import Request

from datasets.api.openapi import TEXT, Parameter

SEARCH = Parameter("search", TEXT, "Only pictures whose names contain this text, in upper case or lower.")
PARAMETERS = (
    SEARCH,
    Parameter(
        "filters",
        {"type": "object", "additionalProperties": TEXT},
        "Any field of the metadata is a parameter: `kind=wild`, `Smiling=1`, `age=3`, `age=3..9`, `age=3..`. One that "
        "is there twice may have either value; different ones must all hold. `field.` may stand before a field's name, "
        "and must where the call has a parameter of that name: `field.limit=5`.",
    ),
)
PREFIX = "field."
"""May stand before any field's name, and must where a parameter of the call is called the same."""


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Conditions on each picture."""

    fields: Mapping[str, Sequence[str]]
    """Field → the values that it may have."""
    search: str
    """What its name contains; empty for any name."""

    @property
    def key(self) -> str:
        """Tells one set of conditions from another."""
        conditions = (self.search, sorted((name, sorted(values)) for name, values in self.fields.items()))
        return hashlib.sha256(repr(conditions).encode()).hexdigest()[:16]


def read(request: Request, *parameters: str) -> Filter:
    """All that stands behind the question mark is a field, but for `search` and the call's own parameters."""
    fields: dict[str, list[str]] = {}
    for name, values in request.query_params.lists():
        if name != SEARCH.name and name not in parameters:
            fields.setdefault(name.removeprefix(PREFIX), []).extend(values)
    return Filter(fields=fields, search=request.query_params.get(SEARCH.name, ""))
