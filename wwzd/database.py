"""Where rows are kept: SQLite in the data folder, or the PostgreSQL server that DATABASE_URL names."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

_BESIDE_REQUESTS = 16
"""Connections of one process beside those of its requests: heartbeats, and what else has a thread of its own."""


def database(url: str, data: Path, threads: int) -> dict[str, Any]:
    """Django's settings of it. Raises `ImproperlyConfigured`."""
    return _postgresql(url, threads) if url else _sqlite(data)


def search_address(url: str) -> str:
    """That of the database of neighbours, if there is one. Raises `ImproperlyConfigured`."""
    if url:
        _parsed(url, "SEARCH_URL")
    return url


def _sqlite(data: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": data / "db.sqlite3",
        # One connection a thread, for good: opening one takes three times as long as a small call.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # A transaction that will write says so at once: two of them wait for each other instead of failing.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
        # A file, not memory: threads and processes share it in tests as they do in service.
        "TEST": {"NAME": data / "test.sqlite3"},
    }


def _postgresql(url: str, threads: int) -> dict[str, Any]:
    found = _parsed(url, "DATABASE_URL")
    # Connections are given back to the pool when a request ends, and those that broke are not given out again.
    pool = {"min_size": 1, "max_size": threads + _BESIDE_REQUESTS, "timeout": 5}
    return found | {
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, **found.get("OPTIONS", {}), "pool": pool},
    }


def _parsed(url: str, setting: str) -> dict[str, Any]:
    """Django's settings of a PostgreSQL database. Raises `ImproperlyConfigured`."""
    try:
        import dj_database_url
        import psycopg_pool  # noqa: F401  Django imports it only once it connects
    except ImportError:
        raise ImproperlyConfigured(
            f"{setting} needs packages that are not installed: pip install -r requirements-scale.txt"
        ) from None
    try:
        found: dict[str, Any] = dict(dj_database_url.parse(url))
    except ValueError:  # its sentence would show the password
        found = {}
    if not url.startswith(("postgresql://", "postgres://")) or not found.get("NAME"):
        raise ImproperlyConfigured(f"{setting} is not of the form postgresql://user:password@host:5432/name")
    return found
