"""One line a record: time, level, logger and message, then the id of the request and the record's own facts.

Facts come with `logger.info("upload", extra={"facts": {...}})`.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from . import request_id


class LineFormatter(logging.Formatter):
    """Words, and facts as key=value."""

    def format(self, record: logging.LogRecord) -> str:
        words = [_time(record), record.levelname.lower(), record.name, record.getMessage()]
        words += [f"{key}={_value(value)}" for key, value in _facts(record).items()]
        line = " ".join(words)
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class JSONFormatter(logging.Formatter):
    """An object, for programs that collect logs."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_facts(record),
        }
        if record.exc_info:
            fields["trace"] = self.formatException(record.exc_info)
        return json.dumps(fields, default=str, ensure_ascii=False)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    facts: dict[str, Any] = getattr(record, "facts", {})
    known = request_id.current.get()
    return {"request": known, **facts} if known else facts


def _value(value: Any) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return f'"{text}"' if not text or any(character in text for character in ' "=\n') else text
