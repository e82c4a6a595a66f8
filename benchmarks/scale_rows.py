"""A million and more made-up rows: the index of neighbours, placing, windows, pgvector:
`python -m benchmarks.scale_rows [STEP …] [--rows 1000000] [--dims 1280] [--folder FOLDER]`.

Each step has a process of its own, whose largest memory is told beside: what is its own, without the features that it
maps. `features` comes before the others; `faces`, on real ones, needs none of them. What a step leaves in the folder
is used by the next ones, and by another run.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from embeddings import neighbour_index
from embeddings.extractors import Features
from embeddings.knn_graph import Cells
from embeddings.nearest_neighbours import NeighbourSearch
from embeddings.neighbour_index import unit
from embeddings.principal_axes import Standardizer
from embeddings.reducers import SEED, Umap

from . import inputs
from .measuring import cpu_timed, peak_mb, timed
from .serving import Client, memory_mb, serving

QUESTIONS, WARMING, NEIGHBOURS = 200, 50, 10
UPLOADS, COMPARED_SINGLY = 1000, 20
FITTED_ON = 200_000


def main() -> None:
    options = _options()
    if options.run:
        if options.cells:
            neighbour_index.cells_of = lambda rows: options.cells
        for row in STEPS[options.run](options.folder / f"{options.rows}x{options.dims}", options.rows, options.dims):
            print(json.dumps(row), flush=True)
        return
    for step in options.steps or STEPS:
        command = [sys.executable, "-m", "benchmarks.scale_rows", "--run", step, "--rows", str(options.rows)]
        command += ["--dims", str(options.dims), "--folder", str(options.folder), "--cells", str(options.cells)]
        with subprocess.Popen(command) as process:
            peak = peak_mb(process)
        if process.returncode:
            sys.exit(f"{step} failed")
        print(json.dumps({"what": f"memory of the process of: {step}", "ours_mb": peak}), flush=True)


def _options() -> Any:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", choices=[*STEPS, []], metavar="STEP", help=", ".join(STEPS))
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dims", type=int, default=1280)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "scale_rows")
    parser.add_argument("--cells", type=int, default=0, help="Of the index, in place of as many as its rows need.")
    parser.add_argument("--run", choices=STEPS, help=argparse.SUPPRESS)
    return parser.parse_args()


def features(folder: Path, rows: int, dims: int) -> Iterator[dict[str, Any]]:
    """Written a range a file, as a build leaves them."""
    (folder / "features").mkdir(parents=True, exist_ok=True)
    for number, (block, _) in enumerate(inputs.continuum_blocks(rows, dims)):
        np.save(folder / "features" / f"{number:03d}.npy", block)
    yield {"what": f"{rows:,} × {dims} features, made up", "bytes": rows * dims * 4}


def index(folder: Path, rows: int, dims: int) -> Iterator[dict[str, Any]]:
    blocks = _blocks(folder)
    (folder / "index").mkdir(exist_ok=True)
    _, seconds, cpu = cpu_timed(partial(neighbour_index.build, blocks, folder / "index"))
    size = (folder / "index" / "index.faiss").stat().st_size
    note = f"{neighbour_index.cells_of(rows):,} cells; {cpu:.0f} s of CPU"
    yield {"what": f"index of {rows:,} × {dims}", "ours_s": seconds, "bytes": size, "note": note}


def neighbours(folder: Path, rows: int, dims: int) -> Iterator[dict[str, Any]]:
    blocks, seconds = timed(partial(_blocks, folder))
    finder, more = timed(partial(NeighbourSearch, blocks, folder / "index"))
    yield {"what": f"the index and {len(blocks):,} ranges opened", "ours_s": seconds + more}
    asked, truth = _questions(folder, blocks)
    yield {"what": f"ten nearest among {rows:,} × {dims}", **_answered(finder, asked, truth)}


def placing(folder: Path, rows: int, dims: int) -> Iterator[dict[str, Any]]:
    """In a space whose places are PCA's: placing costs the same in every space of so many rows."""
    coordinates = Standardizer.fit(blocks := _blocks(folder)).project_all(blocks)
    chosen = np.random.default_rng(3).permutation(rows)[:UPLOADS]
    new, training = coordinates[chosen], np.delete(coordinates, chosen, axis=0)
    del coordinates
    cells, seconds = timed(partial(Cells.of, training, seed=SEED))
    yield {"what": f"cells of a space of {rows:,}", "ours_s": seconds, "note": f"{len(cells.centres):,} cells"}
    # Its features are the coordinates: another product for each is no part of the comparison.
    axes = np.eye(new.shape[1], dtype=np.float32)
    nothing, one = np.zeros(len(axes), np.float32), np.ones(len(axes), np.float32)
    standardizer = Standardizer(mean=nothing, scale=one, axes=axes, variance_ratio=one)
    places = np.ascontiguousarray(cells.points[:, :3])
    by_cells = Umap(
        standardizer=standardizer,
        training=cells.points,
        places=places,
        neighbours=15,
        a=1.577,
        b=0.895,
        starts=cells.starts,
        centres=cells.centres,
    )
    yield from _placed(f"a space of {rows:,}", by_cells, new)


