"""A PostgreSQL server and an S3 server for these tests, and a database and a prefix of them for each test."""

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support import postgresql
from tests.support.s3_server import S3Server, running_s3


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


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with ExitStack() as stack:
        try:
            running = stack.enter_context(running_s3(tmp_path_factory.mktemp("s3")))
        except (ImportError, OSError) as error:
            pytest.skip(f"SeaweedFS, which comes with `make test-scale`, does not start here: {error}")
        yield running


@pytest.fixture
def shared(scaled: dict[str, str], s3_server: S3Server) -> dict[str, str]:
    """Settings of hosts that share a new database and a new place in the store."""
    url = f"s3://{s3_server.bucket}/{secrets.token_hex(4)}"
    return {**scaled, **s3_server.environment, "STORAGE_URL": url}
