"""Cells and heads of exported tables: nothing that a spreadsheet would run as a formula, and no two equal heads.

As OWASP advises, a text that begins with `=`, `+`, `-`, `@`, a tab or a line's end gets an apostrophe in front.
Numbers, also those that are kept as texts for their length, stay numbers.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from datasets.pictures.metadata.columns import is_number

_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def safe(value: Any) -> Any:
    """A cell's value for a CSV."""
    if isinstance(value, str) and value.startswith(_FORMULAS) and not is_number(value):
        return f"'{value}"
    return value


def unsafe(text: str) -> str:
    """What `safe` made a text of."""
    return text[1:] if text.startswith("'") and safe(text[1:]) == text else text


def heads(own: Sequence[str], fields: Iterable[str]) -> list[str]:
    """Heads of a table with columns of its own and one for each field: a field called as one of them is, `x`, becomes
    `x_`; all others keep their names."""
    wanted = list(fields)
    taken = {*own, *wanted}
    found = list(own)
    for name in wanted:
        if name in own:
            while name in taken:
                name += "_"
            taken.add(name)
        found.append(name)
    return found
