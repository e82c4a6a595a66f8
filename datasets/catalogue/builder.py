"""A big collection → the catalogue, range by range, so that a build that was killed goes on where it was.

Each step leaves what it made in the build's folder, and does nothing where that is there already.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from datasets.collection.clusters import Clusters
from datasets.collection.folder import discard
from datasets.collection.similarity import SimilarityTables, fingerprints_of
from datasets.pictures.extraction import extract_pictures, prepare
from datasets.pictures.prepared_picture import Prepared
from embeddings import nearest_neighbours
from embeddings.backbones import BACKBONES
from embeddings.extractors import Features
from embeddings.images.decoding import RGB
from embeddings.pipeline import VERSION, Pipeline, Space
from embeddings.principal_axes import Standardizer
from embeddings.reducers import REDUCERS, SEED
from embeddings.reducers.sampled import fit_on_sample
from embeddings.vector_files import replacing, save
from embeddings.versions import versions

from .build_directory import BuildDirectory, BuildError
from .installed_catalogue import tilemap_path
from .sources import Source


def extract(
    work: BuildDirectory, source: Source, pipeline: Pipeline, max_pixels: int, on_files: Callable[[int], object]
) -> list[dict[str, Any]]:
    """Make every range that is not finished yet. `on_files` is told how many more of the source's files are done.

    Returns the records of all ranges, which also tell the files that became no picture. Raises `BuildError` where the
    source holds no pictures.
    """
    work.note_passed_over(source.left)
    taken = work.taken
    on_files(taken)
    prepared = prepare(source.names[taken:], source.read, pipeline.weights.backbone, max_pixels, threads=source.threads)
    with closing(prepared):
        return write_ranges(work, source, prepared, pipeline.extract, on_file=lambda count: on_files(1))


def write_ranges(
    work: BuildDirectory,
    source: Source,
    prepared: Iterator[tuple[str, Prepared | Exception]],
    extract: Callable[[Iterable[RGB]], Features],
    *,
    on_file: Callable[[int], object] = lambda count: None,
    on_range: Callable[[int], object] = lambda taken: None,
) -> list[dict[str, Any]]:
    """Make ranges of the files that are in none yet, which come `prepared`. `on_range` is told how many of the source's
    files are in ranges. Returns and raises as `extract`."""
    records = work.ranges()
    taken = records[-1]["taken"] if records else 0
    while taken < len(source.names):
        pictures = extract_pictures(prepared, extract, on_file)
        taken += pictures.taken
        if not pictures.names:
            if records:
                work.put_rest(records, pictures, taken)
            break
        records.append(work.put(len(records), pictures, taken, source.member))
        on_range(taken)
    discard(work.chunks)
    if not records:
        raise BuildError(f"Not one of the {len(source.names)} files of {source.label} is a picture.")
    return records


def fit(work: BuildDirectory, on_step: Callable[[str], object], sample: int | None = None) -> None:
    """Fit every reducer on the extracted features, or on so many of the rows, and place the others among them; keep the
    fitted ones and the vectors in the build folder."""
    if work.is_fitted:
        return
    blocks = work.blocks()
    on_step("standardising, principal axes")
    standardizer = Standardizer.fit(blocks)
    coordinates = standardizer.project_all(blocks)
    total = len(coordinates)
    fitted_on = min(sample or total, total)
    reducers = []
    for name, kind in REDUCERS.items():
        on_step(name)
        reducer, places = fit_on_sample(kind, standardizer, coordinates, seed=SEED, sample=fitted_on)
        reducers.append(reducer)
        save(work.layout_path(name), places)
    work.note_fit(SEED, {"pipeline": str(VERSION), **versions()}, fitted_on if fitted_on < total else None)
    Space.save(work.layouts, reducers, demo=work.source["demo"])


def index(work: BuildDirectory, on_step: Callable[[str], object]) -> None:
    """Make the index that finds neighbours among many, if it is not there yet."""
    nearest_neighbours.build_if_missing(work.blocks(), work.index, lambda: on_step("neighbours"))


def measure_similarity(work: BuildDirectory, on_step: Callable[[str], object]) -> None:
    """Find copies and outliers, if that has not been done yet; after `index`, without which it takes far longer."""
    blocks = work.blocks()
    if work.similarity(sum(len(block) for block in blocks)) is not None:
        return
    on_step("copies, outliers")
    facts = [record.get("facts", {}) for record in work.ranges()]
    known = {
        name: [
            each
            for columns, block in zip(facts, blocks, strict=True)
            for each in columns.get(name, [None] * len(block))
        ]
        for name in ("fingerprint", "digest")
    }
    similarity = SimilarityTables.measure(blocks, fingerprints_of(known["fingerprint"]), known["digest"], work.index)
    similarity.save(work.similarity_path)


def find_clusters(work: BuildDirectory, on_step: Callable[[str], object]) -> None:
    """Find clusters, if that has not been done yet."""
    blocks = work.blocks()
    if Clusters.load(work.clusters_path, sum(len(block) for block in blocks)) is not None:
        return
    Clusters.find(blocks, lambda step: on_step(f"clusters: {step}")).save(work.clusters_path)


def draw_tilemaps(data: Path, source: Source, max_pixels: int, on_files: Callable[[int], object]) -> int:
    """Tilemaps alone, straight into the folder they are served from. Returns their number.

    Decoded as for the network, so that they come out the same as a whole build's.
    """

    def look_away(crops: Iterable[RGB]) -> Features:
        for _ in crops:
            pass
        return np.empty((0, 0), np.float32)

    number = 0
    all_files = prepare(source.names, source.read, BACKBONES["resnet50"], max_pixels, threads=source.threads)
    with closing(all_files) as prepared:
        while (pictures := extract_pictures(prepared, look_away)).taken:
            on_files(pictures.taken)
            if pictures.names:
                with replacing(tilemap_path(data / "tilemaps", number)) as file:
                    file.write(pictures.tilemap)
                number += 1
    return number


def skipped(records: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Names and reasons of the files that could not be read, of each range the first thousands."""
    for record in records:
        for entry in record["skipped"]:
            yield entry["name"], entry["reason"]
