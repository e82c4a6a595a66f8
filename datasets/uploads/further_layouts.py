"""Further layouts that a dataset made of another one is to have, and that are computed once it is ready."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from datasets.collection import layouts
from datasets.collection.base import Collection
from datasets.collection.folder import CollectionFolder
from datasets.collection.layouts import LayoutCard
from datasets.models import Dataset, DerivedResult
from embeddings.layouts import METHODS
from embeddings.reducers import REDUCERS


@dataclass(frozen=True, kw_only=True)
class WantedLayout:
    """One that can be asked for."""

    name: str
    kind: str
    parameters: dict[str, Any]

    @classmethod
    def of(cls, card: LayoutCard) -> "WantedLayout":
        """The same once more."""
        return cls(name=card.name, kind=card.kind, parameters=card.parameters)


def pending(parent: Collection) -> list[WantedLayout]:
    """Those that have been asked for and are not there yet."""
    rows = DerivedResult.objects.wanted(parent.id, "layout")
    return [WantedLayout(name=row.name, **row.parameters) for row in rows]


def finish(dataset: Dataset, wanted: Iterable[WantedLayout]) -> bool:
    """Publish a dataset, and have the layouts computed that it has not, as far as it can have them. False: the work was
    given up meanwhile."""
    missing = list(_possible(dataset, wanted))
    with transaction.atomic():
        if not dataset.finish():
            return False
        for each in missing:
            parameters = {"kind": each.kind, "parameters": each.parameters}
            DerivedResult.objects.get_or_create(
                collection=dataset.hash, kind="layout", name=each.name, defaults={"parameters": parameters}
            )
    return True


def _possible(dataset: Dataset, wanted: Iterable[WantedLayout]) -> Iterator[WantedLayout]:
    known = {*REDUCERS, *(card.name for card in layouts.cards(CollectionFolder(path=dataset.folder)))}
    for each in wanted:
        base = each.parameters.get("layout")  # of a grid
        if each.name in known or (base and base not in known) or dataset.count > METHODS[each.kind].most_rows:
            continue
        known.add(each.name)
        yield each
