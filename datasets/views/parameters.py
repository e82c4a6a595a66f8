"""What stands behind the question mark: read, checked, refused with a sentence."""

import re
from collections.abc import Sequence

from rest_framework.request import Request

from datasets.errors import Refusal

_DIGITS = re.compile("[0-9]{1,16}")


def whole_number(request: Request, name: str, default: int, *, least: int = 0, most: int) -> int:
    """A number between two bounds, both included."""
    if (given := request.query_params.get(name)) is None:
        return default
    if not _DIGITS.fullmatch(given) or not least <= int(given) <= most:
        raise Refusal(f"“{name}” is a whole number from {least} to {most}.")
    return int(given)


def choice(request: Request, name: str, known: Sequence[str]) -> str | None:
    """One of the known words, or `None` where nothing was said."""
    if (given := request.query_params.get(name)) is None:
        return None
    if given not in known:
        raise Refusal(f"There is no {name} “{given[:40]}”; known are {', '.join(known)}.")
    return given
