"""A PostgreSQL server for these tests, and a database of it for each of them."""

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support import postgresql


@pytest.fixture(scope="session")
def database_server() -> Iterator[postgresql.Server]:
    with ExitStack() as stack:
        try:
            running = stack.enter_context(postgresql.server())
        except (ImportError, OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"PostgreSQL, which comes with `make test-scale`, does not start here: {error}")
        yield running


@pytest.fixture
def scaled(database_server: postgresql.Server) -> dict[str, str]:
    """Settings of a server on a new database."""
    url = postgresql.with_database(database_server.url(), f"wwzd_{secrets.token_hex(4)}")
    return {"DATABASE_URL": url, "SECRET_KEY": postgresql.SECRET_KEY}
