"""What a file of metadata says before it is known which picture each row is of: heads, and rows of cells."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

KEY = "(key)"
"""What the column of an object's keys is called."""


@dataclass(frozen=True, kw_only=True)
class Records:
    """A table whose rows are read anew each time, so that a large file is never held as objects."""

    heads: list[str]
    """What the columns are called; empty where one has no name."""
    rows: Callable[[], Iterator[Sequence[Any]]]
    """Cells as they were read, texts or JSON values; a row may be shorter or longer than `heads`."""
    names: int | None = None
    """The column that holds the files' names, where the form says so."""
    may_lack_heads: bool = False
    """Whether `heads` may turn out to be a row like the others."""
    decimal_comma: bool = False
    """Whether `4,2` is a number."""
    remarks: list[str] = field(default_factory=list)
