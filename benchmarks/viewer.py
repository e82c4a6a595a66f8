"""How quickly the page shows 202,599 pictures, beside points without pictures: `python -m benchmarks.viewer`.

In a headless Chromium that draws in software: the page, the Embedding Projector's renderer (scatter-gl) and a plain
three.js `Points`, with the same made-up vectors. Our pictures are real tiles, a tilemap of them 203 times over. Prints
one JSON line a measurement. Needs npm's registry.

Parts can be named (`python -m benchmarks.viewer points frames`), and `--keep FOLDER` leaves there what takes long to
make, so that the next run is short.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from playwright.sync_api import Browser, Page

import benchmarks.configured  # noqa: F401  before the next ones
from datasets.catalogue import installation, installed_catalogue
from datasets.collection import image_table
from datasets.pictures.metadata.columns import Column
from datasets.tilemaps.layout import Tilemap, tile
from embeddings.images.decoding import decode
from tests.support.chromium import Visit, chromium
from tests.support.paths import ROOT
from tests.support.service import Service

from .inputs import portraits

TOTAL = 202_599
SIZE = (1280, 800)
VISITS = 5
WINDOW = 2000
"""Milliseconds that a new window gets for itself: Chromium's own surroundings are pages, too, and take both cores."""
ROUNDS = 6
FRAMES = 5
"""A round, after one that is not counted. All take turns: this way what else the machine does meets them all alike."""
RIVALS = ROOT / "benchmarks" / "viewer_rivals"

_OUR_FRAMES = """(count) => {
  const { viewer } = wwzd, gl = viewer.cloud.renderer.getContext(), pixel = new Uint8Array(4), times = [];
  for (let frame = 0; frame < count; frame++) {
    const angle = 0.03 * frame;
    viewer.cloud.camera.position.set(2.5 * Math.sin(angle), 0, 2.5 * Math.cos(angle));
    viewer.cloud.camera.lookAt(0, 0, 0);
    const began = performance.now();
    viewer.cloud.draw();
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
    times.push(performance.now() - began);
  }
  return times;
}"""

_OUR_FILTERS = """async () => {
  const times = [];
  for (let click = 0; click < 12; click++) {
    const boxes = document.querySelectorAll("#filters input[type=checkbox]");
    const began = performance.now();
    boxes[7 * click % boxes.length].click();
    await new Promise((resolve) => setTimeout(resolve));
    times.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  return times;
}"""

