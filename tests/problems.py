"""The shape of every error."""

from http import HTTPStatus
from typing import Any


def sentence(body: Any, status: int) -> str:
    """An error's sentence, after a look at all that is said beside it."""
    told = str(body["error"])
    assert told.endswith(".") or told == "Server is busy, please wait"
    title = HTTPStatus(status).phrase
    assert body == {"error": told, "type": "about:blank", "title": title, "status": status, "detail": told}
    return told
