"""Everything slow that is done once."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from datasets.pictures import pipeline_settings
from embeddings import backbones
from embeddings.backbones import WeightsError


class Command(BaseCommand):
    help = (
        "Get ready to compute: fetch ResNet50's weights if they are wanted and not at hand, check the weights, convert "
        "the network for this machine and warm the caches. Weights are looked for in this order: the file named in "
        "RESNET50_WEIGHTS; a PyTorch state dict in data/models/resnet50_celeba/; data/models/resnet50/, where the "
        "download is kept; EfficientNet-Lite0's package, unless BACKBONE=resnet50. Run it again at any time: what is "
        "done is not done twice."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-download", action="store_true", help="Use what is at hand; ask no other machine.")

    def handle(self, *args: Any, no_download: bool, **options: Any) -> None:
        started = time.monotonic()
        try:
            if not no_download:
                self._download()
            pipeline = pipeline_settings.pipeline()
            weights = pipeline.weights
            self.stdout.write(f"Weights: {weights.backbone.name}, {weights.path} ({weights.source})")
            self.stdout.write(f"Converting and warming up {weights.backbone.name} …")
            self.stdout.flush()
            pipeline.warm_up()
        except WeightsError as error:
            raise CommandError(str(error)) from error
        info = pipeline.extractor.info
        self.stdout.write(self.style.SUCCESS(f"Ready after {time.monotonic() - started:.0f} s: {info}."))

    def _download(self) -> None:
        models, file = settings.DATA_DIR / "models", settings.RESNET50_WEIGHTS
        if settings.BACKBONE == "efficientnet_lite0" or backbones.find(models, choice="resnet50", file=file):
            return
        try:
            backbones.download(models, settings.RESNET50_URL or backbones.RESNET50_URL)
        except WeightsError as error:
            if settings.BACKBONE == "resnet50":
                raise
            self.stderr.write(
                self.style.WARNING(
                    f"ResNet50's weights: {error}.\nThe service runs on EfficientNet-Lite0 instead. Run "
                    "`manage.py prepare` again when the network is there, or name a file in RESNET50_WEIGHTS."
                )
            )
