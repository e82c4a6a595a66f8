"""JSON and JSON Lines → the ways in which they may be rows: objects by name or in a list, columns, COCO, labels."""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from .records import KEY, Records

_DEPTH = 3
"""Of objects inside objects that become fields with dots in their names, and of lists that are looked for rows."""
_KEYS = 1000
"""Different fields of all objects that are looked at."""
_INSIDE = 20
"""Values of an object that may be the whole table."""
_DIGITS = 400
"""Of an integer; a longer one is a text."""


def load(text: str) -> Any:
    """As Python's, but every integer exact. Raises `ValueError` or `RecursionError`."""
    return json.loads(text, parse_int=_integer, parse_float=_number, parse_constant=lambda name: None)


def interpretations(text: str, *, by_line: bool) -> Iterator[Records]:
    """Whatever may be rows in it. Raises `ValueError` where it is no JSON."""
    if by_line:
        yield from _of_lines(text)
        return
    try:
        data = load(text)
    except ValueError:
        if "\n" not in text.strip():
            raise
        found = list(_of_lines(text))
        if not found:
            raise
        yield from found
        return
    if not isinstance(data, dict | list):
        raise ValueError("it is neither an object nor a list")
    yield from _of_data(data, 0)


def _of_lines(text: str) -> Iterator[Records]:
    """JSON Lines; a file of one JSON text counts as such. Lines are parsed anew each time, for the sake of memory."""

    def entries() -> Iterator[Any]:
        start = 0
        while start < len(text):
            end = text.find("\n", start)
            end = len(text) if end < 0 else end
            line = text[start:end].strip().removesuffix(",")
            start = end + 1
            if line:
                try:
                    yield load(line)
                except (ValueError, RecursionError):
                    yield None

    bad = sum(not isinstance(entry, dict | list) for entry in entries())
    lists = next((entry for entry in entries() if isinstance(entry, list)), None)
    remarks = [f"{bad} of its lines are no JSON objects"] if bad else []
    if lists is not None:
        yield _of_lists(lambda: (entry for entry in entries() if isinstance(entry, list)), remarks)
    if any(isinstance(entry, dict) for entry in entries()):
        yield _of_objects(lambda: (entry for entry in entries() if isinstance(entry, dict)), remarks)
        return
    try:
        data = load(text)
    except ValueError:
        return
    if isinstance(data, dict | list):
        yield from _of_data(data, 0)


def _of_data(data: Any, depth: int) -> Iterator[Records]:
    if isinstance(data, list):
        yield from _of_list(data)
    elif isinstance(data, dict):
        yield from _of_object(data)
        if depth < _DEPTH:
            for value in islice(data.values(), _INSIDE):
                if isinstance(value, dict | list) and value and not _is_small(value):
                    yield from _of_data(value, depth + 1)


def _is_small(value: dict[str, Any] | list[Any]) -> bool:
    """Whether nothing in it could be a row."""
    first = next(iter(value.values() if isinstance(value, dict) else value))
    return isinstance(value, list) and not isinstance(first, dict | list)


def _of_list(data: list[Any]) -> Iterator[Records]:
    objects = sum(isinstance(entry, dict) for entry in data)
    lists = sum(isinstance(entry, list) for entry in data)
    if objects:
        remarks = [f"{len(data) - objects} of its entries are no objects"] if objects < len(data) else []
        yield _of_objects(lambda: (entry for entry in data if isinstance(entry, dict)), remarks)
    if lists:
        pairs = [entry for entry in data if isinstance(entry, list) and len(entry) == 2 and isinstance(entry[1], dict)]
        if pairs:
            yield _of_objects(lambda: ({KEY: name, **values} for name, values in pairs), [])
        else:
            yield _of_lists(lambda: (entry for entry in data if isinstance(entry, list)), [])


