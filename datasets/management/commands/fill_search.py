"""Features of collections → the database of neighbours."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from datasets.catalogue import publication, sharing
from datasets.collection.base import Collection
from datasets.collection.uploaded import Upload
from datasets.errors import ApiError, NotFound
from datasets.management.base import DataCommand
from datasets.management.building import progress_bar
from datasets.models import Dataset
from datasets.search import collections
from embeddings.nearest_neighbours import EXACT_ROWS


class Command(DataCommand):
    help = (
        "Write the features of collections into the database that SEARCH_URL names, where neighbours are looked up "
        "then; run it where the features lie, after each build. What is there already is left as it is, and what is "
        "of other versions, or of collections that are gone, is removed."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="*", metavar="ID", help="A catalogue or an upload (default: all of many).")
        parser.add_argument(
            "--least",
            type=int,
            default=EXACT_ROWS + 1,
            metavar="ROWS",
            help="Without ids, leave out collections of fewer pictures (default: %(default)s). Hosts without features "
            "find no neighbours in those.",
        )

    def handle(self, *args: Any, ids: list[str], least: int, **options: Any) -> None:
        if not settings.SEARCH_URL:
            raise CommandError("SEARCH_URL is not set: neighbours are found by the index on disk.")
        import psycopg

        try:
            sharing.follow(settings.DATA_DIR)
            for found in self._named(ids) if ids else _of_many(least):
                self._fill(found)
            if not ids:
                self._remove_others()
        except psycopg.errors.FeatureNotSupported as error:
            raise CommandError(f"The database of SEARCH_URL has no pgvector: {error}") from error
        except psycopg.Error as error:
            raise CommandError(f"The database of SEARCH_URL cannot be filled: {error}") from error

    def _named(self, ids: list[str]) -> Iterator[Collection]:
        for collection_id in ids:
            try:
                yield collections.find(collection_id)
            except ApiError as error:
                raise CommandError(f"{collection_id}: {error}") from error

    def _fill(self, found: Collection) -> None:
        from datasets.collection import vector_tables

        try:
            blocks = found.blocks()
        except NotFound as error:
            self.stderr.write(self.style.WARNING(f"{found.id} is left out: {error}"))
            return
        with progress_bar(found.total) as bar:
            version = found.features_version
            is_new = vector_tables.fill(settings.SEARCH_URL, found.id, version, blocks, bar.update)
        self.stdout.write(f"{found.id}: {found.total:,} pictures{'' if is_new else ', as before'}")

    def _remove_others(self) -> None:
        from datasets.collection import vector_tables

        there = [entry.id for entry in publication.entries(settings.DATA_DIR)]
        there += Dataset.objects.ready().values_list("hash", flat=True)
        for removed in vector_tables.keep_only(settings.SEARCH_URL, there):
            self.stdout.write(f"{removed}: removed")


def _of_many(least: int) -> Iterator[Collection]:
    """The catalogues and the ready uploads of so many pictures at least."""
    for entry in publication.entries(settings.DATA_DIR):
        if entry.total >= least:
            yield collections.find(entry.id)
    for dataset in Dataset.objects.ready().filter(count__gte=least).order_by("created_at"):
        yield Upload(dataset)
