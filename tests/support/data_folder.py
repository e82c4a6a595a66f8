"""The data folder that the tests' own process works in."""

from pathlib import Path

from pytest_django import Settings

from datasets.catalogue import installed_catalogue


def use(settings: Settings, folder: Path) -> None:
    """Work in this folder, as a server does that was started with it."""
    (folder / "tmp").mkdir(parents=True)
    settings.DATA_DIR = folder
    settings.FILE_UPLOAD_TEMP_DIR = folder / "tmp"
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": folder / "datasets", "allow_overwrite": True},
        }
    }
    installed_catalogue.catalogue_store.cache_clear()
