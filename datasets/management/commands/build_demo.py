import io
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from PIL import Image

from datasets import catalogue, sources
from datasets.management.building import BuildingCommand, told_plainly


class Command(BuildingCommand):
    help = (
        "Build a small catalogue from scikit-learn's 1,797 handwritten digits, through the whole pipeline, to have "
        "something to look at. It never replaces another catalogue. Uploads are not placed among the digits, unless "
        "SPACE=catalogue asks for it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--restart", action="store_true", help="Throw away a build begun earlier.")

    def handle(self, *args: Any, restart: bool, **options: Any) -> None:
        with told_plainly():
            installed = catalogue.read_card(settings.DATA_DIR)
            if installed and not installed["demo"]:
                raise CommandError(f"There is a catalogue, “{installed['name']}”; the demo does not replace it.")
            source = sources.in_memory("scikit-learn's digits", _digits())
            work = self.extract_from(source, name="Digits", demo=True, restart=restart)
            self.fit_and_publish(work)


def _digits() -> dict[str, bytes]:
    """Each digit as a PNG, dark on white as on paper; its label is in its name."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return {
        f"{index:04d}-digit-{label}.png": _png(255 - (pixels * (255 / 16)).astype(np.uint8))
        for index, (pixels, label) in enumerate(zip(digits.images, digits.target, strict=True))
    }


def _png(pixels: "np.ndarray[Any, np.dtype[np.uint8]]") -> bytes:
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return data.getvalue()