def sample(folder: Path, rows: int, dims: int) -> Iterator[dict[str, Any]]:
    """UMAP fitted on some of the rows, and the others placed among them: what `--fit-sample` does."""
    blocks = _blocks(folder)
    standardizer, fitting, fitting_cpu = cpu_timed(partial(Standardizer.fit, blocks))
    coordinates, seconds, cpu = cpu_timed(partial(standardizer.project_all, blocks))
    seconds, cpu = seconds + fitting, cpu + fitting_cpu
    yield {"what": f"principal coordinates of {rows:,}", "ours_s": seconds, "note": f"CPU {cpu:.0f} s"}
    chosen = np.random.default_rng(SEED).permutation(rows)
    training, others = coordinates[np.sort(chosen[:FITTED_ON])], coordinates[np.sort(chosen[FITTED_ON:])]
    del coordinates
    (model, _), seconds, cpu = cpu_timed(partial(Umap.fit, standardizer, training, seed=SEED))
    yield {"what": f"UMAP fitted on {FITTED_ON:,} of {rows:,}", "ours_s": seconds, "note": f"CPU {cpu:.0f} s"}
    _, seconds, cpu = cpu_timed(partial(model.place_many, others))
    yield {"what": f"{len(others):,} placed among {FITTED_ON:,}", "ours_s": seconds, "note": f"CPU {cpu:.0f} s"}


def faces(folder: Path, rows: int, dims: int) -> Iterator[dict[str, Any]]:
    """In UMAP's own space of features of real faces, mixed with their neighbours' and noised; fitted with cells, though
    there are fewer than need them."""
    from .neighbours import faces as mixed

    found = mixed()
    new, there = found[:UPLOADS], found[UPLOADS:]
    standardizer = Standardizer.fit([there])
    Umap.EXACT_ROWS = 0
    model, _ = Umap.fit(standardizer, standardizer.project_all([there]), seed=SEED)
    yield from _placed(f"a space of {len(there):,} faces, noised", model, new)


