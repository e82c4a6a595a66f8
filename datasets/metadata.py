"""What is said of pictures in fields, as a table: stored in columns, asked by row, filtered, summed up.

A column knows its type: boolean, integer, number or text. Any picture may lack any value.
"""

import io
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .errors import Refusal

FORMAT = 1
Type = Literal["boolean", "integer", "number", "text"]

_MISSING: dict[Type, Any] = {"boolean": -1, "integer": np.iinfo(np.int64).min, "number": np.nan, "text": -1}
_STORED: dict[Type, type[np.generic]] = {
    "boolean": np.int8,
    "integer": np.int64,
    "number": np.float64,
    "text": np.int32,
}
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "-1": False}
_RANGE = re.compile(r"(-?[0-9.]+(?:e-?[0-9]+)?)?\.\.(-?[0-9.]+(?:e-?[0-9]+)?)?")
# Narrower than int() and float(), which take digits of all scripts and underscores. 007 is a name.
_WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[+-]?(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?")
_BINS = 20
_VALUES = 50
"""Of a text field that a summary lists, the most frequent first."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One field of all pictures."""

    name: str
    type: Type
    stored: NDArray[Any]
    """`(n,)`; a text's number in `texts`."""
    texts: Sequence[str] = ()

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which pictures have a value."""
        there: NDArray[np.bool_] = (
            ~np.isnan(self.stored) if self.type == "number" else self.stored != _MISSING[self.type]
        )
        return there

    def value(self, row: int) -> Any:
        """Of one picture; None where it has none."""
        stored = self.stored[row]
        if self.type == "number":
            return None if math.isnan(stored) else float(stored)
        if stored == _MISSING[self.type]:
            return None
        if self.type == "text":
            return self.texts[stored]
        return bool(stored) if self.type == "boolean" else int(stored)

    def whole(self) -> dict[str, Any]:
        """All of it: a value for each picture, None where it has none; texts as numbers in the list beside them."""
        values = self.stored.astype(np.bool_ if self.type == "boolean" else self.stored.dtype).astype(object)
        values[~self.known] = None
        texts = {"texts": list(self.texts)} if self.type == "text" else {}
        return {"name": self.name, "type": self.type, **texts, "values": values.tolist()}

    def matching(self, wanted: str) -> NDArray[np.bool_]:
        """Which pictures have a value as a client describes it. Raises `Refusal` (400)."""
        if self.type == "text":
            code = self.texts.index(wanted) if wanted in self.texts else -2
            return np.asarray(self.stored == code)
        if self.type == "boolean":
            if wanted.lower() not in _WORDS:
                raise Refusal(f"“{self.name}” is true or false (1 or 0), not “{wanted[:40]}”.")
            return np.asarray(self.stored == int(_WORDS[wanted.lower()]))
        if between := _RANGE.fullmatch(wanted):
            low, high = (_number(self.name, text, end) for text, end in zip(between.groups(), (-1, 1), strict=True))
            return np.asarray(self.known & (self.stored >= low) & (self.stored <= high))
        return np.asarray(self.known & (self.stored == _number(self.name, wanted, 0)))

    def summary(self) -> dict[str, Any]:
        """Type, how many have a value, and how the values are spread."""
        told: dict[str, Any] = {"name": self.name, "type": self.type, "count": int(self.known.sum())}
        present = self.stored[self.known]
        if self.type in ("boolean", "text"):
            codes, counts = np.unique(present, return_counts=True)
            order = np.argsort(-counts, kind="stable")[:_VALUES]
            told["distinct"] = len(codes)
            told["values"] = [
                {
                    "value": bool(codes[k]) if self.type == "boolean" else self.texts[codes[k]],
                    "count": int(counts[k]),
                }
                for k in order
            ]
        elif len(present):
            told |= {"min": present.min().item(), "max": present.max().item()}
            told["histogram"] = _histogram(present.astype(np.float64))
        return told


@dataclass(frozen=True, kw_only=True)
class Table:
    """All fields of all pictures."""

    columns: Mapping[str, Column]
    total: int

    def row(self, row: int) -> dict[str, Any]:
        """What is known of one picture."""
        told = ((name, column.value(row)) for name, column in self.columns.items())
        return {name: value for name, value in told if value is not None}

    def select(self, wanted: Mapping[str, Iterable[str]]) -> NDArray[np.int64]:
        """The rows that have, for every field, one of the values. Raises `Refusal` (400)."""
        chosen = np.ones(self.total, np.bool_)
        for name, values in wanted.items():
            if name not in self.columns:
                raise Refusal(self.unknown(name))
            chosen &= np.any([self.columns[name].matching(value) for value in values], axis=0)
        return np.flatnonzero(chosen)

    def unknown(self, name: str) -> str:
        """The sentence for who asks for a field that is not there."""
        known = ", ".join(list(self.columns)[:60]) or "none at all"
        return f"There is no field “{name[:40]}”; known are {known}."

    def fields(self) -> list[dict[str, str]]:
        return [{"name": column.name, "type": column.type} for column in self.columns.values()]

    def joined(self, other: "Table") -> "Table":
        """With the other's fields, which replace those of the same name."""
        return Table(columns={**self.columns, **other.columns}, total=self.total)

    def dumped(self) -> bytes:
        """As one `.npz`, without pickles."""
        card = [{"name": c.name, "type": c.type, "texts": list(c.texts)} for c in self.columns.values()]
        arrays: dict[str, Any] = {
            f"column-{index}": column.stored for index, column in enumerate(self.columns.values())
        }
        file = io.BytesIO()
        fields = np.frombuffer(json.dumps(card).encode(), np.uint8)
        np.savez_compressed(file, format=np.int64(FORMAT), total=np.int64(self.total), fields=fields, **arrays)
        return file.getvalue()


def empty(total: int) -> Table:
    return Table(columns={}, total=total)


def stored(path: Path, total: int) -> Table:
    """What `dumped` has left in a file; empty where there is none, or one that cannot be read."""
    try:
        version = path.stat().st_mtime_ns
    except OSError:
        return empty(total)
    return _stored(path, version, total)


@lru_cache(maxsize=16)
def _stored(path: Path, version: int, total: int) -> Table:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            if arrays["format"] != FORMAT or arrays["total"] != total:
                return empty(total)
            card = json.loads(arrays["fields"].tobytes())
            columns = {
                field["name"]: Column(
                    name=field["name"], type=field["type"], stored=arrays[f"column-{index}"], texts=field["texts"]
                )
                for index, field in enumerate(card)
            }
    except Exception:  # NumPy, zipfile and json each fail in their own way on a damaged file
        return empty(total)
    return Table(columns=columns, total=total)


def column(name: str, values: Sequence[Any]) -> Column:
    """From what was read, texts or JSON values, None where there is none: of the narrowest type that holds them all."""
    kind, parsed = _typed(values)
    missing = _MISSING[kind]
    if kind != "text":
        filled = [missing if value is None else value for value in parsed]
        return Column(name=name, type=kind, stored=np.array(filled, _STORED[kind]))
    codes: dict[str, int] = {}
    numbered = [missing if value is None else codes.setdefault(value, len(codes)) for value in parsed]
    return Column(name=name, type=kind, stored=np.array(numbered, _STORED[kind]), texts=list(codes))


def _typed(values: Sequence[Any]) -> tuple[Type, list[Any]]:
    trials: tuple[tuple[Type, Any], ...] = (("boolean", _boolean), ("integer", _integer), ("number", _finite))
    for kind, parse in trials:
        try:
            return kind, [None if value is None else parse(value) for value in values]
        except ValueError:
            continue
    return "text", [None if value is None else str(value) for value in values]


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise ValueError


def _integer(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise ValueError
    number = int(value)
    if abs(number) >= 2**63:
        raise ValueError
    return number


def _finite(value: Any) -> float:
    if isinstance(value, bool) or (isinstance(value, str) and not _DECIMAL.fullmatch(value)):
        raise ValueError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _histogram(values: NDArray[np.float64]) -> dict[str, list[float]]:
    """How many lie between equally spaced edges: all of them between two where floats cannot tell more edges apart."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            counts, edges = np.histogram(values, bins=_BINS)
    except ValueError:  # as of one number of 19 digits, or of numbers from -1e308 to 1e308
        return {"counts": [len(values)], "edges": [float(values.min()), float(values.max())]}
    return {"counts": counts.tolist(), "edges": edges.tolist()}


def _number(name: str, text: str | None, otherwise: int) -> float:
    """`otherwise` −1 or 1: an open end stands for −∞ or ∞."""
    if text is None:
        return otherwise * math.inf
    try:
        return float(text)
    except ValueError:
        raise Refusal(f"“{name}” is a number: ask for 5, 5..9, 5.. or ..9, not “{text[:40]}”.") from None
