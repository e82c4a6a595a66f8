"""Layouts of millions of pictures as tiles of points: `python -m benchmarks.point_tiles`.

Writes the tiles of made-up catalogues of 10⁶ and 10⁷ pictures, then looks at the larger one: what the server takes,
what calls of a window cost, and what the page loads and how quickly it draws, in a headless Chromium that draws in
software. Coordinates are a mixture of Gaussians; the pictures are real tiles, one tilemap of them 10,000 times over.
Prints one JSON line a measurement.

Parts can be named (`python -m benchmarks.point_tiles page`), `--rows` takes other numbers, and `--keep FOLDER` leaves
the catalogues there.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

import benchmarks.configured  # noqa: F401  before the next ones
from datasets.catalogue import installation, installed_catalogue
from datasets.collection import point_tiles
from datasets.collection.folder import CollectionFolder
from datasets.tilemaps import ranges
from datasets.tilemaps.layout import Tilemap, tile
from embeddings.images.decoding import decode
from embeddings.vector_files import Vectors, load
from tests.support.chromium import Visit, chromium
from tests.support.paths import ROOT
from tests.support.service import Service, children_of

from .inputs import portraits

ROWS = (10**6, 10**7)
CLUSTERS = 200
SIZE = (1280, 800)
BLOCK = 10**6
FRAMES = 6

Measured = Iterator[dict[str, Any]]

_FRAMES = """(count) => {
  const { viewer } = wwzd, gl = viewer.cloud.renderer.getContext(), pixel = new Uint8Array(4), times = [];
  for (let frame = 0; frame < count; frame++) {
    const began = performance.now();
    viewer.cloud.draw();
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
    times.push(performance.now() - began);
  }
  return times;
}"""

_LOADED = """(until) => performance.getEntriesByType("resource")
  .filter(({ name, responseEnd }) => name.includes("/points/") && responseEnd <= (until ?? Infinity))
  .reduce((sum, { transferSize }) => sum + transferSize, 0)"""

_PICKS = """(() => {
  const began = performance.now();
  for (let pick = 0; pick < 20; pick++) wwzd.viewer.rowAt(600 + pick, 400);
  return (performance.now() - began) / 20;
})()"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all, unless some are named")
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the catalogues stay")
    asked = parser.parse_args()
    settings.POINT_TILES_FROM = 10**9  # the command writes them
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; known are {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory(prefix="wwzd-points-") as temporary:
        folder = asked.keep or Path(temporary)
        for part in asked.parts or PARTS:
            for total in asked.rows if part == "write" else asked.rows[-1:]:
                data = folder / str(total)
                install(data, total)
                for row in PARTS[part](data, total):
                    print(json.dumps(row), flush=True)


def install(data: Path, total: int) -> None:
    """A catalogue of so many pictures, without tiles of points."""
    if installed_catalogue.read_manifest(data):
        return
    page = Tilemap()
    for index, picture in enumerate(portraits().values()):
        page.put(index, tile(decode(picture, min_side=48, max_pixels=10**8)))
    first = installed_catalogue.tilemap_path(data / "tilemaps", 0)
    first.parent.mkdir(parents=True)
    first.write_bytes(page.jpeg())
    for number in range(1, ranges.count(total)):
        os.link(first, installed_catalogue.tilemap_path(data / "tilemaps", number))
    installation.install(data, {name: mixture(total, seed) for seed, name in enumerate(("pca", "umap"))}, name="Points")


def mixture(total: int, seed: int) -> Vectors:
    random = np.random.default_rng(seed)
    centres, widths = random.normal(scale=3, size=(CLUSTERS, 3)), random.uniform(0.1, 1, CLUSTERS)
    places = np.empty((total, 3), np.float32)
    for start in range(0, total, BLOCK):
        which = random.integers(0, CLUSTERS, min(BLOCK, total - start))
        places[start : start + BLOCK] = centres[which] + random.normal(size=(len(which), 3)) * widths[which, None]
    return places


def write(data: Path, total: int) -> Measured:
    """All tiles of both layouts by the command, in a process of its own, with the colours of the pictures."""
    began = time.monotonic()
    environment = os.environ | {"DATA_DIR": str(data)}
    running = subprocess.Popen([sys.executable, "manage.py", "build_point_tiles"], cwd=ROOT, env=environment)
    _, status, usage = os.wait4(running.pid, 0)
    seconds = time.monotonic() - began
    assert status == 0
    points = installed_catalogue.installed_folder(data).points
    places = load(installed_catalogue.installed_folder(data).layout_path("umap"))
    with tempfile.TemporaryDirectory(prefix="wwzd-points-") as temporary:
        started, spent = time.monotonic(), time.process_time()
        point_tiles.build(CollectionFolder(path=Path(temporary)), "umap", places, None)
        yield {
            "what": f"tiles of {total:,} points, one layout, without colours",
            "seconds": round(time.monotonic() - started, 1),
            "cpu_seconds": round(time.process_time() - spent, 1),
        }
    yield {
        "what": f"tiles of {total:,} points, both layouts, colours of {ranges.count(total):,} tilemaps among it",
        "seconds": round(seconds, 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_mb": round(usage.ru_maxrss / 1024),
        "nodes": [len(json.loads(path.read_bytes())["counts"]) for path in sorted(points.glob("*.json"))],
        "mb": [round(path.stat().st_size / 1e6, 1) for path in sorted(points.glob("*.bin"))],
        "index_mb": [round(path.stat().st_size / 1e6, 2) for path in sorted(points.glob("*.json"))],
    }


def server(data: Path, total: int) -> Measured:
    """Memory of the web process, and calls that must not depend on how many rows there are."""
    last = ranges.count(total) - 1
    running = Service(data, served(data)).start(warm=False)
    try:
        yield {"what": "web process, started", "mb": _memory(running)}
        for what, path in {
            "one row of the vectors": f"/umap/{last}/{last}/standalone?format=raw&offset=7&limit=1",
            "a range's vectors, JSON": f"/umap/{last}/{last}/standalone",
            "1000 rows of the whole, raw": f"/umap/0/{last}/standalone?format=raw&offset={total // 2}&limit=1000",
            "a sample of 1000 of the whole": f"/umap/0/{last}/standalone?format=raw&sample=1000",
            "info, all ranges": "/dataset/info",
            "20 records": f"/catalogue/images?offset={total // 2}&limit=20",
            "rows by a name": f"/catalogue/images/rows?search={total // 2 + 77}",
            "a tilemap": f"/tilemaps/{last}",
            "a thumbnail": f"/catalogue/images/{total // 2}/thumbnail?size=128",
            "the list of fields": "/catalogue/images/fields",
            "the page": "/",
            "index of the tiles": "/catalogue/points/umap",
        }.items():
            times = []
            for _ in range(4):
                began = time.monotonic()
                answer = running.get(path)
                times.append(round(time.monotonic() - began, 4))
            yield {
                "what": what,
                "status": answer.status,
                "first_s": times[0],
                "again_s": statistics.median(times[1:]),
                "bytes": len(answer.body),
                "web_mb": _memory(running),
            }
    finally:
        running.stop()


def page(data: Path, total: int) -> Measured:
    """From navigation to the first points, and to all that a view from afar and one from near ask for."""
    if not list(installed_catalogue.installed_folder(data).points.glob("*.json")):
        yield from write(data, total)
    running = Service(data, served(data)).start(warm=False)
    try:
        with chromium() as browser:
            for number in range(3):
                visit = Visit(browser, running.url(""), SIZE, color_scheme="dark")
                visit.page.wait_for_timeout(2000)
                visit.open(drawn=False)
                visit.wait("performance.getEntriesByName('wwzd:points').length > 0", 300)
                first = visit.page.evaluate("performance.getEntriesByName('wwzd:points')[0].startTime")
                bytes_ = visit.page.evaluate(_LOADED, first)
                visit.wait("wwzd.viewer.tiled.idle", 600)
                yield {
                    "what": f"{total:,} points: the first ones drawn; all that the view from afar takes",
                    "first_s": round(first / 1000, 2),
                    "first_mb": round(bytes_ / 1e6, 2),
                    "all_s": round(visit.page.evaluate("performance.now() / 1000"), 1),
                    "all_mb": round(visit.page.evaluate(_LOADED) / 1e6, 1),
                    **visit.page.evaluate("wwzd.viewer.tiled.facts"),
                }
                if number < 2:
                    visit.close()
            yield seen(visit, "from afar")
            row = visit.page.evaluate("wwzd.viewer.tiled.root.rows[77]")
            visit.page.evaluate(f"wwzd.viewer.approach({row}, {{left: 0, top: 0, right: 1280, bottom: 800}}, 0.06)")
            visit.page.wait_for_timeout(2500)
            visit.wait("wwzd.viewer.tiled.idle", 600)
            yield seen(visit, "from near")
            visit.close()
        yield {"what": "web process, after four visits", "mb": _memory(running)}
    finally:
        running.stop()


def seen(visit: Visit, which: str) -> dict[str, Any]:
    visit.rest(120)
    times = visit.page.evaluate(f"({_FRAMES})({FRAMES + 1})")[1:]
    return {
        "what": f"a frame {which}, software GL",
        "median_s": round(statistics.median(times) / 1000, 3),
        "pick_s": round(visit.page.evaluate(_PICKS) / 1000, 4),
        "loaded_mb": round(visit.page.evaluate(_LOADED) / 1e6, 1),
        **visit.page.evaluate("wwzd.viewer.tiled.facts"),
    }


def served(data: Path) -> dict[str, str]:
    return {
        "CACHE_DIR": str(data / "cache"),
        "NUMBA_CACHE_DIR": str(data / "cache" / "kernels"),
        "POINT_TILES_FROM": "1",
    }


def _memory(running: Service) -> int:
    """Megabytes of the web process's own, without files that it has mapped, of the largest of its processes."""
    found = 0
    web = running.children()["web"]
    for pid in (web, *children_of(web)):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        found = max(found, *(int(line.split()[1]) // 1024 for line in lines if line.startswith("RssAnon")))
    return found


PARTS: dict[str, Callable[[Path, int], Measured]] = {"write": write, "server": server, "page": page}


if __name__ == "__main__":
    main()