_OUR_PICKS = """(() => {
  const began = performance.now();
  for (let pick = 0; pick < 20; pick++) wwzd.viewer.rowAt(600 + pick, 400);
  return (performance.now() - began) / 20;
})()"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all, unless some are named")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the catalogue and the rivals stay")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; known are {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory(prefix="wwzd-viewer-") as temporary:
        folder = asked.keep or Path(temporary)
        with service(folder / "data") as running, chromium() as browser:
            for part in asked.parts or PARTS:
                for row in PARTS[part](browser, running, folder):
                    print(json.dumps(row), flush=True)


@contextmanager
def service(data: Path) -> Iterator[Service]:
    if not installed_catalogue.read_manifest(data):
        install(data)
    settings = {"CACHE_DIR": str(data / "cache"), "NUMBA_CACHE_DIR": str(data / "cache" / "kernels")}
    prepare = [sys.executable, "manage.py", "prepare", "--no-download"]
    subprocess.run(
        prepare, cwd=ROOT, env=os.environ | {"DATA_DIR": str(data)} | settings, check=True, stdout=sys.stderr
    )
    running = Service(data, settings)
    try:
        yield running.start()  # with its worker warm: it would take the page's time
    finally:
        running.stop()


def install(data: Path) -> None:
    """A catalogue of CelebA's size in 60 clusters, with 40 attributes, and 203 times one tilemap of cut photographs."""
    random = np.random.default_rng(0)
    arrays = {}
    for name in ("pca", "umap"):
        centres = random.normal(scale=3, size=(60, 3))
        places = centres[random.integers(0, 60, TOTAL)] + random.normal(scale=1.2, size=(TOTAL, 3))
        arrays[name] = places.astype(np.float32)
    page = Tilemap()
    for index, picture in enumerate(portraits().values()):
        page.put(index, tile(decode(picture, min_side=48, max_pixels=10**8)))
    content = page.jpeg()
    (data / "tilemaps").mkdir(parents=True)
    for number in range(-(-TOTAL // 1000)):
        installed_catalogue.tilemap_path(data / "tilemaps", number).write_bytes(content)
    installation.install(data, arrays, name="Benchmark")
    flags = {f"Flag_{number}": random.random(TOTAL) < 0.05 + number / 50 for number in range(40)}
    columns = [Column(name=name, type="boolean", values=flag.tolist()) for name, flag in flags.items()]
    path = installed_catalogue.CatalogueStore(data).catalogue().metadata_path
    image_table.add_metadata(path, TOTAL, columns)


def points(browser: Browser, running: Service, folder: Path) -> Iterator[dict[str, Any]]:
    """From navigation to all points drawn, by browsers that have never been here; and what took how long."""
    visits = []
    for _ in range(VISITS):
        visit = Visit(browser, running.url(""), SIZE, color_scheme="dark")
        visit.page.wait_for_timeout(WINDOW)
        visit.open(drawn=False)
        visit.wait("performance.getEntriesByName('wwzd:points').length > 0", 120)
        visits.append(marks(visit))
        visit.close()
    spent = ", ".join(f"{name} {statistics.median(visit[name] for visit in visits):.2f} s" for name in visits[0])
    yield {
        "what": f"{TOTAL:,} points drawn, since navigation",
        "ours": [visit["points"] for visit in visits],
        "note": spent,
    }


def tiles(browser: Browser, running: Service, folder: Path) -> Iterator[dict[str, Any]]:
    """Until all small tiles are drawn; the server makes them for the first visit."""
    for which in ("first", "next"):
        fresh = not any((running.data / "cache").rglob("*-24*"))
        visit = Visit(browser, running.url(""), SIZE, color_scheme="dark").open(drawn=False)
        visit.wait("performance.getEntriesByName('wwzd:tiles').length > 0", 600)
        what = f"all small tiles drawn, since navigation, {which} visit{'; the server makes them' if fresh else ''}"
        yield {"what": what, "ours_s": marks(visit)["tiles"]}
        bytes_ = visit.page.evaluate("wwzd.viewer.facts.bytes")
        visit.close()
    yield {"what": "textures", "ours_mb": bytes_ / 1e6}


def frames(browser: Browser, running: Service, folder: Path) -> Iterator[dict[str, Any]]:
    """A frame while the cloud turns, in dots and in pictures, beside points as large in the same places without any."""
    rivals = folder / "rivals"
    if not (rivals / "built").exists():
        build_rivals(rivals)
    visit = Visit(browser, running.url(""), SIZE, color_scheme="dark").open(drawn=False)
    visit.wait("performance.getEntriesByName('wwzd:tiles').length > 0", 600)
    pick = visit.page.evaluate(_OUR_PICKS) / 1000
    size = visit.page.evaluate("wwzd.viewer.size / Math.tan((wwzd.viewer.cloud.camera.fov * Math.PI) / 360)")
    with files(rivals) as address:
        plain = {
            "1 px": rival(browser, running, f"{address}/plain_points", "side=1"),
            "3 px": rival(browser, running, f"{address}/plain_points", "side=3"),
            "as large": rival(browser, running, f"{address}/plain_points", f"size={size}"),
            "projector": rival(browser, running, f"{address}/scatter_gl", ""),
        }
        times: dict[str, list[float]] = {name: [] for name in [*plain, "dots", "pictures"]}
        for _ in range(ROUNDS):
            for name, page in plain.items():
                times[name] += seconds(page.evaluate(f"frameTimes({FRAMES + 1})"))[1:]
            for name in ("dots", "pictures"):
                visit.page.evaluate(f"wwzd.viewer.setPictures({json.dumps(name == 'pictures')})")
                visit.rest()
                times[name] += seconds(visit.page.evaluate(f"({_OUR_FRAMES})({FRAMES + 1})"))[1:]
        for page in plain.values():
            page.close()
    visit.close()
    yield {"what": "a frame in dots; plain points as large, 3 px", "plain": times["3 px"], "ours": times["dots"]}
    for what, name in (
        ("a frame in pictures; plain points as large", "as large"),
        ("the same; plain points of 1 px", "1 px"),
        ("the same; the Embedding Projector's scatter-gl", "projector"),
    ):
        yield {"what": what, "plain": times[name], "ours": times["pictures"]}
    yield {"what": "which picture is under the cursor", "ours_s": pick}


def filters(browser: Browser, running: Service, folder: Path) -> Iterator[dict[str, Any]]:
    """A click on a filter, by one of 40 attributes: until the cloud is told and all counts are drawn."""
    visit = Visit(browser, running.url(""), SIZE, color_scheme="dark").open(drawn=False)
    visit.wait("performance.getEntriesByName('wwzd:points').length > 0", 120)
    visit.page.evaluate("wwzd.viewer.tiles.stop()")
    visit.page.click("#filters-open")
    began = time.monotonic()
    visit.page.locator("#filters input[type=checkbox]").first.check()
    visit.wait("wwzd.viewer.rowStyles.skip.some(Boolean)")
    yield {"what": "the first filter by one of 40 attributes, with its column", "ours_s": time.monotonic() - began}
    visit.wait(
        "performance.getEntriesByType('resource').filter(({name}) => name.includes('/fields/')).length === 40", 60
    )
    visit.rest()
    times = visit.page.evaluate(f"({_OUR_FILTERS})()")
    yield {"what": "another filter, all counts follow", "ours": seconds(times)}
    visit.close()


PARTS: dict[str, Callable[[Browser, Service, Path], Iterator[dict[str, Any]]]] = {
    "points": points,
    "tiles": tiles,
    "frames": frames,
    "filters": filters,
}


def marks(visit: Visit) -> dict[str, float]:
    """What the page noted, in seconds since the navigation."""
    noted = visit.page.evaluate("performance.getEntriesByType('mark').map(({name, startTime}) => [name, startTime])")
    return {name.split(":")[1]: round(time / 1000, 3) for name, time in noted}


def rival(browser: Browser, running: Service, address: str, query: str) -> Page:
    """A page that shows the same points, and has `frameTimes(count)`."""
    layout = quote(running.url(f"/umap/0/{(TOTAL - 1) // 1000}/standalone"), safe="")
    page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
    page.goto(f"{address}.html?{query}&points={layout}")
    page.wait_for_function("window.frameTimes", timeout=120_000)
    return page


def seconds(milliseconds: list[float]) -> list[float]:
    return [one / 1000 for one in milliseconds]


def build_rivals(folder: Path) -> None:
    """The rivals' libraries are installed and bundled here only: they are no part of the service."""
    shutil.copytree(RIVALS, folder, dirs_exist_ok=True)
    shutil.copy(ROOT / "viewer" / "page" / "data" / "vectors.js", folder)  # the same places
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(["npm", "install", *quiet], cwd=folder, check=True, stdout=sys.stderr)
    bundle = ["npx", "esbuild", "--bundle", "--minify", "--format=esm", "--target=es2022", "--outdir=built"]
    subprocess.run([*bundle, "scatter_gl.js", "plain_points.js", "--log-level=error"], cwd=folder, check=True)
    for name in ("scatter_gl", "plain_points"):
        style = "<style>html,body,#box{margin:0;width:100%;height:100%}</style>"
        page = f'<!doctype html>{style}<div id="box"></div><script type="module" src="built/{name}.js"></script>'
        (folder / f"{name}.html").write_text(page)


@contextmanager
def files(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


if __name__ == "__main__":
    main()
