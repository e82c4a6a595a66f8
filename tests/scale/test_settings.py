"""DATABASE_URL and SEARCH_URL: what is refused, and how it is said."""

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.support.environment import SESSION
from tests.support.paths import ROOT
from tests.support.postgresql import SECRET_KEY
from wwzd.database import database, search_address

pytestmark = pytest.mark.scale

pytest.importorskip("dj_database_url", reason="it comes with: make test-scale")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://someone:hidden@host/name",
        "postgresql://someone:hidden@host",
        "postgresql://someone:hidden@host:port/name",
        "name",
        "redis://:hidden@host",
        "pgsql://someone:hidden@host/name",
    ],
)
def test_an_address_that_is_none_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="postgresql://user:password@host:5432/name") as refused:
        database(url, SESSION, threads=16)
    assert "hidden" not in str(refused.value)
    with pytest.raises(ImproperlyConfigured, match="SEARCH_URL is not of the form") as refused:
        search_address(url)
    assert "hidden" not in str(refused.value)


def test_options_in_the_address_are_kept() -> None:
    found = database("postgresql://a:b%40c@host:6000/name?sslmode=require&connect_timeout=9", SESSION, threads=16)
    assert (found["PASSWORD"], found["PORT"], found["NAME"]) == ("b@c", 6000, "name")
    assert found["OPTIONS"]["sslmode"] == "require"
    assert str(found["OPTIONS"]["connect_timeout"]) == "9"
    assert found["OPTIONS"]["pool"]["max_size"] == 32


@pytest.mark.parametrize(("key", "is_taken"), [("", False), (SECRET_KEY, True)])
def test_servers_of_a_database_have_one_key(key: str, is_taken: bool) -> None:
    environment = os.environ | {"DATABASE_URL": "postgresql://a:b@127.0.0.1:9/name", "SECRET_KEY": key}
    command = [sys.executable, "manage.py", "showmigrations"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ("needs SECRET_KEY" in done.stderr) is not is_taken
    assert done.returncode
