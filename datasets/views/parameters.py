"""What stands behind the question mark, read and checked: a bad value is refused with a sentence."""

import re
from collections.abc import Iterable

from rest_framework.request import Request

from datasets.errors import Refusal

_DIGITS = re.compile("[0-9]{1,16}")
# Narrower than float(), which takes digits of all scripts, underscores and blanks.
_DECIMAL = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?")


def whole(request: Request, name: str, default: int, *, least: int = 0, most: int) -> int:
    """A whole number between two bounds, both included. Raises `Refusal` (400)."""
    if (given := request.query_params.get(name)) is None:
        return default
    if not _DIGITS.fullmatch(given) or not least <= int(given) <= most:
        raise Refusal(f"“{name}” is a whole number from {least} to {most}, not “{given[:40]}”.")
    return int(given)


def share(request: Request, name: str, default: float) -> float:
    """A number from 0 to 1. Raises `Refusal` (400)."""
    if (given := request.query_params.get(name)) is None:
        return default
    if not _DECIMAL.fullmatch(given) or not 0 <= float(given) <= 1:
        raise Refusal(f"“{name}” is a number from 0 to 1, not “{given[:40]}”.")
    return float(given)


def choice(request: Request, name: str, known: Iterable[str]) -> str | None:
    """One of the known words, or `None` where nothing was said. Raises `Refusal` (400)."""
    if (given := request.query_params.get(name)) is None:
        return None
    words = list(known)
    if given not in words:
        raise Refusal(f"There is no {name} “{given[:40]}”; known are {', '.join(words)}.")
    return given


def one_of(request: Request, name: str, known: Iterable[str], default: str) -> str:
    """As `choice`, with a word for where nothing was said."""
    return choice(request, name, known) or default
