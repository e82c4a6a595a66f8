"""A data folder of its own for every test, and pictures made in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from datasets import compute


@pytest.fixture(autouse=True)
def data(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """An empty data folder. Converted networks are kept between tests."""
    folder = tmp_path / "data"
    (folder / "tmp").mkdir(parents=True)
    settings.DATA_DIR = folder
    settings.FILE_UPLOAD_TEMP_DIR = folder / "tmp"
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": folder / "datasets", "allow_overwrite": True},
        }
    }
    compute.shelf.cache_clear()
    yield folder
    compute.shelf.cache_clear()
