from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from datasets import collection, metadata_files
from datasets.errors import Refusal
from embeddings.vectors import replacing


class Command(BaseCommand):
    help = (
        "Read what files say of the catalogue's pictures: CelebA's list_attr_celeba.txt and identity_CelebA.txt, a CSV "
        "whose first column names the files, or a JSON object of objects by file name. Fields are added to those that "
        "are there; a field of the same name is replaced. A running server shows them at once."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path)

    def handle(self, *args: Any, files: list[Path], **options: Any) -> None:
        try:
            found = collection.installed()
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        for file in files:
            try:
                table, remarks = metadata_files.read(file.read_bytes(), file.name).table(
                    found.names(range(found.total))
                )
            except (OSError, ValueError) as error:
                raise CommandError(f"{file}: {error}") from error
            with replacing(found.metadata_path) as target:
                target.write(found.metadata().joined(table).dumped())
            for remark in remarks:
                self.stderr.write(self.style.WARNING(f"{file.name}: {remark}"))
            self.stdout.write(
                self.style.SUCCESS(f"{file.name}: {len(table.columns)} fields of {table.total:,} pictures.")
            )
