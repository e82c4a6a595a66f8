from argparse import BooleanOptionalAction
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandParser

from datasets.catalogue.sources import SourceError
from datasets.management.building import BuildingCommand, as_command_errors


class Command(BuildingCommand):
    help = (
        "Build the catalogue from a folder, a ZIP or a bucket of pictures, and install it: extract_features, then "
        "fit_reducers. It may be stopped or killed at any moment; the same command goes on where it was. CelebA's "
        "202,599 pictures take about 1.7 GB in data/ with ResNet50, and a few hours on two cores. Example: "
        "manage.py build_catalogue ~/celeba/img_align_celeba"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        self.add_source(parser)
        parser.add_argument(
            "--metadata", type=Path, nargs="+", default=[], help="Files for import_metadata, once all is installed."
        )

        self.add_fit_sample(parser)
        parser.add_argument(
            "--install",
            action=BooleanOptionalAction,
            default=True,
            help="Make it the catalogue that the contract's calls serve (the default), or keep it beside that one: the "
            "page shows all, and install_catalogue switches.",
        )

    def handle(
        self,
        *args: Any,
        source: str,
        name: str,
        restart: bool,
        ray: str | None,
        allow_mixed: bool,
        metadata: list[Path],
        install: bool,
        fit_sample: int | None,
        **options: Any,
    ) -> None:
        with as_command_errors():
            if missing := next((file for file in metadata if not file.is_file()), None):
                raise SourceError(f"there is no file {missing}")
            if metadata and not install:
                raise SourceError("metadata are imported of the installed catalogue: give them once it is installed")
            work = self.extract(source, name=name, restart=restart, ray=ray, allow_mixed=allow_mixed)
            self.fit_and_publish(work, install=install, fit_sample=fit_sample)
        if metadata:
            call_command("import_metadata", *metadata, stdout=self.stdout, stderr=self.stderr)
