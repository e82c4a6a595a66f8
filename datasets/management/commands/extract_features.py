from typing import Any

from django.core.management.base import CommandParser

from datasets.management.building import BuildingCommand, as_command_errors


class Command(BuildingCommand):
    help = (
        "First step of build_catalogue: read, decode, tile and extract the features of a collection, in ranges of 1000 "
        "that are kept in data/build/. Killed and started again, it goes on with the first range that is not finished. "
        "A file that is no readable picture is skipped and named. The catalogue that is served does not change until "
        "fit_reducers installs the new one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        self.add_source(parser)

    def handle(
        self,
        *args: Any,
        source: str,
        name: str,
        restart: bool,
        ray: str | None,
        allow_mixed: bool,
        **options: Any,
    ) -> None:
        with as_command_errors():
            self.extract(source, name=name, restart=restart, ray=ray, allow_mixed=allow_mixed)
