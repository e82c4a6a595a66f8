"""Extracting a catalogue's features beside the bare engine: `python -m benchmarks.extraction`.

Bare: the same engine, fed with crops that lie ready in memory. Ours: all that `manage.py extract_features` does, from a
ZIP of CelebA-sized JPEGs to files of features, tilemaps and records. In turn, warm. Decoding takes the same cores, so
its time alone is measured too: what is lost beyond it is lost around the engine. ResNet50 runs with seeded random
weights: they take as long as trained ones.
"""

import json
import tempfile
import time
from pathlib import Path

import benchmarks.configured  # noqa: F401  before the next ones
from datasets.catalogue import build_directory, builder
from datasets.catalogue.sources import OpenSource
from datasets.pictures.extraction import prepare
from datasets.pictures.prepared_picture import Prepared
from embeddings.backbones import Weights, find
from embeddings.extractors import Precision, can_run
from embeddings.pipeline import Pipeline
from embeddings.precision import PrecisionChoice
from tests.support.pictures import zipped

from . import inputs

PICTURES, REPEATS = 2000, 2


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="wwzd-extraction-") as name:
        folder = Path(name)
        archive = folder / "portraits.zip"
        archive.write_bytes(zipped(inputs.portraits(PICTURES)))
        resnet50 = find(folder, choice="resnet50", file=inputs.seeded_resnet50(folder / "resnet50.pth"))
        packaged = find(folder, choice="efficientnet_lite0")
        assert resnet50 is not None
        assert packaged is not None
        fast: Precision = "bf16" if can_run("bf16") else "fp32"
        for weights, precision in ((resnet50, fast), (packaged, "fp32")):
            print(json.dumps(measure(folder, archive, weights, PrecisionChoice(precision=precision))), flush=True)


def measure(folder: Path, archive: Path, weights: Weights, choice: PrecisionChoice) -> dict[str, object]:
    pipeline = Pipeline(weights=weights, cache=folder / "cache", space=None, choice=choice, device="cpu")
    with OpenSource(archive) as source:
        prepared = prepare(source.names[:1000], source.read, weights.backbone, 10**8)
        crops = [outcome.crop for _, outcome in prepared if isinstance(outcome, Prepared)]
        pipeline.extract(crops[:100])
        bare, ours, decoding = [], [], []
        for turn in range(REPEATS):
            started = time.perf_counter()
            for _ in prepare(source.names, source.read, weights.backbone, 10**8):
                pass
            decoding.append(time.perf_counter() - started)
            started = time.perf_counter()
            pipeline.extract(crops)
            bare.append((time.perf_counter() - started) * PICTURES / len(crops))
            started = time.perf_counter()
            work = build_directory.open_work(
                folder / f"data-{turn}", source, pipeline, name="", demo=False, restart=True
            )
            builder.extract(work, source, pipeline, 10**8, lambda count: None)
            ours.append(time.perf_counter() - started)
    alone, whole = min(bare), min(ours)
    note = f"{alone / whole:.0%} of the bare engine's throughput; decoding alone {min(decoding):.2f} s"
    what = f"features of {PICTURES} portraits, {weights.backbone.name} {choice.precision}; plain is the bare engine"
    return {"what": what, "plain": bare, "ours": ours, "note": note}


if __name__ == "__main__":
    main()
