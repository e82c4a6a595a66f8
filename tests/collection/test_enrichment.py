"""What is over-represented in clusters: shares that are true, nothing that chance explains, all types of fields."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2_contingency

from datasets.collection.enrichment import Trait, _g2, traits
from datasets.collection.field import Field


def field(name: str, values: list[Any], kind: pa.DataType) -> Field:
    return Field.of(name, pa.array(values, kind))


def labels(*sizes: int) -> NDArray[np.int32]:
    """So many pictures of clusters 0, 1 …, and twice as many as all of them outside."""
    inside = np.repeat(np.arange(len(sizes)), sizes)
    return np.concatenate([inside, np.full(2 * len(inside), -1)]).astype(np.int32)


def trait(name: str, value: Any, count: int, inside: tuple[int, int], outside: tuple[int, int]) -> Trait:
    """Of shares, each as pictures that have the value of those that have any."""
    p, q = inside[0] / inside[1], outside[0] / outside[1]
    weight = p * math.log(p / ((outside[0] + 0.5) / (outside[1] + 1)))
    return Trait(field=name, value=value, count=count, inside=p, outside=q, weight=weight)


def test_g2_is_the_log_likelihood_ratio_of_the_table() -> None:
    for count, known, others, outside in ((30, 40, 20, 160), (5, 10, 3, 900), (10, 10, 0, 50), (1, 7, 9, 9)):
        table = [[count, known - count], [others, outside - others]]
        wanted = chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
        assert _g2(*(np.array([[n]]) for n in (count, known, others, outside)))[0, 0] == pytest.approx(wanted)


def test_texts_and_booleans_come_with_their_shares() -> None:
    where = labels(40, 20)
    kinds = ["rose"] * 36 + ["tulip"] * 4 + ["tulip"] * 20 + ["rose", "tulip", "daisy"] * 40
    wild = [True] * 40 + [None] * 20 + [False] * 100 + [True] * 20
    first, second = traits([field("kind", kinds, pa.string()), field("wild", wild, pa.bool_())], where, 2, most=5)
    assert first == [
        trait("wild", True, 40, (40, 40), (20, 120)),
        trait("kind", "rose", 36, (36, 40), (40, 140)),
    ]
    assert second == [trait("kind", "tulip", 20, (20, 20), (44, 160))]


def test_numbers_are_told_as_parts_that_a_filter_takes() -> None:
    random = np.random.default_rng(0)
    where = labels(60, 60)
    ages = [*random.integers(60, 90, 60).tolist(), *random.integers(1, 20, 60).tolist()]
    ages += random.integers(1, 90, 240).tolist()
    column = field("age", ages, pa.int64())
    for found, compare in zip(traits([column], where, 2, most=1), (np.greater_equal, np.less_equal), strict=True):
        (trait,) = found
        bound = float(trait.value.strip("."))
        assert compare(ages, bound).sum() == column.matching(trait.value).sum()
        assert trait.inside > 2 * trait.outside


def test_few_different_numbers_are_taken_one_by_one() -> None:
    where = labels(30)
    (found,) = traits([field("stars", [5] * 30 + [1, 2, 3] * 20, pa.int64())], where, 1, most=3)
    assert [(trait.value, trait.inside, trait.outside) for trait in found] == [(5, 1.0, 0.0)]


def test_what_chance_explains_and_what_is_rare_is_left_out() -> None:
    random = np.random.default_rng(7)
    where = random.integers(-1, 30, 3000).astype(np.int32)
    fields = [field(f"f{k}", random.choice(["a", "b", "c"], 3000).tolist(), pa.string()) for k in range(20)]
    assert not any(traits(fields, where, 30, most=5))
    rare = field("rare", ["x"] * 4 + [None] * 86, pa.string())
    assert traits([rare], labels(30), 1, most=5) == [[]]


@pytest.mark.parametrize(
    "column",
    [
        field("none", [None] * 90, pa.string()),
        field("none", [None] * 90, pa.int64()),
        field("none", [None] * 90, pa.float64()),
        field("one", [2.5] * 90, pa.float64()),
        field("nan", [float("nan")] * 45 + [1.0, 2.0, 3.0] * 15, pa.float64()),
        field("huge", [2**62] * 45 + list(range(45)), pa.int64()),
        field("names", [f"name {k}" for k in range(90)], pa.string()),
    ],
    ids=lambda column: f"{column.name}-{column.type}",
)
def test_poor_fields_do_not_break_it(column: Field) -> None:
    assert len(traits([column], labels(20, 10), 2, most=5)) == 2


def test_without_clusters_or_fields_there_is_nothing() -> None:
    assert traits([], labels(30), 1, most=5) == [[]]
    assert traits([field("kind", ["a"] * 30, pa.string())], np.full(30, -1, np.int32), 0, most=5) == []
