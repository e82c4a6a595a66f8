from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from datasets.catalogue.build_directory import BuildDirectory
from datasets.management.building import BuildingCommand, as_command_errors


class Command(BuildingCommand):
    help = (
        "Second step of build_catalogue: fit PCA and UMAP on the features that extract_features left, then install the "
        "result: vectors and tilemaps are served at once, uploads are placed by the new models, and the vectors are "
        "also written as the old server's pickles. With --again it fits what is installed anew, which is also the way "
        "out when models of an older format are refused."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--again", action="store_true", help="Fit again even if it has been done.")
        self.add_fit_sample(parser)

    def handle(self, *args: Any, again: bool, fit_sample: int | None, **options: Any) -> None:
        with as_command_errors():
            work = BuildDirectory.begun(settings.DATA_DIR)
            if again:
                work.forget_fit()
            self.fit_and_publish(work, fit_sample=fit_sample)
