from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from datasets.catalogue import builder
from datasets.catalogue.sources import OpenSource
from datasets.management.building import SOURCE_HELP, BuildingCommand, as_command_errors, progress_bar


class Command(BuildingCommand):
    help = (
        "Draw only the tilemaps of a collection, into data/tilemaps/: for vectors that came as pickles without them. "
        "No network is run, and all of them are drawn anew."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", help=SOURCE_HELP)

    def handle(self, *args: Any, source: str, **options: Any) -> None:
        with as_command_errors(), OpenSource(source) as opened, progress_bar(len(opened.names)) as bar:
            drawn = builder.draw_tilemaps(
                settings.DATA_DIR, opened, settings.MAX_MEGAPIXELS * 1_000_000, on_files=bar.update
            )
        self.stdout.write(self.style.SUCCESS(f"{drawn} tilemaps drawn."))
