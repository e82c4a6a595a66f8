"""The registry of layout methods: what each is called, takes and can do."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from embeddings import grid_layout
from embeddings.reducers.base import SEED, first_columns
from embeddings.vector_files import Vectors

from . import parameters as of
from .parameters import Parameter, Values
from .supervision import Target

Progress = Callable[[float], object]
"""Is told 0 … 1; what it raises ends the work."""

FEWEST_ROWS = 10
"""With fewer there are no neighbourhoods to lay out: the places are PCA's."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What a method lays out."""

    coordinates: NDArray[np.float32]
    """`(n, k)` principal coordinates of distinct pictures."""
    progress: Progress = field(default=lambda share: None)
    target: Target | None = None
    """Of the same pictures: what the layout is supervised by."""


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """Of m new pictures, among those that have places."""

    rows: NDArray[np.int64]
    """`(m, k)`, the nearest first."""
    distances: NDArray[np.float32]
    """`(m, k)`"""

    @cached_property
    def weights(self) -> NDArray[np.float32]:
        """`(m, k)`, found once for all layouts."""
        from embeddings.placing import weights_of

        return weights_of(self.rows, self.distances)


@dataclass(frozen=True, kw_only=True)
class Method:
    """One way to lay out."""

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    lay_out: Callable[[Problem, Values], Vectors]
    """→ `(n, dimensions) float32`, deterministic for a seed."""
    place: Callable[[Vectors, Neighbours, Values], Vectors] | None = None
    """`(n, d)` places that are there, and the nearest neighbours of m new pictures → `(m, d)` theirs; None where new
    pictures cannot be placed."""
    most_rows: int = 10**9
    """More would take hours."""

    @property
    def can_place(self) -> bool:
        """Whether new pictures can be placed in a layout that is there."""
        return self.place is not None


def _pca(problem: Problem, values: Values) -> Vectors:
    return first_columns(problem.coordinates, int(values.get("dimensions", 2)))


def _few_as_pca(lay_out: Callable[[Problem, Values], Vectors]) -> Callable[[Problem, Values], Vectors]:
    def lay_out_many(problem: Problem, values: Values) -> Vectors:
        has_neighbourhoods = len(problem.coordinates) >= FEWEST_ROWS and np.ptp(problem.coordinates) > 0
        return (lay_out if has_neighbourhoods else _pca)(problem, values)

    return lay_out_many


def _umap(problem: Problem, values: Values) -> Vectors:
    from .umap import lay_out

    return lay_out(problem, values)


def _densmap(problem: Problem, values: Values) -> Vectors:
    from .umap import lay_out

    return lay_out(problem, values, densities=True)


def _tsne(problem: Problem, values: Values) -> Vectors:
    from .tsne import lay_out

    return lay_out(problem, values)


def _pacmap(problem: Problem, values: Values) -> Vectors:
    from .pacmap import lay_out

    return lay_out(problem, values)


def _place_between(places: Vectors, nearest: Neighbours, values: Values) -> Vectors:
    from embeddings.placing import between

    return between(places, nearest.rows, nearest.weights)


def _place_drawn(places: Vectors, nearest: Neighbours, values: Values) -> Vectors:
    from embeddings.placing import drawn

    from .umap import curve

    return drawn(places, nearest.rows, nearest.weights, *curve(float(values["min_dist"])), SEED)


_TEN_NEIGHBOURS = Parameter(
    name="n_neighbors",
    type="integer",
    default=10,
    least=2,
    most=200,
    description=of.NEIGHBOURS.description,
)

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            name="umap",
            description="Groups of like pictures, in an order that keeps some of the whole (McInnes et al. 2018).",
            parameters=(of.DIMENSIONS, of.NEIGHBOURS, of.MIN_DIST, of.SEED, *of.TARGETS),
            lay_out=_few_as_pca(_umap),
            place=_place_drawn,
        ),
        Method(
            name="densmap",
            description="UMAP whose groups are as dense as the pictures in them are alike (Narayan et al. 2021).",
            parameters=(of.DIMENSIONS, of.NEIGHBOURS, of.MIN_DIST, of.SEED, *of.TARGETS),
            lay_out=_few_as_pca(_densmap),
            place=_place_between,
            most_rows=50_000,
        ),
        Method(
            name="tsne",
            description="The nearest side by side; distances between groups say little (van der Maaten & Hinton 2008).",
            parameters=(of.PERPLEXITY, of.SEED),
            lay_out=_few_as_pca(_tsne),
            place=_place_between,
        ),
        Method(
            name="pacmap",
            description="Groups of like pictures, and the order of the groups among each other (Wang et al. 2021).",
            parameters=(of.DIMENSIONS, _TEN_NEIGHBOURS, of.SEED),
            lay_out=_few_as_pca(_pacmap),
            place=_place_between,
        ),
    )
}
"""By name. All but the grid start from PCA's places, which keeps the large-scale order (Kobak & Linderman 2021)."""

GRID = Method(
    name="grid",
    description="Every picture in a cell of its own, near those that it lies near in another layout.",
    parameters=(
        Parameter(
            name="layout",
            type="text",
            default="umap",
            least=1,
            most=80,
            description="The layout that it is made of; of one in space, its two widest directions.",
        ),
        Parameter(
            name="aspect", type="number", default=1.5, least=0.1, most=10, description="Its width by its height."
        ),
    ),
    lay_out=lambda problem, values: grid_layout.lay_out(problem.coordinates, float(values["aspect"])),
)
"""Its `coordinates` are the places of another layout."""

METHODS[GRID.name] = GRID
