"""The points of a layout as tiles, which a page loads by level of detail instead of all rows at once.

points/umap.json           what there is: the nodes of an octree, their boxes, how many points each has; written last
points/umap-<digest>.bin   the points of the nodes, one after the other, in the order of that list

One file and not one a node: 10⁷ points have 2,200 nodes. It never changes under its name, so that caches may keep it
for ever, and nodes that are wanted together lie together, so that one `Range` fetches several. A node of k points takes
`stride` · k bytes, filled up to a multiple of four, all little-endian: k `uint32` rows, k · 3 `uint16` coordinates (0
is the box's least, 65535 its greatest), and k · 3 `uint8` colours, red, green, blue, where `colours` is true.

They can be made anew from the layout at any time, so the manifest does not list them.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from datasets.tilemaps import ranges
from datasets.tilemaps.colours import GREY, Colours, mean_colours
from embeddings.cores import on_every_core
from embeddings.reducers import REDUCERS
from embeddings.vector_files import Vectors, check, replacing

from . import layouts
from .folder import CollectionFolder
from .point_octree import CAPACITY, Node, octree

FORMAT = 1
STEPS = 2**16 - 1
"""Of a coordinate in its box: it is at most half a step off."""
_STRIDE = 4 + 3 * 2
_STRIDE_WITH_COLOURS = _STRIDE + 3
_ENOUGH = 20_000
"""Distances that the cloud's radius is measured by, as the page does it."""
_WITHIN = 0.95
_AT_ONCE = 256
"""Tilemaps between two beginnings of threads."""

Index = dict[str, Any]
_Described = tuple[int, int, NDArray[np.float32]]
"""Of a node: its parent, how many points it has, its box."""


def build(folder: CollectionFolder, layout: str, places: Vectors, colours: Colours | None) -> Index:
    """Write the tiles of a layout, `(n, 2 or 3) float32`, in place of older ones; `colours` are `(n, 3)`, None where no
    pictures are at hand.

    Readers see the old ones or the new ones. Raises `BadVectors`.
    """
    if places.shape[1] == 2:
        places = np.column_stack([places, np.zeros(len(places), np.float32)])
    places = check(places, f"The layout {layout}")
    folder.points.mkdir(exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder.points, prefix=f".{layout}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            nodes, digest = _write(file, places, colours)
            file.flush()
            os.fsync(file.fileno())
        path = folder.point_nodes_path(layout, digest)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    index = _described(layout, places, nodes, digest, path.stat().st_size, has_colours=colours is not None)
    with replacing(folder.point_index_path(layout)) as file:
        file.write(json.dumps(index, separators=(",", ":")).encode())
    for older in folder.point_paths(layout)[1:]:
        if older != path:
            older.unlink(missing_ok=True)
    return index


def are_wanted(total: int) -> bool:
    """Whether collections of so many pictures have tiles without being asked."""
    return total >= int(settings.POINT_TILES_FROM)


def build_all(folder: CollectionFolder, tilemap: Callable[[int], Path]) -> Iterator[Index]:
    """Those of PCA, UMAP and all further layouts, one after the other. Raises `BadVectors`."""
    names = [name for name in REDUCERS if folder.layout_path(name).exists()]
    names += [card.name for card in layouts.cards(folder)]
    colours = colours_of(len(layouts.places(folder, names[0])), tilemap) if names else None
    for name in names:
        yield build(folder, name, layouts.places(folder, name), colours)


def colours_of(total: int, tilemap: Callable[[int], Path]) -> Colours | None:
    """`(total, 3)` of the pictures, grey where a tilemap is missing; None where all are."""
    found, some = np.full((total, 3), GREY, np.uint8), False

    def means(number: int) -> Colours | None:
        try:
            return mean_colours(tilemap(number).read_bytes())
        except (FileNotFoundError, ValueError):
            return None

    for first in range(0, ranges.count(total), _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, ranges.count(total)))
        for number, colours in zip(numbers, on_every_core(means, numbers), strict=True):
            if colours is not None:
                rows = found[number * ranges.SIZE : (number + 1) * ranges.SIZE]
                rows[:] = colours[: len(rows)]
                some = True
    return found if some else None


def read(folder: CollectionFolder, layout: str) -> Index | None:
    """What there is of a layout; None where it has no tiles, or those of another format."""
    try:
        index: Index = json.loads(folder.point_index_path(layout).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return index if index.get("format") == FORMAT else None


def names(folder: CollectionFolder) -> list[str]:
    """Of the layouts that have tiles: PCA, UMAP, then the others."""
    there = {path.stem for path in folder.points.glob("[!.]*.json")}
    return [*(name for name in REDUCERS if name in there), *sorted(there - REDUCERS.keys())]


def _write(file: BinaryIO, places: Vectors, colours: Colours | None) -> tuple[list[_Described], str]:
    """All nodes, without their rows, and the digest of the bytes."""
    digest = hashlib.sha256()
    nodes: list[_Described] = []
    for node in octree(places):
        for part in _packed(node, places, colours):
            file.write(part)
            digest.update(part)
        nodes.append((node.parent, len(node.rows), node.box))
    return nodes, digest.hexdigest()[:16]


def _packed(node: Node, places: Vectors, colours: Colours | None) -> Iterator[bytes]:
    rows = node.rows
    least, most = node.box.astype(np.float64)
    scale = np.divide(STEPS, most - least, out=np.zeros(3), where=most > least)
    parts = [rows.astype("<u4"), np.rint((places[rows] - least) * scale).astype("<u2")]
    if colours is not None:
        parts.append(colours[rows])
    yield from (part.tobytes() for part in parts)
    yield bytes(-sum(part.nbytes for part in parts) % 4)


def _described(
    layout: str, places: Vectors, nodes: list[_Described], digest: str, size: int, *, has_colours: bool
) -> Index:
    middle = places.mean(axis=0, dtype=np.float64)
    sample = places[:: -(-len(places) // _ENOUGH)]
    lengths = np.sort(np.linalg.norm(sample - middle, axis=1))
    return {
        "format": FORMAT,
        "layout": layout,
        "count": len(places),
        "nodes": digest,
        "bytes": size,
        "colours": has_colours,
        "stride": _STRIDE_WITH_COLOURS if has_colours else _STRIDE,
        "capacity": CAPACITY,
        "middle": middle.tolist(),
        "radius": float(lengths[min(len(lengths) - 1, int(_WITHIN * len(lengths)))]),
        "parents": [parent for parent, _, _ in nodes],
        "counts": [count for _, count, _ in nodes],
        "boxes": [[float(f"{value:.9g}") for value in box.ravel().tolist()] for _, _, box in nodes],
    }
