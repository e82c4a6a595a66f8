"""Bodies of JSON, within a limit."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request

from datasets.errors import TooLarge


class NestedJSONParser(JSONParser):
    """DRF's, for which too many brackets are an error of the client."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Raises `ParseError`."""
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply") from None


def bounded_json(request: Request) -> Any:
    """The body, unless it is larger than Django reads into memory; one of unknown length ends there by itself.

    Raises `TooLarge`, `ParseError`.
    """
    most: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > most:
        raise TooLarge(f"The body is larger than the limit of {most} bytes.")
    return request.data
