"""Columns of metadata: their types, what they are summed up as, what matches."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from datasets.collection.field import ARROW_TYPES, Field
from datasets.pictures.metadata.columns import column


def field(values: Sequence[Any]) -> Field:
    """As it is stored and read again."""
    read = column("x", values)
    return Field.of("x", pa.array(read.values, ARROW_TYPES[read.type]))


def test_a_column_has_the_narrowest_type_that_holds_all_of_it() -> None:
    for values, kind in (
        (["1", "2"], "integer"),
        (["1", "2.5"], "number"),
        (["1", "x"], "text"),
        (["true", "False"], "boolean"),
        (["yes", "no"], "text"),
        (["007", "008"], "text"),
        (["1e3", "-2"], "number"),
        (["nan", "1"], "text"),
        (["٣", "1"], "text"),
        ([True, 1], "text"),
        ([None, "5"], "integer"),
        ([None, None], "boolean"),
        (["9223372036854775807", "-9223372036854775807"], "integer"),
        (["9223372036854775808", "1"], "text"),
        ([2**63, 1], "text"),
        (["9" * 30, "1"], "text"),
        (["9" * 5000, "1"], "text"),
        (["9007199254740993", "0.5"], "text"),
        ([2**53 + 1, 0.5], "text"),
        (["9007199254740992", "0.5"], "number"),
        (["1e30", "0.5"], "number"),
        (["4,2", "1"], "text"),
    ):
        assert column("x", values).type == kind, values
    assert column("x", [True, 1, "a"]).values == ["true", "1", "a"]


def test_a_comma_is_decimal_where_it_is_said_to_be() -> None:
    made = column("x", ["4,2", "-1.234,5", "7", None, "1e3"], decimal_comma=True)
    assert made.values == [4.2, -1234.5, 7.0, None, 1000.0]
    for values in (["1,2,3"], ["12.34,5"], ["4,2 m"], [",5"], ["9007199254740993", "0,5"]):
        assert column("x", values, decimal_comma=True).type == "text", values
    assert column("x", ["4", "5"], decimal_comma=True).type == "integer"


@pytest.mark.parametrize("values", [[2**62], [2**62, None, 2**62 + 1], [-1e308, 1e308], [5e-324, 0.0], [7]])
def test_any_numbers_have_a_histogram(values: list[float | None]) -> None:
    summary = field(values).summary()
    present = [value for value in values if value is not None]
    assert (summary["min"], summary["max"], summary["count"]) == (min(present), max(present), len(present))
    counts, edges = summary["histogram"]["counts"], summary["histogram"]["edges"]
    assert sum(counts) == len(present)
    assert len(edges) == len(counts) + 1
    assert np.isfinite(edges).all()


def test_integers_that_name_things_have_their_values_listed() -> None:
    summary = field([2**53 + 1, 2**53 + 1, 3, None]).summary()
    assert summary["values"] == [{"value": 2**53 + 1, "count": 2}, {"value": 3, "count": 1}]
    assert "values" not in field([2**53, 3]).summary()


def test_bounds_of_integers_are_exact() -> None:
    made = field([2**53, 2**53 + 1, 2**53 + 2, None, -5])
    for wanted, rows in (
        (f"{2**53 + 1}", [1]),
        (f"{2**53 + 1}..", [1, 2]),
        (f"..{2**53}", [0, 4]),
        ("-5.5..-4.5", [4]),
        ("-5.0", [4]),
        ("-4.5", []),
        ("-1e3..0", [4]),
        ("..", [0, 1, 2, 4]),
        (f"..-{10**30}", []),
        (f"-{10**30}..{10**30}", [0, 1, 2, 4]),
        (f"{2**63}..", []),
        ("nan", []),
    ):
        assert np.flatnonzero(made.matching(wanted)).tolist() == rows, wanted


def test_equally_frequent_values_are_listed_in_a_fixed_order() -> None:
    def listed(values: Sequence[Any]) -> list[Any]:
        return [each["value"] for each in field(values).summary()["values"]]

    assert listed(["b", "a", "c", "a", "b", None]) == ["b", "a", "c"]
    assert listed([True, False, None]) == [False, True]
    assert listed([2**53 + 3, 2**53 + 1, 2**53 + 3]) == [2**53 + 3, 2**53 + 1]
    assert field(["b", None, "a", "b"]).whole() == {
        "name": "x",
        "type": "text",
        "texts": ["b", "a"],
        "values": [0, None, 1, 0],
    }
