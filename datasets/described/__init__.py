"""What each call takes and answers, for the OpenAPI document: a module for each module of views."""

from functools import cache

from datasets.http.schema import Calls

from . import contract, exports, interface, management, pictures, search, vectors

MODULES = (contract, management, pictures, search, vectors, exports, interface)
"""New modules of calls are named here, and nowhere else."""


@cache
def calls() -> dict[type, Calls]:
    """View → method → its description."""
    found: dict[type, Calls] = {}
    for module in MODULES:
        for view, described in module.CALLS.items():
            found.setdefault(view, {}).update(described)
    return found
