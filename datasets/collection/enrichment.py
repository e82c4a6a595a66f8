"""A field and the clusters of a level → which of its values are over-represented in which cluster.

Each value in each cluster is tested with the log-likelihood ratio G² (Dunning 1993), which, unlike χ², holds for rare
values too. What passes at one in a hundred over all tests of the level (Bonferroni), and is borne by five pictures and
a tenth of the cluster, is ranked by its part of the relative entropy of inside and outside (Kullback & Leibler 1951):
the share inside times the logarithm of how often that is the share outside. Frequent and rare elsewhere comes first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from .field import Field

_LEAST_PICTURES = 5
_LEAST_SHARE = 0.1
_ERROR = 0.01
"""Probability that anything passes on a level where nothing differs."""
_MOST_VALUES = 1000
"""Of one field; of one with more, the most frequent ones are tested."""
_CATEGORIES = 12
"""A number with so many different values at most is taken value by value, any other by its quarters."""

Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Trait:
    """A value that is more frequent in a cluster than outside."""

    field: str
    value: Any
    """As `Field` has it; of numbers a part of them in the form in which a filter asks for it, such as `40..`."""
    count: int
    """Pictures of the cluster that have it."""
    inside: float
    """Share of those pictures of the cluster that have any value."""
    outside: float
    """The same of the pictures outside."""
    weight: float
    """How telling it is: p · log(p / q) of the shares, half a picture being added outside, where there may be none."""


def traits(fields: Iterable[Field], labels: NDArray[np.int32], clusters: int, most: int) -> list[list[Trait]]:
    """For each cluster of a level at most so many traits, the most telling first. `labels` are -1 outside all."""
    tables = [_Table.of(field, labels, clusters) for field in fields]
    tests = sum(int(table.counts.size) for table in tables)
    found: list[list[Trait]] = [[] for _ in range(clusters)]
    for table in tables:
        for cluster, trait in table.traits(_ERROR / max(tests, 1)):
            found[cluster].append(trait)
    for each in found:
        each.sort(key=lambda trait: -trait.weight)
        del each[most:]
    return found


@dataclass(frozen=True, kw_only=True)
class _Table:
    """How often each value of a field occurs in each cluster."""

    field: Field
    values: list[Any]
    counts: Counts
    """`(clusters, values)`"""
    everywhere: Counts
    """`(values,)` in all pictures."""
    known: Counts
    """`(clusters,)` pictures that have any value."""
    known_everywhere: int

    @classmethod
    def of(cls, field: Field, labels: NDArray[np.int32], clusters: int) -> "_Table":
        values, codes = _coded(field)
        has_value = codes >= 0
        everywhere = np.bincount(codes[has_value], minlength=len(values))
        frequent = np.sort(np.argsort(-everywhere, kind="stable")[:_MOST_VALUES])
        frequent = frequent[everywhere[frequent] >= _LEAST_PICTURES]
        places = np.full(len(values) + 1, -1, np.int64)
        places[frequent] = np.arange(len(frequent))
        inside = has_value & (labels >= 0)
        known = np.bincount(labels[inside], minlength=clusters)
        taken = inside & (places[codes] >= 0)
        keys = labels[taken].astype(np.int64) * len(frequent) + places[codes[taken]]
        counts = np.bincount(keys, minlength=clusters * len(frequent)).reshape(clusters, len(frequent))
        return cls(
            field=field,
            values=[values[k] for k in frequent],
            counts=counts,
            everywhere=everywhere[frequent],
            known=known,
            known_everywhere=int(has_value.sum()),
        )

    def traits(self, error: float) -> Iterable[tuple[int, Trait]]:
        counts, known = self.counts, self.known[:, None]
        others, known_outside = self.everywhere - counts, self.known_everywhere - known
        inside, outside = counts / np.maximum(known, 1), others / np.maximum(known_outside, 1)
        passes = (
            (inside > outside)
            & (counts >= _LEAST_PICTURES)
            & (inside >= _LEAST_SHARE)
            & (known_outside > 0)
            & (_g2(counts, known, others, known_outside) >= NormalDist().inv_cdf(error) ** 2)  # of one side
        )
        smoothed = (others + 0.5) / (known_outside + 1)
        weights = inside * np.log(np.where(passes, inside / smoothed, 1))
        for cluster, column in np.argwhere(passes):
            yield (
                int(cluster),
                Trait(
                    field=self.field.name,
                    value=self.values[column],
                    count=int(counts[cluster, column]),
                    inside=float(inside[cluster, column]),
                    outside=float(outside[cluster, column]),
                    weight=float(weights[cluster, column]),
                ),
            )


def _g2(count: Counts, known: Counts, others: Counts, known_outside: Counts) -> NDArray[np.float64]:
    """2 Σ observed · log(observed / expected) over the four cells of having the value or not, inside or outside."""
    total = np.maximum(known + known_outside, 1)
    having = count + others
    cells = (
        (count, known * having / total),
        (known - count, known * (total - having) / total),
        (others, known_outside * having / total),
        (known_outside - others, known_outside * (total - having) / total),
    )
    found = np.zeros(np.broadcast(count, known).shape)
    for observed, expected in cells:
        there = (observed > 0) & (expected > 0)
        found += 2 * np.where(there, observed * np.log(np.where(there, observed / np.maximum(expected, 1e-300), 1)), 0)
    return found


def _coded(field: Field) -> tuple[list[Any], NDArray[np.int64]]:
    """A field's different values, and `(n,)` which of them each picture has; -1 for none."""
    if field.type == "text":
        return field.array.dictionary.to_pylist(), _filled(field.array.indices)
    if field.type == "boolean":
        return [False, True], _filled(field.array)
    present = field.array.drop_null()
    different = pc.unique(present)
    if field.type == "integer" and 0 < len(different) <= _CATEGORIES:
        values = sorted(different.to_pylist())
        return values, _filled(pc.index_in(field.array, value_set=different.take(pc.sort_indices(different))))
    if len(different) < 2:
        return [], np.full(len(field.array), -1, np.int64)
    numbers = pc.fill_null(field.array.cast("float64", safe=False), np.nan).to_numpy(zero_copy_only=False)
    low, high = np.nanpercentile(numbers, [25, 75], method="inverted_cdf")
    codes = np.full(len(numbers), -1, np.int64)
    codes[~np.isnan(numbers)] = 1
    codes[numbers <= low] = 0
    codes[numbers >= high] = 2
    return [f"..{_written(low)}", f"{_written(low)}..{_written(high)}", f"{_written(high)}.."], codes


def _filled(codes: Any) -> NDArray[np.int64]:
    filled: NDArray[np.int64] = pc.fill_null(codes.cast("int64"), -1).to_numpy(zero_copy_only=False)
    return filled


def _written(number: float) -> str:
    """So that a filter's bound is read as the same number."""
    return str(int(number)) if number == int(number) and abs(number) < 2**53 else repr(float(number))
