"""What a client would rather have (RFC 7240)."""

import re

from rest_framework.request import Request

RESPOND_ASYNC = "respond-async"

_NAME = re.compile(r"\s*([\w!#$%&'*+.^`|~-]+)", re.ASCII)


def prefers(request: Request, preference: str) -> bool:
    """Whether `Prefer` names a preference. Its parameters, and preferences that are unknown here, do not matter."""
    names = (_NAME.match(part) for part in request.headers.get("Prefer", "").split(","))
    return preference in {name[1].lower() for name in names if name}
