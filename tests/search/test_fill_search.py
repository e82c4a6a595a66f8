"""Without SEARCH_URL there is nothing to fill, and nothing of it is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.support.paths import ROOT

_NEIGHBOURS = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "wwzd.settings"
import django
django.setup()
import wwzd.urls
from datasets.collection.base import Collection
from datasets.search import query
from datasets.management.commands import fill_search
# psycopg itself is imported by Django where it is installed.
ours = {"dj_database_url", "datasets.collection.database_search", "datasets.collection.vector_tables"}
print(sorted(ours & set(sys.modules)))
"""


def test_without_the_setting_the_command_says_so() -> None:
    with pytest.raises(CommandError, match="SEARCH_URL is not set"):
        call_command("fill_search")


@pytest.mark.slow
def test_without_the_setting_its_modules_are_not_imported(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _NEIGHBOURS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=_without_database(tmp_path))
    assert done.stdout == "[]\n", done.stderr


def _without_database(data: Path) -> dict[str, str]:

    left = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "SEARCH_URL")}
    return left | {"DATA_DIR": str(data)}
