"""Pictures that clients send along to look for others: left by the web process for the worker, which may run elsewhere.

Where there is an object store, they lie there, else in a file.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings

from datasets.models import QUERIES
from datasets.storage.objects import StorageAway, is_used, store


@contextmanager
def kept(token: str, content: Iterable[bytes]) -> Iterator[None]:
    """Keep a picture for the time of the block. Raises `StorageAway`."""
    path = _path(token)
    try:
        with path.open("wb") as file:
            file.writelines(content)
        if is_used():
            store().put([(_key(token), path)])
        yield
    finally:
        path.unlink(missing_ok=True)
        if is_used():
            with suppress(StorageAway):  # the next sweep finds it
                store().delete([_key(token)])


def read(token: str) -> bytes:
    """Raises `FileNotFoundError` where nobody waits for it any more, `StorageAway`."""
    if is_used():
        with store().open(_key(token)) as file:
            return file.read()
    return _path(token).read_bytes()


def _path(token: str) -> Path:
    return Path(settings.FILE_UPLOAD_TEMP_DIR) / f"query-{token}"


def _key(token: str) -> str:
    return f"{QUERIES}/{token}"
