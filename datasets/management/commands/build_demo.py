import io
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from PIL import Image

from datasets.catalogue import installed_catalogue
from datasets.catalogue.sources import OpenSource
from datasets.management.building import BuildingCommand, as_command_errors
from embeddings.vector_files import replacing


class Command(BuildingCommand):
    help = (
        "Build a small catalogue from scikit-learn's 1,797 handwritten digits, through the whole pipeline, to have "
        "something to look at: their pictures and the digit that each one shows lie in data/demo/. It never replaces "
        "another catalogue. Uploads are not placed among the digits, unless SPACE=catalogue asks for it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--restart", action="store_true", help="Throw away a build begun earlier.")

    def handle(self, *args: Any, restart: bool, **options: Any) -> None:
        with as_command_errors():
            installed = installed_catalogue.read_manifest(settings.DATA_DIR)
            if installed and not installed["demo"]:
                raise CommandError(f"There is a catalogue, “{installed['name']}”; the demo does not replace it.")
            pictures, labels = _write_digits(settings.DATA_DIR / "demo")
            with OpenSource(pictures) as source:
                work = self.extract_from(source, name="Digits", demo=True, restart=restart)
            self.fit_and_publish(work)
        call_command("import_metadata", labels, stdout=self.stdout, stderr=self.stderr)


def _write_digits(folder: Path) -> tuple[Path, Path]:
    """Write a ZIP of the digits' pictures, and a CSV of what each one shows. Returns the paths of both."""
    pictures, labels = folder / "digits.zip", folder / "digits.csv"
    with replacing(pictures) as file, zipfile.ZipFile(file, "w") as archive:
        for name, picture in digits().items():
            archive.writestr(zipfile.ZipInfo(name), picture)  # of a fixed date: the same digits are the same bytes
    with replacing(labels) as file:
        rows = [f"{name},{Path(name).stem.rpartition('-')[2]}" for name in digits()]
        file.write("\n".join(["name,digit", *rows, ""]).encode())
    return pictures, labels


@cache
def digits() -> dict[str, bytes]:
    """Each digit as a PNG, dark on white as on paper; its label is in its name."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return {
        f"{index:04d}-digit-{label}.png": _png(255 - (pixels * (255 / 16)).astype(np.uint8))
        for index, (pixels, label) in enumerate(zip(found.images, found.target, strict=True))
    }


def _png(pixels: "np.ndarray[Any, np.dtype[np.uint8]]") -> bytes:
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return data.getvalue()
