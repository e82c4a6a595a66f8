"""In the web process: a picture that a client sends along, or a text → what the worker finds.

The network runs in the worker. A picture is left where the worker finds it, a text goes along in the queue, and
the client waits for what `query` and `text_query` find.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django_tasks import TaskResult
from django_tasks.exceptions import TaskResultDoesNotExist
from django_tasks_db.models import DBTaskResult

from datasets.errors import ApiError, ServerError, TooLarge, Unavailable
from datasets.models import WorkerState

from . import query_pictures
from .tasks import search_by_picture_file, search_by_words

PATIENCE_SECONDS = 20.0
_POLL_SECONDS = 0.02

# Each waits in a thread of the server; the others stay free for calls that need no worker.
_WAITING = threading.BoundedSemaphore(max(1, settings.THREADS // 4))


def search_by_picture(file: "UploadedFile[bytes]", target: str | None, count: int) -> dict[str, Any]:
    """Hand the picture to the worker, and wait. Raises `ApiError`, `Unavailable`."""
    if (file.size or 0) > settings.MAX_PICTURE_MB * 2**20:
        sentence = f"The picture is larger than the limit of {settings.MAX_PICTURE_MB} MiB."
        raise TooLarge(sentence, code="picture-too-large", limit=settings.MAX_PICTURE_MB)
    with _turn():
        token = secrets.token_hex(16)
        with query_pictures.kept(token, file.chunks()):
            return _found(lambda: search_by_picture_file.enqueue(token, target, count))


def search_by_text(text: str, target: str | None, count: int) -> dict[str, Any]:
    """Hand the text to the worker, and wait. Raises `ApiError`, `Unavailable`."""
    with _turn():
        return _found(lambda: search_by_words.enqueue(text, target, count))


@contextmanager
def _turn() -> Iterator[None]:
    """One of the few that may wait for the worker. Raises `Unavailable`."""
    if settings.TASKS_BACKEND == "database" and WorkerState.objects.current() is None:
        raise Unavailable(
            "No worker is running, so nothing can be looked up now. Try again in a while.", code="no-worker"
        )
    if not _WAITING.acquire(blocking=False):
        raise Unavailable("Too many searches are under way. Try again in a while.")
    try:
        yield
    finally:
        _WAITING.release()


def _found(enqueue: "Callable[[], TaskResult[Any]]") -> dict[str, Any]:
    """What the worker returns. Raises `ApiError`, `Unavailable`."""
    found = _wait(enqueue)
    if "error" in found:
        raise ApiError.of(found)
    return found


def _wait(enqueue: "Callable[[], TaskResult[Any]]") -> dict[str, Any]:
    began = time.monotonic()
    result = enqueue()
    try:
        while not result.is_finished:
            if time.monotonic() - began > PATIENCE_SECONDS:
                raise Unavailable("The worker has other work for longer than a client should wait. Try again later.")
            time.sleep(_POLL_SECONDS)
            result.refresh()
        return cast(dict[str, Any], result.return_value)
    except (TaskResultDoesNotExist, ValueError):
        # The worker died, or failed on it; its log says how.
        raise ServerError("The server failed on this search; its log says why.") from None
    finally:
        if settings.TASKS_BACKEND == "database":
            DBTaskResult.objects.filter(id=result.id).delete()
