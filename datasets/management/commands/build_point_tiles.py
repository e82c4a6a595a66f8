from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from datasets.catalogue import publication, sharing
from datasets.collection import point_tiles
from datasets.errors import ApiError
from datasets.management.base import DataCommand
from embeddings.vector_files import BadVectors


class Command(DataCommand):
    help = (
        "Write the layouts of a catalogue as tiles of points, which a page loads as it needs them. Publishing one "
        "of POINT_TILES_FROM pictures or more does it, too: this is for those that are there already, whose tilemaps "
        "were drawn later, or whose tiles others than the page are to load, at any number of pictures."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("catalogue", nargs="?", help="Its name or its id (default: the installed one).")

    def handle(self, *args: Any, catalogue: str | None, **options: Any) -> None:
        data = settings.DATA_DIR
        try:
            sharing.follow(data)
            wanted = catalogue or next((entry.id for entry in publication.entries(data) if entry.is_installed), "")
            if not wanted:
                raise CommandError("No catalogue is installed: build one, or name another one.")
            found = publication.catalogue(data, publication.find(data, wanted).id)
            for index in point_tiles.build_all(found.folder, found.tilemap_path):
                nodes, size = len(index["counts"]), index["bytes"] / 1e6
                done = f"{index['layout']}: {index['count']:,} points in {nodes:,} nodes, {size:,.1f} MB"
                self.stdout.write(self.style.SUCCESS(done))
                self.stdout.flush()
            sharing.store_collection(found.folder)
        except (ApiError, BadVectors, OSError) as error:
            raise CommandError(str(error)) from error
