"""One field of all pictures, an Arrow array → values, filters, how the values are spread."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from datasets.errors import ApiError
from datasets.pictures.metadata.columns import EXACT, WHOLE, Type

ARROW_TYPES: dict[Type, pa.DataType] = {
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "text": pa.string(),
}
_TYPES = {arrow: name for name, arrow in ARROW_TYPES.items()}
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "-1": False}
_RANGE = re.compile(r"(-?[0-9.]+(?:e-?[0-9]+)?)?\.\.(-?[0-9.]+(?:e-?[0-9]+)?)?")
_INT64 = 2**63
_BINS = 20
_VALUES = 50
"""That a summary lists, the most frequent first."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of all pictures; null where a picture has no value."""

    name: str
    type: Type
    array: pa.Array
    """`(n,)`; texts are dictionary-encoded, in the order in which they first occur."""

    @classmethod
    def of(cls, name: str, array: pa.Array) -> "Field":
        """Of a column as it is stored."""
        kind = type_of(array.type)
        return cls(name=name, type=kind, array=array.dictionary_encode() if kind == "text" else array)

    def values(self, rows: Sequence[int] | NDArray[np.int64]) -> list[Any]:
        """Of some pictures; None where one has none."""
        found: list[Any] = self.array.take(pa.array(rows, pa.int64())).to_pylist()
        return found

    def whole(self) -> dict[str, Any]:
        """All of it: a value for each picture, None where it has none; texts as numbers in the list beside them."""
        if self.type != "text":
            return {"name": self.name, "type": self.type, "values": self.array.to_pylist()}
        texts, codes = self.array.dictionary.to_pylist(), self.array.indices.to_pylist()
        return {"name": self.name, "type": self.type, "texts": texts, "values": codes}

    @property
    def distinct(self) -> int:
        """How many different values there are."""
        return int(pc.count_distinct(self.array.indices if self.type == "text" else self.array).as_py())

    def codes(self) -> NDArray[np.int64]:
        """`(n,)` equal numbers for equal values, -1 where a picture has none."""
        encoded = self.array if self.type == "text" else self.array.dictionary_encode()
        found: NDArray[np.int64] = pc.fill_null(encoded.indices, -1).to_numpy().astype(np.int64)
        return found

    def numbers(self) -> NDArray[np.float64]:
        """`(n,)` of a field of numbers; NaN where a picture has none, or one that is not finite."""
        found = pc.fill_null(self.array.cast(pa.float64(), safe=False), math.nan).to_numpy(zero_copy_only=False)
        return np.where(np.isfinite(found), found, np.nan)

    def matching(self, wanted: str) -> NDArray[np.bool_]:
        """Which pictures have a value as a client describes it. Raises `ApiError` (400)."""
        if self.type == "text":
            code = pc.index(self.array.dictionary, wanted).as_py()
            return _mask(pc.equal(self.array.indices, code))
        if self.type == "boolean":
            if wanted.lower() not in _WORDS:
                sentence = f"“{self.name}” is true or false (1 or 0), not “{wanted[:40]}”."
                raise ApiError(sentence, code="parameter-invalid", name=self.name)
            return _mask(pc.equal(self.array, _WORDS[wanted.lower()]))
        between = _RANGE.fullmatch(wanted)
        low, high = between.groups() if between else (wanted, wanted)
        least, most = self._bound(low, -1), self._bound(high, 1)
        if math.isnan(least) or math.isnan(most):
            return np.zeros(len(self.array), np.bool_)
        if self.type == "integer":
            # Compared as integers: as floats two of them may be one. Beyond 64 bits there are none.
            least = -_INT64 if least < -_INT64 else math.ceil(least) if least < _INT64 else _INT64
            most = _INT64 - 1 if most >= _INT64 else math.floor(most) if most >= -_INT64 else -_INT64 - 1
            if least > most:
                return np.zeros(len(self.array), np.bool_)
        of_type = ARROW_TYPES[self.type]
        above = pc.greater_equal(self.array, pa.scalar(least, of_type))
        return _mask(pc.and_(above, pc.less_equal(self.array, pa.scalar(most, of_type))))

    def _bound(self, text: str | None, end: int) -> float | int:
        """One end of what is asked for; −∞ or ∞ (`end` −1 or 1) where it is open. Whole numbers stay integers."""
        if text is None:
            return end * math.inf
        try:
            return int(text) if self.type == "integer" and WHOLE.fullmatch(text) else float(text)
        except ValueError:
            sentence = f"“{self.name}” is a number: ask for 5, 5..9, 5.. or ..9, not “{text[:40]}”."
            raise ApiError(sentence, code="parameter-invalid", name=self.name) from None

    def summary(self) -> dict[str, Any]:
        """Type, how many have a value, and how the values are spread.

        Integers beyond 2⁵³ name things rather than measure them: their values are listed too, as those of texts.
        """
        present = self.array.drop_null()
        summary: dict[str, Any] = {"name": self.name, "type": self.type, "count": len(present)}
        if self.type in ("boolean", "text"):
            return summary | self._frequent(present)
        if not len(present):
            return summary
        least, most = pc.min_max(present).as_py().values()
        summary |= {"min": least, "max": most, "histogram": _histogram(present.to_numpy().astype(np.float64))}
        return summary | self._frequent(present) if self.type == "integer" and max(-least, most) > EXACT else summary

    def _frequent(self, present: pa.Array) -> dict[str, Any]:
        """Of equally frequent texts the first one first, of other values the least."""
        counted = pc.value_counts(present.indices if self.type == "text" else present)
        values, counts = counted.field("values"), counted.field("counts")
        keys = [("counts", "descending"), ("values", "ascending")]
        order = pc.sort_indices(pa.table({"values": values.cast(pa.int64()), "counts": counts}), keys)[:_VALUES]
        labels = self.array.dictionary.take(values.take(order)) if self.type == "text" else values.take(order)
        pairs = zip(labels.to_pylist(), counts.take(order).to_pylist(), strict=True)
        return {"distinct": len(values), "values": [{"value": value, "count": count} for value, count in pairs]}


def type_of(stored: pa.DataType) -> Type:
    """A field's type by that of its column."""
    return _TYPES[stored]


def _mask(chosen: pa.Array) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = pc.fill_null(chosen, False).to_numpy(zero_copy_only=False)
    return mask


def _histogram(values: NDArray[np.float64]) -> dict[str, list[float]]:
    """How many lie between equally spaced edges: all of them between two where floats cannot tell more edges apart."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            counts, edges = np.histogram(values, bins=_BINS)
    except ValueError:  # as of numbers from -1e308 to 1e308
        return {"counts": [len(values)], "edges": [float(values.min()), float(values.max())]}
    return {"counts": counts.tolist(), "edges": edges.tolist()}
