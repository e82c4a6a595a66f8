"""A data folder of its own for every test, and pictures made in memory."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management.commands import flush
from django.core.management.sql import sql_flush
from django.db import connection
from pytest_django import Settings

from datasets.catalogue import installed_catalogue, sharing
from datasets.pictures import decoder_pool
from datasets.uploads.watchdog import watchdog
from embeddings.backbones import BACKBONES
from tests.support import data_folder
from tests.support.small_network import SMALL, write_weights


@pytest.fixture(autouse=True)
def data(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """An empty data folder. Converted networks are kept between tests."""
    folder = tmp_path / "data"
    data_folder.use(settings, folder)
    yield folder
    installed_catalogue.catalogue_store.cache_clear()


@pytest.fixture(autouse=True)
def _as_one_process_among_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that have a process of their own lower its priority, and end it where it hangs. Here that would be all
    later tests', and the services' that they start."""
    monkeypatch.setattr(os, "nice", lambda increment: 0)
    monkeypatch.setattr(watchdog, "start", lambda: None)


@pytest.fixture
def bucket(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An object store, which is a folder here."""
    settings.STORAGE_URL = f"file://{tmp_path / 'bucket'}"
    monkeypatch.setattr(sharing, "_followed", set())
    return tmp_path / "bucket"


@pytest.fixture
def own_disk(settings: Settings) -> None:
    """No object store, whatever the tests run on."""
    settings.STORAGE_URL = ""


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    """Between tests, leave the rows that `migrate` made: Django deletes them and makes them again, at four times the
    cost of all else that it does there. PostgreSQL empties all tables by one statement."""
    if connection.vendor != "sqlite":
        yield
        return
    made_by_migrate = ('"django_content_type"', '"auth_permission"')

    def statements(*args: Any, **options: Any) -> list[str]:
        return [sql for sql in sql_flush(*args, **options) if not any(table in sql for table in made_by_migrate)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "sql_flush", statements)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *args, **options: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _decoder_processes() -> Iterator[None]:
    yield
    decoder_pool.decoders().close()


@pytest.fixture
def small_network(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the network sees does not matter here."""
    monkeypatch.setitem(BACKBONES, "resnet50", SMALL)
    chosen = write_weights(tmp_path / "weights.pth")
    settings.BACKBONE, settings.RESNET50_WEIGHTS = chosen["BACKBONE"], Path(chosen["RESNET50_WEIGHTS"])
