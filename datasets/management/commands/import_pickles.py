"""The old server's data folder → the catalogue."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from datasets.catalogue import conversion, installation, installed_catalogue, sharing
from datasets.management.base import DataCommand
from embeddings.vector_files import BadVectors


class Command(DataCommand):
    help = (
        "Install the catalogue from data/pickles/celeba_features_pca_reduced.pickle and …_umap_reduced.pickle. Nothing "
        "in a pickle is run: one that holds anything but a NumPy array of shape (n, 3) is refused. The server does "
        "this by itself at its start when the pickles have changed; tilemaps are served as they lie in data/tilemaps/."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--force", action="store_true", help="Import even if the pickles have not changed.")
        parser.add_argument("--name", default="CelebA", help="What to call the catalogue (default: %(default)s).")

    def handle(self, *args: Any, force: bool, name: str, **options: Any) -> None:
        try:
            conversion.convert(settings.DATA_DIR)
            if (
                not force
                and not installed_catalogue.has_new_pickles(settings.DATA_DIR)
                and installed_catalogue.read_manifest(settings.DATA_DIR)
            ):
                self.stdout.write("Nothing to do: the installed vectors come from these pickles.")
                return
            with sharing.changing(settings.DATA_DIR):
                total = installation.import_pickles(settings.DATA_DIR, name=name)
        except (BadVectors, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(f"Installed {total:,} pictures as “{name}”."))
