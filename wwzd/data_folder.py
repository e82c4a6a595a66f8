"""The folder of all data, and the key that is kept in it."""

import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def make(folder: Path) -> None:
    """Raises `ImproperlyConfigured` where it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"DATA_DIR: {folder} cannot be made: {error}") from error


def secret_key(data: Path) -> str:
    """Made once, and readable by its owner only. Raises `ImproperlyConfigured`."""
    path = data / "secret_key"
    make(data)
    try:
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(secrets.token_urlsafe(50))
    except FileExistsError:  # as ever, or another process was faster
        pass
    except OSError as error:
        raise ImproperlyConfigured(f"DATA_DIR: {data} cannot be written to: {error}") from error
    return path.read_text()
