"""The kinds of further results. Each adds files to the collection's folder, the one that announces it last, and changes
none that is there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from datasets.collection.base import Collection
from datasets.collection.folder import CollectionFolder

from . import clusters, layouts, quality, similarity


class Report(Protocol):
    """Is told how far a computation is."""

    def stage(self, name: str) -> None:
        """The next stage begins. Raises `NotWanted` where the result is not wanted any more."""
        ...

    def progress(self, share: float) -> None:
        """`share` 0 … 1 of the whole way. Raises `NotWanted`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of result."""

    is_ready: Callable[[CollectionFolder, str], bool]
    """Whether the result of this name is there."""
    compute: Callable[[Collection, str, dict[str, Any], Report], None]
    """Computes the result of this name from these parameters. Raises `ApiError` where the collection does not allow
    it."""
    needs_features: Callable[[dict[str, Any]], bool] = lambda parameters: True
    """Whether the result of these parameters is made of the features."""
    is_automatic: bool = False
    """Computed for each catalogue that lacks it, without parameters, under the name of the kind."""


KINDS: dict[str, Kind] = {
    "clusters": Kind(is_ready=clusters.is_ready, compute=clusters.compute, is_automatic=True),
    "layout": Kind(is_ready=layouts.is_ready, compute=layouts.compute, needs_features=layouts.needs_features),
    "quality": Kind(is_ready=quality.is_ready, compute=quality.compute),
    "similarity": Kind(is_ready=similarity.is_ready, compute=similarity.compute, is_automatic=True),
}
