"""The shape of every error."""

import re
from http import HTTPStatus
from typing import Any

from datasets.errors import KINDS, URN


def sentence(body: Any, status: int) -> str:
    """An error's sentence, after a look at all that is said beside it."""
    text = str(body["error"])
    assert text.endswith(".") or text == "Server is busy, please wait"
    code = body["type"].removeprefix(URN)
    assert code in KINDS
    assert isinstance(body["params"], dict)
    # What a kind says of its values is said with each error of it.
    assert set(re.findall("`([a-z]+)`", KINDS[code])) <= set(body["params"])
    title = HTTPStatus(status).phrase
    others = {"type": body["type"], "title": title, "status": status, "detail": text, "params": body["params"]}
    assert body == {"error": text, **others}
    return text
