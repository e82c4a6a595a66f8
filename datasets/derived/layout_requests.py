"""Layouts of a collection as clients ask for them: all that are there or on their way, another one, one less."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from datasets.catalogue import sharing
from datasets.collection import layouts
from datasets.collection.base import Collection
from datasets.collection.layouts import LayoutCard
from datasets.errors import ApiError, Conflict
from datasets.models import DerivedResult, Status
from embeddings.layouts import GRID, METHODS, ParameterError, layout_name, method_of, validated
from embeddings.reducers import REDUCERS

from .layouts import base_of, unknown
from .requests import request, request_again
from .targets import resolved


@dataclass(frozen=True, kw_only=True)
class LayoutState:
    """A layout that is there (`card`), or that waits, is computed or failed (`row`); PCA and UMAP have neither."""

    name: str
    card: LayoutCard | None = None
    row: DerivedResult | None = None

    @property
    def is_pending(self) -> bool:
        return self.row is not None and self.row.status != Status.FAILED


def states(found: Collection) -> list[LayoutState]:
    """PCA and UMAP, then the others, the oldest first, then those that are on their way."""
    return [LayoutState(name=name) for name in REDUCERS] + list(_others(found))


def state(found: Collection, name: str) -> LayoutState:
    """Raises `NotFound`."""
    for is_last in (False, True):
        for each in states(found):
            if each.name == name:
                return each
        if not is_last:  # another host may just have computed it
            sharing.follow(settings.DATA_DIR)
    raise unknown(name)


def make(found: Collection, body: object) -> LayoutState:
    """The layout that a client wants, computed, queued or there already. Raises `ApiError`."""
    kind, values = _wanted(body)
    method = METHODS[kind]
    values, content = resolved(found, values)
    name = layout_name(method, values, content)
    if layouts.card_of(found.folder, name) is None:
        if method is GRID:
            base_of(found, str(values["layout"]))
        else:
            found.blocks()
        if found.total > method.most_rows:
            raise Conflict(
                f"“{kind}” takes at most {method.most_rows} pictures, of which these are {found.total}: "
                "choose another kind."
            )
        others = [each.name for each in _others(found)]
        if name not in others and len(others) >= settings.MAX_LAYOUTS:
            raise Conflict(
                f"There are {settings.MAX_LAYOUTS} further layouts of these pictures, and no more may: delete one.",
                code="layouts-full",
                limit=settings.MAX_LAYOUTS,
            )
        row = request(found, "layout", name, {"kind": kind, "parameters": values})
        if row is not None:
            return LayoutState(name=name, row=row)
    return state(found, name)


def measure(found: Collection, name: str) -> DerivedResult | None:
    """Have the quality of a layout measured, unless it has been: then None. Raises `ApiError` where that failed."""
    ready(found, name)
    found.blocks()
    return request_again(found, "quality", name)


def ready(found: Collection, name: str) -> LayoutState:
    """A layout whose places are there. Raises `NotFound`, `Conflict`."""
    known = state(found, name)
    if known.row is None:
        return known
    if not known.is_pending:
        raise Conflict(f"This layout could not be computed: {known.row.error}", code="layout-not-ready")
    error = Conflict("This layout is still being computed: ask again in a while.", code="layout-not-ready")
    error.retry_after = 2
    raise error


def remove(found: Collection, name: str) -> None:
    """Delete a layout, or end the work on it. Raises `NotFound`, `Conflict`."""
    if name in REDUCERS:
        raise Conflict(f"“{name}” belongs to the pictures and cannot be deleted; other layouts can.")
    state(found, name)
    # The process that computes it notices at its next step, and stores nothing.
    DerivedResult.objects.filter(collection=found.id, kind__in=["layout", "quality"], name=name).delete()
    with found.editing_layouts():
        layouts.remove(found.folder, name)


def _others(found: Collection) -> Iterator[LayoutState]:
    cards = layouts.cards(found.folder)
    yield from (LayoutState(name=card.name, card=card) for card in cards)
    there = {card.name for card in cards}
    for row in DerivedResult.objects.of(found.id, "layout"):
        if row.name not in there:
            yield LayoutState(name=row.name, row=row)


def _wanted(body: object) -> tuple[str, dict[str, Any]]:
    if not isinstance(body, dict) or "kind" not in body or body.keys() - {"kind", "parameters"}:
        known = ", ".join(METHODS)
        raise ApiError(
            f"Send an object with “kind”, one of {known}, and “parameters”, an object; nothing else.",
            code="parameter-invalid",
            name="kind",
        )
    try:
        method = method_of(METHODS, body["kind"])
        return method.name, validated(method, body.get("parameters", {}))
    except ParameterError as error:
        raise ApiError(str(error), code="parameter-invalid", name=error.name) from error
