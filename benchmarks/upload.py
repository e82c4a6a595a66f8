"""An upload of 1000 CelebA-sized JPEGs to the warm service, and its parts: `python -m benchmarks.upload`.

ResNet50 runs with seeded random weights: they take as long as trained ones.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from embeddings.extractors import Precision, can_run
from tests.support.paths import ROOT
from tests.support.pictures import zipped
from tests.support.service import Service

from . import inputs, plain

REPEATS = 3


def main() -> None:
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="wwzd-upload-") as name:
        folder = Path(name)
        weights = inputs.seeded_resnet50(folder / "resnet50.pth")
        files = inputs.portraits()
        source = folder / "portraits.zip"
        source.write_bytes(zipped(files))
        slow = plain_times(weights, files)
        known: tuple[Precision, ...] = ("fp32", "bf16", "int8")
        for precision in filter(can_run, known):
            for row in ours(folder / precision, weights, source, files, precision, slow):
                print(json.dumps(row), flush=True)


def plain_times(weights: Path, files: dict[str, bytes]) -> list[float]:
    """Seconds of the plain way, warm: its network has run and its UMAP is compiled."""
    network = plain.Network(weights)
    few = list(files.values())[:64]
    plain.reduce(network.features(few))
    return [_timed(plain.upload, archive, network) for archive in _archives(files)]


def ours(
    data: Path, weights: Path, source: Path, files: dict[str, bytes], precision: Precision, slow: list[float]
) -> list[dict[str, object]]:
    """End to end over HTTP, and what the log says of everything but the network."""
    settings = {"BACKBONE": "resnet50", "RESNET50_WEIGHTS": str(weights), "PRECISION": "auto"}
    environment = {**os.environ, **settings, "DATA_DIR": str(data)}
    choose = [sys.executable, "manage.py", "choose_precision", precision, str(source), "--pictures", "300", "--force"]
    said = subprocess.run(choose, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    service = Service(data, settings=settings).start()
    try:
        first, *archives = _archives(files, REPEATS + 1)
        service.upload(first)
        times = [_timed(service.upload, archive) for archive in archives]
        rest = [
            float(total) - float(features)
            for features, total in re.findall(r"features_s=([\d.]+).* total_s=([\d.]+)", service.output())
        ][1:]
    finally:
        service.stop()
    fidelity = next((line.split(": ", 1)[1] for line in said.splitlines() if "recall@" in line), "")
    return [
        {"what": f"upload of 1000 portraits, ResNet50 {precision}", "plain": slow, "ours": times, "note": fidelity},
        {"what": f"… after the network ({precision}): PCA, UMAP, storing, database", "plain": None, "ours": rest},
    ]


def _archives(files: dict[str, bytes], count: int = REPEATS) -> list[bytes]:
    """The same pictures in archives of which each is new to the server."""
    return [zipped(files | {"turn.txt": f"{turn} {time.time()}".encode()}) for turn in range(count)]


def _timed(work: Callable[..., object], *arguments: object) -> float:
    started = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
