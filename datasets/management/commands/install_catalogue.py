from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from datasets.catalogue import conversion, publication, sharing
from datasets.catalogue.build_directory import BuildError
from datasets.errors import ApiError
from datasets.management.base import DataCommand
from embeddings.vector_files import BadVectors


class Command(DataCommand):
    help = (
        "Make another of the catalogues that were built here the one that the contract's calls serve, at once and "
        "while a server runs; its pickles, tilemaps and models take the others' place. Without a name it lists them."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("catalogue", nargs="?", help="Its name or its id.")
        parser.add_argument("--remove", action="store_true", help="Remove it instead; not the installed one.")

    def handle(self, *args: Any, catalogue: str | None, remove: bool, **options: Any) -> None:
        data = settings.DATA_DIR
        try:
            conversion.convert(data)
            sharing.follow(data)
            if catalogue is None:
                for entry in publication.entries(data):
                    mark = "*" if entry.is_installed else " "
                    self.stdout.write(f"{mark} {entry.id:<20} {entry.total:>12,}  {entry.name}")
                return
            with sharing.changing(data):
                entry = (publication.remove if remove else publication.install)(data, catalogue)
        except (ApiError, BadVectors, BuildError, OSError) as error:
            raise CommandError(str(error)) from error
        done = "Removed" if remove else "Installed"
        self.stdout.write(self.style.SUCCESS(f"{done} “{entry.name}”, {entry.total:,} pictures."))
