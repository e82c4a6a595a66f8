"""The object store that STORAGE_URL names: S3, or anything that speaks like it, or a folder that all hosts mount.

By `obstore`, bindings of Rust's object_store: 6 MB with nothing else to install, range reads and multipart uploads.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit
from urllib.request import url2pathname

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_PIECE = 16 * 2**20
"""Bytes that are fetched by one request, which must not take longer than the client's timeout."""
_AT_ONCE = 8
"""Requests: a store answers each after tens of milliseconds, however small what it gives."""
_RETRIES: dict[str, Any] = {
    "max_retries": 5,
    "retry_timeout": timedelta(seconds=5),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=1), "base": 2},
}
"""A request of a client waits for the store so long. Work that can wait longer tries again (`outages.insist`)."""


class StorageAway(Exception):
    """The store does not answer, or refuses what it is asked."""


def is_used() -> bool:
    """Whether collections lie in a store, and not in this host's data folder alone."""
    return bool(settings.STORAGE_URL)


class ObjectStore:
    """Objects by key. All methods raise `StorageAway`."""

    def __init__(self, url: str) -> None:
        import obstore

        self._obstore = obstore
        self._store = _opened(url)
        self._folder = Path(url2pathname(urlsplit(url).path)) if url.startswith("file://") else None

    def put(self, files: Iterable[tuple[str, Path]]) -> None:
        """Store files under keys, several at once, large ones in parts."""

        def put(entry: tuple[str, Path]) -> None:
            key, path = entry
            with _as_own_errors():
                self._obstore.put(self._store, key, path)

        _in_parallel(put, files)

    def fetch(self, key: str, size: int, file: BinaryIO) -> None:
        """Write an object of so many bytes into a file. Raises `FileNotFoundError`."""

        def piece(first: int) -> memoryview:
            with _as_own_errors():
                last = min(first + _PIECE, size)
                return memoryview(self._obstore.get_range(self._store, key, start=first, end=last))

        if not size:
            return
        with ThreadPoolExecutor(max_workers=min(_AT_ONCE, -(-size // _PIECE))) as pool:
            # Some at a time: a disk may be slower than the network, and memory small.
            for start in range(0, size, _AT_ONCE * _PIECE):
                for content in pool.map(piece, range(start, min(start + _AT_ONCE * _PIECE, size), _PIECE)):
                    file.write(content)

    def open(self, key: str) -> BinaryIO:
        """An object to read from, of which only those parts are fetched that are read. Raises `FileNotFoundError`."""
        with _as_own_errors():
            return cast(BinaryIO, _Reader(self._obstore.open_reader(self._store, key, buffer_size=2**18)))

    def copy(self, keys: Iterable[tuple[str, str]]) -> None:
        """Objects to other keys, within the store. Raises `FileNotFoundError`."""

        def copy(entry: tuple[str, str]) -> None:
            with _as_own_errors():
                self._obstore.copy(self._store, *entry)
                if self._folder:  # a link was made, and its time says when it was written
                    os.utime(self._folder / entry[1])

        _in_parallel(copy, keys)

    def delete(self, keys: Iterable[str]) -> None:
        """Those that are there."""
        found = list(keys)
        if found:
            with _as_own_errors():
                try:
                    self._obstore.delete(self._store, found)
                except FileNotFoundError:  # a folder says so, and leaves the others
                    for key in found:
                        self._delete_one(key)

    def delete_below(self, prefix: str) -> None:
        """All whose keys begin with this and a slash."""
        self.delete(key for key, _ in self.listed(prefix))

    def listed(self, prefix: str) -> list[tuple[str, datetime]]:
        """Keys that begin with this and a slash, and when each was written."""
        with _as_own_errors():
            found = [each for batch in self._obstore.list(self._store, prefix) for each in batch]
        return [(each["path"], each["last_modified"].astimezone(UTC)) for each in found]

    def below(self, prefix: str) -> list[str]:
        """The prefixes next below this one."""
        with _as_own_errors():
            return list(self._obstore.list_with_delimiter(self._store, prefix)["common_prefixes"])

    def check(self) -> None:
        """Whether it can be reached, and be listed."""
        with _as_own_errors():
            next(iter(self._obstore.list(self._store, "check", chunk_size=1)), None)

    def _delete_one(self, key: str) -> None:
        with suppress(FileNotFoundError):
            self._obstore.delete(self._store, key)


def store() -> ObjectStore:
    """Of this service. Raises `ImproperlyConfigured`."""
    return _store(settings.STORAGE_URL)


@cache
def _store(url: str) -> ObjectStore:
    return ObjectStore(url)


def has_plain_endpoint() -> bool:
    """Whether the S3 server that the environment names is spoken to without TLS."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", "")
    return endpoint.startswith("http://")


def _opened(url: str) -> Any:
    from obstore.exceptions import BaseError
    from obstore.store import from_url

    options: dict[str, Any] = {
        "client_options": {"timeout": "60s", "connect_timeout": "3s", "allow_http": has_plain_endpoint()},
        "retry_config": _RETRIES,
    }
    if url.startswith("file://"):
        options = {"mkdir": True, "automatic_cleanup": True}
    try:
        return from_url(url, **options)
    except (BaseError, ValueError) as error:
        raise ImproperlyConfigured(f"STORAGE_URL cannot be used: {error}") from None


class _Reader:
    """What obstore opens, with its errors told as all others are."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def read(self, size: int = -1) -> bytes:
        with _as_own_errors():
            return bytes(self._reader.read(size if size >= 0 else None))

    def seek(self, offset: int, whence: int = 0) -> int:
        with _as_own_errors():
            return int(self._reader.seek(offset, whence))

    def tell(self) -> int:
        return int(self._reader.tell())

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._reader.close()

    def __enter__(self) -> "_Reader":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


@contextmanager
def _as_own_errors() -> Iterator[None]:
    from obstore.exceptions import BaseError

    try:
        yield
    except FileNotFoundError:
        raise
    except BaseError as error:
        # Its sentence goes on with all that was tried, over many lines.
        raise StorageAway(str(error).strip().partition("\n")[0]) from None


def _in_parallel(work: Callable[[Any], None], entries: Iterable[Any]) -> None:
    found = list(entries)
    if len(found) == 1:
        work(found[0])
    elif found:
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            list(pool.map(work, found))
