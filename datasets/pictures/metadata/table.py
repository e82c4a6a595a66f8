"""What is said of pictures in fields, as it was read: typed columns, a value for each picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .columns import Column


@dataclass(frozen=True, kw_only=True)
class Table:
    """All fields of all pictures."""

    columns: Mapping[str, Column]
    total: int

    def row(self, row: int) -> dict[str, Any]:
        """What is known of one picture."""
        values = ((name, column.values[row]) for name, column in self.columns.items())
        return {name: value for name, value in values if value is not None}


def empty(total: int) -> Table:
    return Table(columns={}, total=total)