def windows(folder: Path, rows: int, dims: int) -> Iterator[dict[str, Any]]:
    """Calls for a part of the rows, by one client on one connection: each the first time, and again."""
    import benchmarks.configured  # noqa: F401  before the next one
    from datasets.catalogue import installation

    with tempfile.TemporaryDirectory(prefix="wwzd-windows-") as name:
        data = Path(name) / "data"
        random = np.random.default_rng(0)
        arrays = {each: random.normal(scale=3, size=(rows, 3)).astype(np.float32) for each in ("pca", "umap")}
        installation.install(data, arrays, name="Benchmark")
        with serving(data) as service:
            client = Client(service.port)
            client.get("/umap/0/0/standalone")
            for ranges in (1, 10):
                for format in ("json", "raw"):
                    firsts = random.choice(rows // 1000 - ranges, QUESTIONS // 2, replace=False).tolist()
                    paths = [f"/umap/{each}/{each + ranges - 1}/standalone?format={format}" for each in firsts]
                    first, again = ([client.timed(path) for path in paths] for _ in range(2))
                    what = f"{ranges} of {rows // 1000:,} ranges as {format}"
                    yield {"what": f"{what}, first time", "ours_s": statistics.median(first)}
                    size = len(client.get(paths[0]).body)
                    yield {"what": f"{what}, again", "ours_s": statistics.median(again), "bytes": size}
            yield {"what": "memory of the web process after that", "ours_mb": memory_mb(service)}


def database(folder: Path, rows: int, dims: int) -> Iterator[dict[str, Any]]:
    """PostgreSQL with pgvector on this machine, which tests start, with a gigabyte for building its index."""
    from django.conf import settings

    import benchmarks.configured  # noqa: F401  before the next ones
    from datasets.collection import database_search, vector_tables
    from tests.support import postgresql

    blocks = _blocks(folder)
    with postgresql.server() as server:
        settings.SEARCH_URL = url = f"{server.url()}&options=-c%20maintenance_work_mem%3D1GB"
        seconds = timed(partial(vector_tables.fill, url, "made up", "1", blocks))[1]
        with vector_tables.connect(url) as connection:
            size = connection.execute("SELECT pg_database_size(current_database())").fetchall()[0][0]
        yield {"what": f"a table of {rows:,} × {dims} in PostgreSQL", "ours_s": seconds, "bytes": size}
        asked, truth = _questions(folder, blocks)
        for local, where in ((None, "no features here"), (NeighbourSearch(blocks), "measured by the features here")):
            finder = database_search.find("made up", "1", local)
            yield {"what": f"ten nearest by PostgreSQL, {where}", **_answered(finder, asked, truth)}


def _placed(where: str, model: Umap, new: Features) -> Iterator[dict[str, Any]]:
    """By cells and by comparing with all: how long it takes, and how far apart the places are."""
    exact = replace(model, starts=None, centres=None)
    for each in (model, exact):
        each.transform(new[:2])  # compiles, or reads what was compiled
    together, ours, cpu = cpu_timed(partial(model.transform, new))
    wanted, plain, plain_cpu = cpu_timed(partial(exact.transform, new))
    spread = float(np.linalg.norm(model.places - model.places.mean(axis=0), axis=1).mean())
    apart = np.linalg.norm(together - wanted, axis=1) / spread
    coordinates = model.standardizer.project(new)
    found, true = model._nearest(coordinates)[0], exact._nearest(coordinates)[0]
    recall = np.mean([np.isin(one, other).mean() for one, other in zip(found, true, strict=True)])
    note = (
        f"CPU {plain_cpu:.2f} and {cpu:.2f} s; {recall:.4f} of the 15 neighbours; {(apart == 0).mean():.1%} at the "
        f"same place, 95 % within {np.quantile(apart, 0.95):.4f}, 99 % within {np.quantile(apart, 0.99):.4f} of the "
        "cloud's mean radius"
    )
    yield {"what": f"{len(new)} pictures placed at once in {where}", "plain_s": plain, "ours_s": ours, "note": note}
    singly = [cpu_timed(partial(model.transform, new[k : k + 1]))[1:] for k in range(QUESTIONS)]
    few = [cpu_timed(partial(exact.transform, new[k : k + 1]))[1:] for k in range(COMPARED_SINGLY)]
    (plain_s, plain_cpu), (ours, cpu) = (np.median(each, axis=0).tolist() for each in (few, singly))
    note = f"medians; CPU {plain_cpu * 1000:.1f} and {cpu * 1000:.1f} ms"
    yield {"what": f"one picture placed in {where}", "plain_s": plain_s, "ours_s": ours, "note": note}


def _blocks(folder: Path) -> list[Features]:
    paths = sorted((folder / "features").glob("*.npy"), key=lambda path: int(path.stem))
    return [np.asarray(np.load(path, mmap_mode="r")) for path in paths]


def _questions(folder: Path, blocks: Sequence[Features]) -> tuple[list[int], list[set[int]]]:
    """Rows to ask about, and the ten true nearest of each but the last ones; kept, for another step."""
    count = sum(map(len, blocks))
    asked = np.random.default_rng(1).choice(count, QUESTIONS + WARMING, replace=False)
    path = folder / "truth.npy"
    if not path.exists():
        finder = NeighbourSearch(blocks)
        queries = unit(finder.vectors(asked[:QUESTIONS].tolist()))
        best = np.full((QUESTIONS, NEIGHBOURS + 1), -2, np.float32)
        rows = np.zeros(best.shape, np.int64)
        start = 0
        for block in blocks:
            # `unit` of both: the products are cosines.
            cosines = np.concatenate([best, queries @ unit(block).T], axis=1)
            of_block = np.broadcast_to(np.arange(start, start + len(block)), (QUESTIONS, len(block)))
            order = np.argpartition(-cosines, NEIGHBOURS, axis=1)[:, : NEIGHBOURS + 1]
            best = np.take_along_axis(cosines, order, axis=1)
            rows = np.take_along_axis(np.concatenate([rows, of_block], axis=1), order, axis=1)
            start += len(block)
        np.save(path, rows)
    truth = np.load(path)
    return asked.tolist(), [set(found.tolist()) - {row} for row, found in zip(asked.tolist(), truth, strict=False)]


def _answered(finder: Any, asked: list[int], truth: list[set[int]]) -> dict[str, Any]:
    for row in asked[QUESTIONS:]:
        finder.nearest(finder.vector(row), NEIGHBOURS, without=row)
    hits, seconds, cpu = 0, [], []
    for row, wanted in zip(asked[:QUESTIONS], truth, strict=True):
        found, *took = cpu_timed(partial(finder.nearest, finder.vector(row), NEIGHBOURS, without=row))
        seconds.append(took[0])
        cpu.append(took[1])
        hits += len(wanted & set(found.rows.tolist()))
    note = (
        f"recall@10 {hits / NEIGHBOURS / QUESTIONS:.4f}; 95 % within {np.quantile(seconds, 0.95) * 1000:.1f} ms; "
        f"{np.median(cpu) * 1000:.1f} ms of this process's CPU"
    )
    return {"ours_s": float(np.median(seconds)), "note": note}


STEPS: dict[str, Callable[[Path, int, int], Iterator[dict[str, Any]]]] = {
    "features": features,
    "index": index,
    "neighbours": neighbours,
    "placing": placing,
    "sample": sample,
    "faces": faces,
    "windows": windows,
    "database": database,
}

if __name__ == "__main__":
    main()
