"""What commands say of a database or an object store that they cannot use."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, ProgrammingError

from datasets.errors import ApiError, DatabaseAway, DatabaseLocked
from datasets.models import NotStored
from datasets.storage.objects import StorageAway
from datasets.uploads import outages

_NO_TABLES = "The database lacks tables of this version: `manage.py serve` or `manage.py migrate` makes them."


class DataCommand(BaseCommand):
    """A command on what the database and the object store have."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            self.begin()
            return super().execute(*args, **options)
        except (ApiError, DatabaseError, NotStored, StorageAway) as error:
            found = command_error(error)
            if found is None:
                raise
            raise found from error

    def begin(self) -> None:
        """What comes before all else."""


def command_error(error: Exception) -> CommandError | None:
    """None for an error that speaks of something else."""
    if isinstance(error, ApiError):
        return CommandError(str(error))
    if isinstance(error, NotStored):
        return CommandError("Another server has removed what was changed here: nothing of it was stored.")
    if isinstance(error, StorageAway):
        return CommandError(f"The store that STORAGE_URL names cannot be used: {error}")
    if _lacks_tables(error):
        return CommandError(f"{_NO_TABLES} ({error})")
    found = outages.api_error(error)
    if isinstance(found, DatabaseLocked):
        return CommandError(str(found))
    if isinstance(found, DatabaseAway):
        return CommandError(f"The database that DATABASE_URL names cannot be reached: {error}")
    return None


def _lacks_tables(error: Exception) -> bool:
    """Whether migrations are missing: PostgreSQL has a class of errors for it, SQLite a sentence."""
    return isinstance(error, ProgrammingError) or "no such table" in str(error)
