"""How many pictures of a ZIP one upload takes."""

import re

from django.conf import settings
from rest_framework.request import Request

from datasets.api.openapi import Parameter

_DIGITS = re.compile(r"[0-9]{1,12}")
_ALL = "all"
_MOST = 10**9


class PictureLimit(Parameter):
    """A number of pictures, or all that the server takes at once."""

    def __init__(self) -> None:
        number = {"type": "integer", "minimum": 1, "maximum": _MOST}
        schema = {"oneOf": [number, {"const": _ALL}], "default": 1000}
        super().__init__(
            "limit",
            schema,
            "So many pictures at most, by name, or `all`; never more than the server takes, which is 50,000 if "
            "its settings (`MAX_PICTURES`) say nothing else. They become one collection, in ranges of 1000.",
        )

    def read(self, request: Request) -> int | None:
        """None where the client says nothing. Raises `ApiError`."""
        return self.parse(request.query_params.get(self.name))

    def parse(self, given: str | None) -> int | None:
        """The same of what stands elsewhere in a request."""
        if given is None or given == _ALL:
            return settings.MAX_PICTURES if given else None
        if not _DIGITS.fullmatch(given) or not 1 <= int(given) <= _MOST:
            raise self._invalid(f"“limit” is a whole number from 1 to {_MOST}, or “all”, not “{given[:40]}”.")
        return min(int(given), settings.MAX_PICTURES)


LIMIT = PictureLimit()
