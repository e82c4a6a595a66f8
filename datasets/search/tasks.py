"""What the queue carries from the web process to the worker: pictures and texts to look up."""

from typing import Any

from django_tasks import task

from datasets.uploads.watchdog import watchdog

from . import query, text_query

_LOOK_UP_SECONDS = 120
"""Clients wait for less, but the first one has the catalogue's index opened."""


# Before the uploads that wait: somebody looks at the screen.
@task(priority=50)
def search_by_picture_file(token: str, target: str | None, count: int) -> dict[str, Any]:
    """Find what is like one picture of `query_pictures`. Returns what the client gets, or `{"error", "kind", "code",
    "params"}`."""
    with watchdog.expecting(_LOOK_UP_SECONDS, "a search"):
        return query.answer(token, target, count)


@task(priority=50)
def search_by_words(text: str, target: str | None, count: int) -> dict[str, Any]:
    """Find the pictures that a text describes. Returns what `search_by_picture_file` does."""
    with watchdog.expecting(_LOOK_UP_SECONDS, "a search"):
        return text_query.answer(text, target, count)
