"""Neighbours among a catalogue of CelebA's size: the index, alone and over HTTP, beside brute force:
`python -m benchmarks.neighbours`.

On made-up clusters, and, where `../shared/data` is at hand, on features of real faces by the packaged network, mixed
with their neighbours' and noised until there are as many. Both say how many of the true ten nearest are found.
"""

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import benchmarks.configured  # noqa: F401  before the next ones
from datasets.catalogue import installation, installed_catalogue, publication
from datasets.catalogue.build_directory import BuildDirectory
from datasets.catalogue.builder import index
from datasets.pictures.extraction import Pictures
from datasets.pictures.image_stats import ImageStats
from datasets.tilemaps import ranges
from datasets.tilemaps.layout import Tilemap
from embeddings.backbones import find
from embeddings.extractors import open_extractor
from embeddings.images.decoding import crop, decode
from embeddings.nearest_neighbours import NeighbourSearch
from embeddings.reducers import REDUCERS
from embeddings.vector_files import save

from . import inputs
from .measuring import timed
from .serving import Client, serving

TOTAL = 202_599
FACES = Path(__file__).resolve().parents[2] / "shared" / "data" / "celeba-3000.zip"
QUESTIONS, PLAIN_QUESTIONS, WARMING = 300, 20, 50


def main() -> None:
    for row in measure("made up", inputs.continuum(TOTAL)[0]):
        print(json.dumps(row), flush=True)
    if FACES.exists():
        for row in measure("faces, noised", faces()):
            print(json.dumps(row), flush=True)


def measure(what: str, features: Any) -> Iterator[dict[str, Any]]:
    """Install them as a catalogue, and ask its index, the service and brute force the same questions."""
    what = f"{len(features):,} × {features.shape[1]} features, {what}"
    with tempfile.TemporaryDirectory(prefix="wwzd-neighbours-") as name:
        data = Path(name) / "data"
        work, seconds = install(data, features)
        size = (work.index / "index.faiss").stat().st_size
        yield {"what": f"index of {what}", "ours_s": seconds, "bytes": size}

        # What one writes first: lengths of 1, a matrix product, the best ten.
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        rows = np.random.default_rng(1).choice(len(features), QUESTIONS + WARMING, replace=False).tolist()
        rows, warming = rows[:QUESTIONS], rows[QUESTIONS:]
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

        plain = [timed(partial(plainly, row))[1] for row in rows[:PLAIN_QUESTIONS]]
        finder = NeighbourSearch(work.blocks(), work.index)
        for row in warming:
            finder.nearest(finder.vector(row), 10, without=row)
        hits = 0
        ours = []
        for row, wanted in zip(rows, truth, strict=True):
            found, seconds = timed(partial(finder.nearest, finder.vector(row), 10, without=row))
            ours.append(seconds)
            hits += len(set(found.rows.tolist()) & (set(wanted.tolist()) - {row}))
        note = f"recall@10 {min(hits / 10 / len(rows), 1):.4f}, {len(rows)} questions"
        yield {"what": f"ten nearest among {what}", "plain": plain, "ours": ours, "note": note}
        yield {"what": "the same over HTTP, new questions", "plain": plain, **asked(data, rows, warming)}


def asked(data: Path, rows: list[int], warming: list[int]) -> dict[str, Any]:
    """Questions that the service has never been asked, after a few others, by one client on one connection."""
    with serving(data) as service:
        client = Client(service.port)
        first = client.timed(f"/catalogue/images/{warming[0]}/neighbors")
        for row in warming:
            client.timed(f"/catalogue/images/{row}/neighbors")
        ours = [client.timed(f"/catalogue/images/{row}/neighbors") for row in rows]
        found = json.loads(client.get(f"/catalogue/images/{rows[0]}/neighbors").body)["neighbors"]
        assert [each["name"] for each in found] == [_name(each["index"]) for each in found]
        assert len(found) == 10
        return {"ours": ours, "note": f"the first one of all takes {first * 1000:.0f} ms"}


def install(data: Path, features: Any) -> tuple[BuildDirectory, float]:
    """A catalogue with records, an index and places at random, as `build_catalogue` leaves one; not a picture in it.

    Returns the seconds that the index took.
    """
    work = BuildDirectory(path=data / "build")
    work.path.mkdir(parents=True)
    source = {
        "name": "Benchmark",
        "backbone": "resnet50",
        "weights": "0",
        "precision": "fp32",
        "network": "resnet50:0:fp32",
        "pictures": "",
    }
    work.source_path.write_text(json.dumps(source))
    page = Tilemap().jpeg()
    for number, start in enumerate(range(0, len(features), ranges.SIZE)):
        part = features[start : start + ranges.SIZE]
        rows = range(start, start + len(part))
        pictures = Pictures(
            features=part,
            tilemap=page,
            names=[_name(row) for row in rows],
            facts=[_facts(row) for row in rows],
            skipped=[],
            ignored=[],
            over_limit=False,
            taken=len(part),
        )
        work.put(number, pictures, start + len(part), lambda name: None)
    work.write_table(work.ranges())
    seconds = timed(partial(index, work, lambda step: None))[1]
    random = np.random.default_rng(0)
    arrays = {name: random.normal(size=(len(features), 3)).astype(np.float32) for name in REDUCERS}
    for name, array in arrays.items():
        save(work.layout_path(name), array)
    installation.point(data, publication.keep(data, work).path.name, installed_catalogue.pickle_versions(data))
    return work, seconds


def _name(row: int) -> str:
    return f"{row + 1:06d}.jpg"


def _facts(row: int) -> ImageStats:
    digest = hashlib.blake2b(str(row).encode(), digest_size=24).hexdigest()
    return ImageStats(
        width=178,
        height=218,
        size=8000 + row % 4000,
        media_type="image/jpeg",
        tile_width=39,
        tile_height=48,
        digest=digest[:32],
        fingerprint=digest[32:],
        sharpness=0.1,
        contrast=50.0,
    )


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


if __name__ == "__main__":
    main()
