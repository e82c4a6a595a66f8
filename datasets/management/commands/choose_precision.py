from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from datasets.catalogue.sources import OpenSource
from datasets.management.building import BuildingCommand, as_command_errors
from datasets.pictures import pipeline_settings
from datasets.pictures.extraction import prepare
from embeddings.extractors import Extractor, Precision, can_run, open_extractor
from embeddings.images.decoding import RGB
from embeddings.precision import ENOUGH_RECALL, NEIGHBOURS, PrecisionChoice, PrecisionReport, Speed, quantise, why_not

CALIBRATION = 300
TIMED = 200
"""Pictures that either precision computes in each turn of three."""


class Command(BuildingCommand):
    help = (
        "Choose the arithmetic that the network runs in on this CPU. bf16 and int8 are faster than fp32 on most CPUs "
        "and change the features a little; this measures, on pictures of SOURCE, which share of each one's "
        f"{NEIGHBOURS} nearest neighbours they keep, and how many pictures a second this machine computes in either. "
        f"It refuses a precision that keeps less than {ENOUGH_RECALL:.0%} or is no faster, unless --force says "
        f"otherwise. int8 is first calibrated on {CALIBRATION} of the pictures: take them from the collection that "
        "will be served. Datasets made from now on get new ids and new vectors; rebuild the catalogue to have its "
        "features in the same precision. Restart the server afterwards."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("precision", choices=["fp32", "bf16", "int8"])
        parser.add_argument(
            "source", nargs="?", help="Where pictures lie, as for build_catalogue; not needed for fp32."
        )
        parser.add_argument("--pictures", type=int, default=1000, help="How many to measure on (default: %(default)s).")
        parser.add_argument("--force", action="store_true", help="Choose it whatever the measurement says.")

    def handle(
        self, *args: Any, precision: Precision, source: str | None, pictures: int, force: bool, **options: Any
    ) -> None:
        with as_command_errors():
            weights = pipeline_settings.weights()
            folder = pipeline_settings.models_folder(weights)
            if precision == "fp32":
                PrecisionChoice().write(folder, weights, None)
                self.stdout.write(self.style.SUCCESS("fp32 is used from the next start on."))
                return
            if source is None:
                raise CommandError(f"{precision} is measured on pictures: name a folder or a ZIP of them.")
            if not can_run(precision) and not force:
                raise CommandError(
                    f"This CPU has no {precision}: it would compute in fp32, no faster. --force chooses it all the "
                    "same, for another machine."
                )
            crops = self._crops(source, pictures)
            choice = (
                quantise(weights, settings.CACHE_DIR, folder, _spread(crops, CALIBRATION))
                if precision == "int8"
                else PrecisionChoice(precision="bf16")
            )
            exact, close = self._opened(PrecisionChoice()), self._opened(choice)
            fidelity = PrecisionReport.measure(exact.extract(crops), close.extract(crops))
            some = crops[:TIMED]
            speed = Speed.measure(lambda: exact.extract(some), lambda: close.extract(some), len(some))
            self.stdout.write(f"{weights.backbone.name} in {precision}: {fidelity}")
            self.stdout.write(f"{speed} ({close.info})")
            if (reason := why_not(precision, fidelity, speed)) and not force:
                choice.discard()
                raise CommandError(f"{reason}: not chosen. --force chooses it all the same.")
            choice.write(folder, weights, fidelity, speed)
            self.stdout.write(self.style.SUCCESS(f"{precision} is used from the next start on."))

    def _crops(self, address: str, count: int) -> list[RGB]:
        backbone = pipeline_settings.weights().backbone
        with OpenSource(address) as source:
            names = _spread(source.names, 2 * count)

            def readable() -> Iterator[RGB]:
                files = prepare(names, source.read, backbone, settings.MAX_MEGAPIXELS * 1_000_000)
                with closing(files):
                    for _, outcome in files:
                        if not isinstance(outcome, Exception):
                            yield outcome.crop

            crops = list(islice(readable(), count))
        if len(crops) < 5 * NEIGHBOURS:
            raise CommandError(f"{address} has {len(crops)} readable pictures; {5 * NEIGHBOURS} are needed to measure.")
        return crops

    def _opened(self, choice: PrecisionChoice) -> Extractor:
        return open_extractor(
            pipeline_settings.weights(),
            settings.CACHE_DIR,
            precision=choice.precision,
            quantised=choice.network,
            device="cpu",
        )


def _spread(items: "list[Any]", count: int) -> "list[Any]":
    """At most `count` of the items, evenly from first to last."""
    if len(items) <= count:
        return items
    return [items[index] for index in np.linspace(0, len(items) - 1, count).astype(int)]
