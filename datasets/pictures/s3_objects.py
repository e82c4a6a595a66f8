"""Files under s3://bucket/prefix: their names, page by page, and their bytes.

Endpoint and keys come from the environment: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and
the others that Amazon's own tools read.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Any

from datasets.storage.objects import has_plain_endpoint

from .zip_archive import MemberError

SCHEME = "s3://"
CONNECTIONS = 16
"""Files to wait for at once: each takes some milliseconds on its way, during which it needs no core."""
_PAGE = 1000
_PATIENCE, _PAUSE = timedelta(seconds=60), timedelta(seconds=2)
_ADDRESS = re.compile(r"s3://(?P<bucket>[^/\s]+)(?:/(?P<prefix>.*?))?/?")


class S3Error(Exception):
    """A bucket cannot be used, or not now; the message says why."""


def names(address: str) -> Iterator[str]:
    """The keys below the prefix, without it, as the server lists them. Raises `S3Error`."""
    store = _store(address)
    with _as_own_errors(address):
        for page in import_obstore().list(store, chunk_size=_PAGE):
            yield from (each["path"] for each in page)


def reader(address: str) -> Callable[[str], bytes]:
    """Reads an object by its name. That raises `MemberError` where there is none, `S3Error` where it cannot be told."""
    store = _store(address)

    def read(name: str) -> bytes:
        with _as_own_errors(address):
            try:
                return bytes(import_obstore().get(store, name).bytes())
            except FileNotFoundError as error:
                raise MemberError("it is not in the bucket any more") from error

    return read


def import_obstore() -> Any:
    """Raises `S3Error` where it is not installed."""
    try:
        import obstore
    except ImportError as error:
        raise S3Error(
            "s3:// needs a package that is not installed: run `.venv/bin/python -m pip install -r "
            "requirements-scale.txt`"
        ) from error
    return obstore


@cache
def _store(address: str) -> Any:
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise S3Error(f"{address} is no address of the form s3://bucket/prefix")
    import_obstore()
    from obstore.store import S3Store

    with _as_own_errors(address):
        return S3Store(
            found["bucket"],
            prefix=found["prefix"] or None,
            client_options={"allow_http": has_plain_endpoint()},
            # As long as a server takes to start again; ten tries, its default, may be over in three seconds.
            retry_config={"max_retries": 1000, "retry_timeout": _PATIENCE, "backoff": {"max_backoff": _PAUSE}},
        )


@contextmanager
def _as_own_errors(address: str) -> Iterator[None]:
    """Its errors are many lines long, of which the first one says what happened."""
    try:
        yield
    except (import_obstore().exceptions.BaseError, OSError, ValueError) as error:
        raise S3Error(f"{address} cannot be read: {str(error).splitlines()[0][:500]}") from error
