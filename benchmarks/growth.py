"""100 pictures added to a collection of many: `python -m benchmarks.growth [ROWS …]`.

The collection's features are made up, and all else is computed of them as of an upload: layouts, index, copies,
clusters. What is added are real JPEGs, through the whole of what the worker does. Reading, decoding and the network are
told apart: they cost what they cost in any upload.
"""

import json
import sys
import time
import uuid

import numpy as np
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone

import benchmarks.configured  # noqa: F401  before the next ones
from datasets.collection import growth, image_table, layouts, manifest
from datasets.collection.clusters import Clusters
from datasets.collection.folder import CollectionFolder
from datasets.collection.layouts import LayoutCard
from datasets.collection.similarity import SimilarityTables
from datasets.collection.uploaded import Upload
from datasets.models import Dataset, Status
from datasets.pictures import pipeline_settings
from datasets.tilemaps import ranges
from datasets.tilemaps.layout import Tilemap
from datasets.uploads import additions, processing, results
from embeddings import nearest_neighbours
from embeddings.layouts import METHODS, layout_name, validated
from embeddings.vector_files import dumped, save
from tests.support.pictures import zipped

from . import inputs

TOTAL = 200_000
ADDED = 100
ROUNDS = 5


@override_settings(MAX_PICTURES=10**6)
def main(sizes: list[int]) -> None:
    call_command("migrate", verbosity=0)
    pipeline_settings.pipeline().warm_up()
    for rows in sizes:
        parent = _collection(rows)
        before = _bytes(parent)
        taken, network, more = [], [], []
        for number in range(ROUNDS + 1):
            files = list(inputs.portraits((number + 1) * ADDED).values())[number * ADDED :]
            archive = zipped({f"{number}-{k:03d}.jpg": data for k, data in enumerate(files)})
            started = time.perf_counter()
            grown = additions.accept_added(Upload(parent), [ContentFile(archive, name="more.zip")])  # type: ignore[list-item]
            processing.process(grown, "benchmark")
            seconds = time.perf_counter() - started
            grown.refresh_from_db()
            assert grown.status == Status.READY, grown.error
            if number:  # the first one opens the index and the models
                network.append(grown.timings["features"])
                taken.append(seconds - network[-1])
                more.append(sum(file.stat().st_size for file in grown.folder.rglob("*") if file.stat().st_nlink == 1))
        same = all(np.array_equal(parent.vectors(name), grown.vectors(name)[:rows]) for name in ("pca", "umap"))
        note = (
            f"and {np.median(network):.2f} s to read, decode and extract; {np.median(more) / 1e6:.1f} MB of files of "
            f"its own beside {before / 1e9:.2f} GB shared; old points the same: {same}"
        )
        print(json.dumps({"what": f"{ADDED} pictures added to {rows:,}", "ours": taken, "note": note}), flush=True)
        for kind, carried in _layouts_carried(parent, grown).items():
            figures = {"what": f"a further layout, {kind}, carried on with them", "ours": carried, "note": "all of it"}
            print(json.dumps(figures), flush=True)
        grown.delete()
        parent.delete()


def _collection(rows: int) -> Dataset:
    """A ready dataset of made-up features, as wide as the network's."""
    pipeline = pipeline_settings.pipeline()
    dataset = Dataset(hash=uuid.uuid4().hex, name="made up", status=Status.READY, count=rows, expected=rows)
    dataset.finished_at = timezone.now()
    folder = CollectionFolder(path=dataset.folder)
    width = pipeline.weights.backbone.features
    save(folder.all_features_path, inputs.continuum(rows, width)[0])
    features = folder.all_features()
    places = pipeline.place(
        features, _say, on_fitted=lambda reducer: reducer.save(folder.model_path(reducer.name))
    ).vectors
    for name, vectors in places.items():
        dataset.store(name, dumped(vectors))
    _say("index, copies, clusters")
    blocks = folder.features(0)
    nearest_neighbours.build_if_missing(blocks, folder.index)
    # Of different pictures: fingerprints that have nothing in common.
    fingerprints = np.random.default_rng(0).integers(0, 2**64, rows, np.uint64, endpoint=False)
    SimilarityTables.measure(blocks, fingerprints, [None] * rows, folder.index).save(folder.similarity_path)
    facts = {"fingerprint": [f"{each:016x}" for each in fingerprints], "digest": [f"{k:032x}" for k in range(rows)]}
    Clusters.find(blocks).save(folder.clusters_path)
    with dataset.writing("images") as file:
        image_table.write(file, [f"{k:06d}.jpg" for k in range(rows)], stats=facts, members=[None] * rows, metadata=())
    page = Tilemap().jpeg()
    for number in range(ranges.count(rows)):
        folder.tilemap_path(number).parent.mkdir(exist_ok=True)
        folder.tilemap_path(number).write_bytes(page)
    dataset.note("tilemap")
    dataset.note("features")
    results.describe(dataset, pipeline)
    described = manifest.of_upload(dataset, dataset.folder, None)
    dataset.store("manifest", json.dumps(described).encode())
    dataset.save()
    return dataset


def _layouts_carried(parent: Dataset, grown: Dataset) -> dict[str, list[float]]:
    """Seconds by kind. The places are UMAP's, whatever the kind: what is done with them is the same."""
    old, folder = Upload(parent), CollectionFolder(path=grown.folder)
    added = growth.AddedNeighbours.of(old, folder.part_features(1))
    found: dict[str, list[float]] = {}
    for kind in ("tsne", "pacmap", "umap"):
        name = layout_name(METHODS[kind], validated(METHODS[kind], {}), "")
        card = LayoutCard(
            name=name,
            kind=kind,
            parameters=validated(METHODS[kind], {}),
            dimensions=2,
            seconds=0,
            versions={},
            created=0,
        )
        layouts.store(old.folder, card, parent.vectors("umap")[:, :2])
        found[kind] = []
        for _ in range(ROUNDS + 1):
            started = time.perf_counter()
            growth.carry_layouts(old, folder, added, {})
            found[kind].append(time.perf_counter() - started)
        del found[kind][0]
        layouts.remove(old.folder, name)
    return found


def _say(step: str) -> None:
    print(f"  {step} …", file=sys.stderr, flush=True)


def _bytes(dataset: Dataset) -> int:
    return sum(file.stat().st_size for file in dataset.folder.rglob("*") if file.is_file())


if __name__ == "__main__":
    main([int(rows) for rows in sys.argv[1:]] or [TOTAL])
