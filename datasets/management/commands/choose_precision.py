import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from datasets import compute
from datasets.gather import prepare
from datasets.management.building import BuildingCommand, told_plainly
from datasets.sources import OpenSource
from embeddings.features import Features, Precision, can_run, open_extractor
from embeddings.images import RGB
from embeddings.precision import ENOUGH_RECALL, NEIGHBOURS, Choice, Fidelity, quantise

CALIBRATION = 300


class Command(BuildingCommand):
    help = (
        "Choose the arithmetic that the network runs in on this CPU. bf16 and int8 are faster than fp32 and change the "
        f"features a little; this measures, on pictures of SOURCE, which share of each one's {NEIGHBOURS} nearest "
        f"neighbours they keep, and refuses a precision that keeps less than {ENOUGH_RECALL:.0%}, unless --force says "
        f"otherwise. int8 is first calibrated on {CALIBRATION} of the pictures: take them from the collection that "
        "will be served. Datasets made from now on get new ids and new vectors; rebuild the catalogue to have its "
        "features in the same precision. Restart the server afterwards."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("precision", choices=["fp32", "bf16", "int8"])
        parser.add_argument("source", type=Path, nargs="?", help="A folder or a ZIP of pictures; not needed for fp32.")
        parser.add_argument("--pictures", type=int, default=1000, help="How many to measure on (default: %(default)s).")
        parser.add_argument("--force", action="store_true", help="Choose it whatever the measurement says.")

    def handle(
        self, *args: Any, precision: Precision, source: Path | None, pictures: int, force: bool, **options: Any
    ) -> None:
        with told_plainly():
            weights = compute.weights()
            folder = compute.models_folder(weights)
            if precision == "fp32":
                Choice().write(folder, weights, None)
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
                else Choice(precision="bf16")
            )
            reference = self._extract(crops, Choice())
            fidelity = Fidelity.measure(reference, self._extract(crops, choice))
            self.stdout.write(f"{weights.backbone.name} in {precision}: {fidelity}")
            if fidelity.recall < ENOUGH_RECALL and not force:
                choice.discard()
                raise CommandError(
                    f"{precision} keeps {fidelity.recall:.1%} of the neighbours, less than {ENOUGH_RECALL:.0%}: not "
                    "chosen. --force chooses it all the same."
                )
            choice.write(folder, weights, fidelity)
            self.stdout.write(self.style.SUCCESS(f"{precision} is used from the next start on."))

    def _crops(self, path: Path, count: int) -> list[RGB]:
        backbone = compute.weights().backbone
        with OpenSource(path) as source:
            names = _spread(source.names, 2 * count)

            def readable() -> Iterator[RGB]:
                files = prepare(names, source.read, backbone, settings.MAX_MEGAPIXELS * 1_000_000)
                with closing(files):
                    for _, outcome in files:
                        if not isinstance(outcome, Exception):
                            yield outcome.crop

            crops = list(islice(readable(), count))
        if len(crops) < 5 * NEIGHBOURS:
            raise CommandError(f"{path} has {len(crops)} readable pictures; {5 * NEIGHBOURS} are needed to measure.")
        return crops

    def _extract(self, crops: list[RGB], choice: Choice) -> Features:
        extractor = open_extractor(
            compute.weights(), settings.CACHE_DIR, precision=choice.precision, quantised=choice.network, device="cpu"
        )
        extractor.extract(crops[:20])  # the first pictures pay for memory
        started = time.monotonic()
        features = extractor.extract(crops)
        rate = len(crops) / (time.monotonic() - started)
        self.stdout.write(f"{choice.precision}: {rate:.0f} pictures/s ({extractor.info})")
        self.stdout.flush()
        return features


def _spread(items: "list[Any]", count: int) -> "list[Any]":
    """At most `count` of the items, evenly from first to last."""
    if len(items) <= count:
        return items
    return [items[index] for index in np.linspace(0, len(items) - 1, count).astype(int)]