def _of_object(data: dict[str, Any]) -> Iterator[Records]:
    values = list(data.values())
    if any(isinstance(value, dict) for value in values):
        skipped = sum(not isinstance(value, dict) for value in values)
        remarks = [f"{skipped} of its entries are no objects"] if skipped else []
        yield _of_objects(
            lambda: ({KEY: key, **value} for key, value in data.items() if isinstance(value, dict)), remarks
        )
        if not skipped and len(data) <= _KEYS:  # a column for each key, of values by row
            rows = list(dict.fromkeys(key for value in values for key in value))
            yield Records(heads=list(data), rows=lambda: ([_plain(value.get(row)) for value in values] for row in rows))
    if isinstance(columns := data.get("columns"), list) and isinstance(data.get("data"), list):
        rows_of = data["data"]
        heads = [str(column) for column in columns]
        yield Records(
            heads=heads, rows=lambda: ([_plain(cell) for cell in row] for row in rows_of if isinstance(row, list))
        )
    if isinstance(data.get("images"), list) and isinstance(data.get("annotations"), list):
        yield from _of_coco(data)
    lists = {key: value for key, value in data.items() if isinstance(value, list)}
    if lists and len({len(value) for value in lists.values()}) == 1:
        yield Records(
            heads=list(lists),
            rows=lambda: ([_plain(cell) for cell in row] for row in zip(*lists.values(), strict=True)),
        )
    if lists:
        yield Records(
            heads=["name", "label"],
            rows=lambda: ([name, key] for key, found in lists.items() for name in found if isinstance(name, str)),
        )
    yield Records(
        heads=[KEY, "value"],
        rows=lambda: ([key, _plain(value)] for key, value in data.items() if not isinstance(value, dict)),
    )


def _of_coco(data: dict[str, Any]) -> Iterator[Records]:
    """COCO's images, with the names of the categories that are marked on them."""
    categories = {
        entry.get("id"): str(entry.get("name"))
        for entry in data.get("categories") or []
        if isinstance(entry, dict) and isinstance(entry.get("id"), int | str)
    }
    marked: dict[Any, dict[str, None]] = {}
    for entry in data["annotations"]:
        if isinstance(entry, dict) and isinstance(entry.get("image_id"), int | str):
            category = entry.get("category_id")
            name = categories.get(category) if isinstance(category, int | str) else None
            marked.setdefault(entry["image_id"], {})[name or str(category)] = None

    def images() -> Iterator[dict[str, Any]]:
        for entry in data["images"]:
            if isinstance(entry, dict):
                image = entry.get("id")
                found = marked.get(image) if isinstance(image, int | str) else None
                yield {**entry, "category": ", ".join(found) if found else None}

    yield _of_objects(images, [])


def _of_objects(entries: Callable[[], Iterable[dict[str, Any]]], remarks: list[str]) -> Records:
    heads: dict[str, None] = {}
    for entry in entries():
        heads.update(dict.fromkeys(_flat(entry)))
        if len(heads) > _KEYS:
            remarks = [*remarks, f"it has more than {_KEYS} different fields; only the first were looked at"]
            break
    known = list(heads)[:_KEYS]

    def rows() -> Iterator[list[Any]]:
        for entry in entries():
            flat = _flat(entry)
            yield [_plain(flat.get(head)) for head in known]

    return Records(heads=known, rows=rows, remarks=remarks)


def _of_lists(entries: Callable[[], Iterator[list[Any]]], remarks: list[str]) -> Records:
    """The first names the columns, or is a row like the others."""

    def rows() -> Iterator[list[Any]]:
        found = entries()
        next(found)
        return ([_plain(cell) for cell in entry] for entry in found)

    heads = ["" if cell is None else str(cell) for cell in next(entries())]
    return Records(heads=heads, rows=rows, may_lack_heads=True, remarks=remarks)


def _flat(entry: dict[str, Any], before: str = "", depth: int = 1) -> dict[str, Any]:
    """Objects inside as fields of their own: `{"pose": {"yaw": 1}}` → `{"pose.yaw": 1}`."""
    if not before and not any(isinstance(value, dict) for value in entry.values()):
        return entry
    flat: dict[str, Any] = {}
    for key, value in entry.items():
        if isinstance(value, dict) and value and depth < _DEPTH:
            flat |= _flat(value, f"{before}{key}.", depth + 1)
        else:
            flat[f"{before}{key}"] = value
    return flat


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _DIGITS else digits


def _number(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text
