"""Further layouts of a collection."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from datasets.collection import layouts, point_tiles
from datasets.collection.base import Collection
from datasets.collection.folder import CollectionFolder
from datasets.collection.layouts import LayoutCard
from datasets.errors import NotFound
from embeddings.layouts import GRID, METHODS, Method, Problem, Values
from embeddings.layouts import compute as lay_out
from embeddings.vector_files import Vectors
from embeddings.versions import versions

from .targets import target_of

if TYPE_CHECKING:
    from .kinds import Report


def is_ready(folder: CollectionFolder, name: str) -> bool:
    return layouts.card_of(folder, name) is not None


def compute(found: Collection, name: str, parameters: dict[str, Any], report: "Report") -> None:
    """`parameters` has the `kind` and its checked `parameters`."""
    method, values = requested(parameters)
    started = time.perf_counter()
    report.stage(method.name)
    if method is GRID:
        problem = Problem(coordinates=base_of(found, str(values["layout"])), progress=report.progress)
        places = method.lay_out(problem, values)
    else:
        places = lay_out(found.blocks(), method, values, report.progress, target_of(found, values))
    report.stage("storing")
    card = LayoutCard(
        name=name,
        kind=method.name,
        parameters=values,
        dimensions=places.shape[1],
        seconds=round(time.perf_counter() - started, 3),
        versions=versions(),
        created=time.time(),
    )
    if point_tiles.are_wanted(found.total):
        colours = point_tiles.colours_of(found.total, found.tilemap)
        point_tiles.build(found.folder, name, places, colours)
    layouts.store(found.folder, card, places)


def needs_features(parameters: Mapping[str, Any]) -> bool:
    """A grid is made of another layout."""
    return METHODS[parameters["kind"]] is not GRID


def requested(parameters: Mapping[str, Any]) -> tuple[Method, Values]:
    """The method that a row asks for, and its parameters in their order, which PostgreSQL does not keep."""
    method, values = METHODS[parameters["kind"]], parameters["parameters"]
    return method, {each.name: values[each.name] for each in method.parameters if each.name in values}


def base_of(found: Collection, name: str) -> Vectors:
    """The places of a layout that is ready. Raises `NotFound`."""
    try:
        return layouts.places(found.folder, name)
    except FileNotFoundError:
        raise unknown(name) from None


def unknown(name: str) -> NotFound:
    return NotFound(f"There is no layout “{name[:80]}” of these pictures.", code="layout-unknown", name=name[:80])
