from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.template.defaultfilters import pluralize

from datasets.catalogue import conversion, publication, report, sharing
from datasets.catalogue.collection import CatalogueCollection, installed, of_id
from datasets.collection import image_table
from datasets.errors import ApiError
from datasets.management.base import DataCommand
from datasets.pictures.metadata import files as metadata_files
from embeddings.vector_files import BadVectors


class Command(DataCommand):
    help = (
        "Read what files say of a catalogue's pictures: CelebA's list_attr_celeba.txt and identity_CelebA.txt, a "
        "CSV, JSON or JSON Lines in which a column or a field holds the files' names. Fields are added to those that "
        "are there; a field of the same name is replaced. A running server shows them at once."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path)
        parser.add_argument("--catalogue", metavar="NAME", help="Its name or its id; else the installed one.")

    def handle(self, *args: Any, files: list[Path], catalogue: str | None, **options: Any) -> None:
        try:
            data = settings.DATA_DIR
            conversion.convert(data)
            sharing.follow(data)
            found = installed() if catalogue is None else of_id(publication.find(data, catalogue).id)
        except (ApiError, BadVectors, OSError) as error:
            raise CommandError(str(error)) from error
        names = found.names(range(found.total))
        for file in files:
            with sharing.changing(data):
                refusal = self._import(found, file, names)
            if refusal:
                raise CommandError(f"{file}: {refusal}")

    def _import(self, found: CatalogueCollection, file: Path, names: Sequence[str]) -> str:
        """Why nothing was taken from a file; empty where something was. What is noted of it other hosts get, too."""
        try:
            described = metadata_files.read(file.read_bytes(), file.name, names, are_named=found.is_named)
        except OSError as error:
            return str(error)
        except ValueError as error:
            report.note_metadata(found, metadata_files.unused(file.name, found.total, str(error)).summary())
            return str(error)
        report.note_metadata(found, described.summary())
        table = described.table
        if not table.columns:
            return "; ".join(described.remarks)
        image_table.add_metadata(found.metadata_path, found.total, table.columns.values())
        for remark in described.remarks:
            self.stderr.write(self.style.WARNING(f"{file.name}: {remark}"))
        self.stdout.write(
            self.style.SUCCESS(
                f"{file.name}: {len(table.columns)} field{pluralize(table.columns)} of "
                f"{described.pictures:,} of {table.total:,} pictures."
            )
        )
        return ""
