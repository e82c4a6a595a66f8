"""Everything slow that is done once."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from datasets.pictures import pipeline_settings
from embeddings import weights_file
from embeddings.weights_file import WeightsError


class Command(BaseCommand):
    help = (
        "Get ready to compute: fetch the weights of the network if they are not at hand, check the weights, convert "
        "the network for this machine and warm the caches. Weights are looked for in this order: the file named in "
        "RESNET50_WEIGHTS; a PyTorch state dict in data/models/resnet50_celeba/; data/models/resnet50/, where the "
        "download is kept; EfficientNet-Lite0's package, unless BACKBONE=resnet50. For BACKBONE=clip_vit_b32: the file "
        "named in CLIP_WEIGHTS; data/models/clip_vit_b32/, where the download is kept. Run it again at any time: what "
        "is done is not done twice."
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
            if weights.backbone.text:
                pipeline_settings.text_encoder(weights)
        except WeightsError as error:
            raise CommandError(str(error)) from error
        info = pipeline.extractor.info
        self.stdout.write(self.style.SUCCESS(f"Ready after {time.monotonic() - started:.0f} s: {info}."))

    def _download(self) -> None:
        models = settings.DATA_DIR / "models"
        wanted = "resnet50" if settings.BACKBONE == "auto" else settings.BACKBONE
        if pipeline_settings.find_weights(wanted):
            return
        if wanted == "clip_vit_b32":
            weights_file.download(models, settings.CLIP_URL or weights_file.CLIP_URL, backbone=wanted)
            return
        try:
            weights_file.download(models, settings.RESNET50_URL or weights_file.RESNET50_URL)
        except WeightsError as error:
            if settings.BACKBONE == "resnet50":
                raise
            self.stderr.write(
                self.style.WARNING(
                    f"ResNet50's weights: {error}.\nThe service runs on EfficientNet-Lite0 instead. Run "
                    "`manage.py prepare` again when the network is there, or name a file in RESNET50_WEIGHTS."
                )
            )
