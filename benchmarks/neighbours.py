"""Neighbours among a catalogue of CelebA's size: the index beside brute force: `python -m benchmarks.neighbours`.

On made-up clusters, and, where `../shared/data` is at hand, on features of real faces by the packaged network, mixed
with their neighbours' and noised until there are as many. Both say how many of the true ten nearest are found.
"""

import json
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import inputs
from embeddings import neighbours
from embeddings.backbones import find
from embeddings.features import open_extractor
from embeddings.images import crop, decode
from embeddings.neighbours import Finder

TOTAL = 202_599
FACES = Path(__file__).resolve().parents[2] / "shared" / "data" / "celeba-3000.zip"
QUESTIONS, PLAIN_QUESTIONS = 300, 20


def main() -> None:
    for row in measure("made up", inputs.continuum(TOTAL)[0]):
        print(json.dumps(row), flush=True)
    if FACES.exists():
        for row in measure("faces, noised", faces()):
            print(json.dumps(row), flush=True)


def measure(what: str, features: Any) -> Iterator[dict[str, Any]]:
    """Build the index, then ask it and brute force the same questions."""
    what = f"{len(features):,} × {features.shape[1]} features, {what}"
    with tempfile.TemporaryDirectory(prefix="wwzd-neighbours-") as name:
        folder = Path(name)
        blocks = []
        for number, start in enumerate(range(0, len(features), 1000)):
            np.save(folder / f"{number}.npy", features[start : start + 1000])
            blocks.append(np.load(folder / f"{number}.npy", mmap_mode="r"))
        started = time.perf_counter()
        neighbours.build(blocks, folder)
        size = (folder / "index.faiss").stat().st_size
        yield {"what": f"index of {what}", "ours_s": time.perf_counter() - started, "bytes": size}

        # What one writes first: lengths of 1, a matrix product, the best ten.
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        rows = np.random.default_rng(1).choice(len(features), QUESTIONS, replace=False)
        truth = np.concatenate(
            [
                np.argpartition(-(features[part] @ features.T), 11, axis=1)[:, :11]
                for part in np.array_split(rows, len(rows) // 20)
            ]
        )

        def plainly(row: int) -> Any:
            similarities = features @ features[row]
            best = np.argpartition(-similarities, 11)[:11]
            return best[np.argsort(-similarities[best])]

        finder = Finder(blocks, folder)
        for row in rows[:50]:  # opens the index, and reads what it needs of it
            finder.nearest(finder.vector(row), 10, without=row)
        hits = 0
        ours = []
        for row, wanted in zip(rows, truth, strict=True):
            found, seconds = _timed(partial(finder.nearest, finder.vector(row), 10, without=row))
            ours.append(seconds)
            hits += len(set(found.rows.tolist()) & (set(wanted.tolist()) - {row}))
        plain = [_timed(partial(plainly, row))[1] for row in rows[:PLAIN_QUESTIONS]]
        note = f"recall@10 {min(hits / 10 / len(rows), 1):.4f}, {len(rows)} questions"
        yield {"what": f"ten nearest among {what}", "plain": plain, "ours": ours, "note": note}


def faces() -> Any:
    """Features of 3,000 faces, filled up with mixtures of each and one of its ten nearest, and noise."""
    with zipfile.ZipFile(FACES) as archive, tempfile.TemporaryDirectory() as cache:
        weights = find(Path(cache), choice="efficientnet_lite0", file=None)
        assert weights is not None
        backbone = weights.backbone
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        pictures = (decode(archive.read(name), min_side=backbone.resize, max_pixels=10**8) for name in names)
        crops = (crop(rgb, resize=backbone.resize, side=backbone.side) for rgb in pictures)
        real = open_extractor(weights, Path(cache)).extract(crops)
    unit = real / np.linalg.norm(real, axis=1, keepdims=True)
    near = np.argsort(-(unit @ unit.T), axis=1)[:, 1:11]
    random = np.random.default_rng(0)
    features = np.empty((TOTAL, real.shape[1]), np.float32)
    for start in range(0, TOTAL, 1000):
        count = min(1000, TOTAL - start)
        first = random.integers(0, len(real), count)
        second = near[first, random.integers(0, 10, count)]
        share = random.uniform(0, 1, (count, 1)).astype(np.float32)
        apart = np.linalg.norm(real[first] - real[second], axis=1, keepdims=True)
        noise = random.normal(size=(count, real.shape[1])) * apart * (0.33 / np.sqrt(real.shape[1]))
        features[start : start + count] = real[first] * (1 - share) + real[second] * share + noise
    return features


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


if __name__ == "__main__":
    main()
