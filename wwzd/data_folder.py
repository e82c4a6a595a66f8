"""The folder of all data, and what names it: its key, and its server among others."""

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
    return _made_once(data, "secret_key", secrets.token_urlsafe(50))


def server_id(data: Path) -> str:
    """Tells the server of this folder from others that share its database. Raises `ImproperlyConfigured`."""
    return _made_once(data, "server_id", secrets.token_hex(6))


def _made_once(data: Path, name: str, content: str) -> str:
    make(data)
    path = data / name
    # Linked to its place when it is whole: no process reads one that another has only begun.
    begun = data / f"{name}.{secrets.token_hex(4)}"
    try:
        if not path.exists():
            begun.touch(mode=0o600)
            begun.write_text(content)
            try:
                path.hardlink_to(begun)
            except FileExistsError:  # another process was faster
                pass
            except OSError:  # a file system without links
                begun.replace(path)
            begun.unlink(missing_ok=True)
        return path.read_text()
    except OSError as error:
        raise ImproperlyConfigured(f"DATA_DIR: {data} cannot be written to: {error}") from error
