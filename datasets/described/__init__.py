"""What each call takes and answers, for the OpenAPI document: a module for each module of views."""

from functools import cache

from datasets.http.schema import Call

from . import contract, interface, management

MODULES = (contract, management, interface)
"""New modules of calls are named here, and nowhere else."""


@cache
def calls() -> dict[type, dict[str, Call]]:
    """View → method → its description."""
    found: dict[type, dict[str, Call]] = {}
    for module in MODULES:
        for view, described in module.CALLS.items():
            found.setdefault(view, {}).update(described)
    return found
