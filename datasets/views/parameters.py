"""What stands behind the question mark, read and checked: a bad value is refused with a sentence."""

import re
from collections.abc import Iterable

from rest_framework.request import Request

from datasets.errors import Refusal

_NUMBER = re.compile(r"[0-9]{1,12}")


def whole(request: Request, name: str, default: int, *, least: int = 0, most: int) -> int:
    """A whole number between two bounds, both included. Raises `Refusal` (400)."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
        raise Refusal(f"“{name}” must be a whole number from {least} to {most}, not “{text[:40]}”.")
    return int(text)


def share(request: Request, name: str, default: float) -> float:
    """A number from 0 to 1. Raises `Refusal` (400)."""
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise Refusal(f"“{name}” must be a number from 0 to 1, not “{text[:40]}”.")
    return value


def one_of(request: Request, name: str, known: Iterable[str], default: str) -> str:
    """A known word. Raises `Refusal` (400)."""
    text = request.query_params.get(name, default)
    words = list(known)
    if text not in words:
        raise Refusal(f"“{name}” must be one of {', '.join(words)}, not “{text[:40]}”.")
    return text
