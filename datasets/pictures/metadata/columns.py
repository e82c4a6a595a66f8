"""What was read of one field of all pictures → a column of the narrowest type that holds it all."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Type = Literal["boolean", "integer", "number", "text"]

EXACT = 2**53
"""Beyond it floats, and with them JavaScript's numbers, cannot tell an integer from the next."""

# Narrower than int() and float(), which take digits of all scripts and underscores. 007 is a name.
WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[+-]?(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?")
_COMMA = re.compile(r"[+-]?(0|[1-9][0-9]*|[1-9][0-9]{0,2}([. \u00a0\u202f][0-9]{3})+),[0-9]+([eE][+-]?[0-9]{1,3})?")
_GROUPS = re.compile(r"[. \u00a0\u202f]")


@dataclass(frozen=True, kw_only=True)
class Column:
    """One field of all pictures."""

    name: str
    type: Type
    values: Sequence[Any]
    """Of each picture, of the column's type; None where there is none."""


def column(name: str, values: Sequence[Any], *, decimal_comma: bool = False) -> Column:
    """From what was read, texts or JSON values, None where there is none: of the narrowest type that holds them all.

    With `decimal_comma`, `4,2` and `1.234,5` are numbers.
    """
    kind, parsed = _typed(values, decimal_comma)
    return Column(name=name, type=kind, values=parsed)


def is_number(text: str) -> bool:
    """Whether a text is a number and nothing else, of any size."""
    return text not in {"+", "-"} and bool(_DECIMAL.fullmatch(text) or _COMMA.fullmatch(text))


def _typed(values: Sequence[Any], decimal_comma: bool) -> tuple[Type, list[Any]]:
    trials: tuple[tuple[Type, Any], ...] = (("boolean", _boolean), ("integer", _integer), ("number", _finite))
    if decimal_comma:
        trials += (("number", _with_comma),)
    for kind, parse in trials:
        try:
            return kind, [None if value is None else parse(value) for value in values]
        except ValueError:
            continue
    return "text", [None if value is None else _text(value) for value in values]


def _text(value: Any) -> str:
    """Booleans among texts as JSON writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise ValueError


def _integer(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError
    if isinstance(value, str) and not (len(value) <= 20 and WHOLE.fullmatch(value)):
        raise ValueError
    number = int(value)
    if abs(number) >= 2**63:
        raise ValueError
    return number


def _finite(value: Any) -> float:
    if isinstance(value, bool) or (isinstance(value, str) and not _DECIMAL.fullmatch(value)):
        raise ValueError
    if (isinstance(value, int) or isinstance(value, str) and WHOLE.fullmatch(value)) and not _is_exact(value):
        raise ValueError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _is_exact(whole: int | str) -> bool:
    """Whether an integer among other numbers stays what it is as a float."""
    return len(str(whole)) <= 20 and abs(int(whole)) <= EXACT


def _with_comma(value: Any) -> float:
    if isinstance(value, str) and _COMMA.fullmatch(value):
        return _finite(_GROUPS.sub("", value).replace(",", "."))
    return _finite(value)
