"""One line a record: time, level, logger and message, then the record's own facts as key=value."""

import logging
from datetime import UTC, datetime
from typing import Any


class LineFormatter(logging.Formatter):
    """Facts come with `logger.info("upload", extra={"facts": {...}})`."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        facts: dict[str, Any] = getattr(record, "facts", {})
        words = [time, record.levelname.lower(), record.name, record.getMessage()]
        words += [f"{key}={_value(value)}" for key, value in facts.items()]
        line = " ".join(words)
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def _value(value: Any) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return f'"{text}"' if not text or any(character in text for character in ' "=\n') else text
