"""How quickly the page shows 202,599 pictures, beside points without pictures: `python -m benchmarks.viewer`.

In one headless Chromium that draws in software, one after the other: the page, the Embedding Projector's renderer
(scatter-gl) and a plain three.js `Points`, with the same made-up vectors. Our pictures are real tiles, a tilemap of
them 203 times over. Prints one JSON line a measurement. Needs npm's registry.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from playwright.sync_api import Browser

from tests.browser import Visit, chromium
from tests.service import ROOT, Service

from .inputs import portraits

TOTAL = 202_599
SIZE = (1280, 800)
FRAMES = 25
RIVALS = ROOT / "benchmarks" / "viewer_rivals"

_OUR_FRAMES = """(count) => {
  const { stage } = wwzd, gl = stage.cloud.renderer.getContext(), pixel = new Uint8Array(4), times = [];
  for (let frame = 0; frame < count; frame++) {
    const angle = 0.03 * frame;
    stage.cloud.camera.position.set(2.5 * Math.sin(angle), 0, 2.5 * Math.cos(angle));
    stage.cloud.camera.lookAt(0, 0, 0);
    const began = performance.now();
    stage.cloud.draw();
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
    times.push(performance.now() - began);
  }
  return times;
}"""

_OUR_PICKS = """(() => {
  const began = performance.now();
  for (let pick = 0; pick < 20; pick++) wwzd.stage.at(600 + pick, 400);
  return (performance.now() - began) / 20;
})()"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="wwzd-viewer-") as folder:
        data = Path(folder) / "data"
        install(data)
        rivals = Path(folder) / "rivals"
        build_rivals(rivals)
        cache = {"CACHE_DIR": str(data / "cache")}
        prepare = [sys.executable, "manage.py", "prepare", "--no-download"]
        subprocess.run(prepare, cwd=ROOT, env=os.environ | {"DATA_DIR": str(data)} | cache, check=True)
        service = Service(data, cache).start(warm=False)
        try:
            with chromium() as browser, files(rivals) as address:
                for row in ours(browser, service):
                    print(json.dumps(row), flush=True)
                for name, side in (("plain_points", 4), ("plain_points", 1), ("scatter_gl", 1)):
                    print(json.dumps(rival(browser, service, f"{address}/{name}", side)), flush=True)
        finally:
            service.stop()


def install(data: Path) -> None:
    """A catalogue of CelebA's size in 60 clusters, and 203 times one tilemap of cut photographs."""
    from datasets import catalogue
    from datasets.tilemap import Tilemap, tile
    from embeddings.images import decode

    random = np.random.default_rng(0)
    arrays = {}
    for name in ("pca", "umap"):
        centres = random.normal(scale=3, size=(60, 3))
        places = centres[random.integers(0, 60, TOTAL)] + random.normal(scale=1.2, size=(TOTAL, 3))
        arrays[name] = places.astype(np.float32)
    catalogue.install(data, arrays, name="Benchmark")
    sheet = Tilemap()
    for index, picture in enumerate(portraits().values()):
        sheet.put(index, tile(decode(picture, min_side=48, max_pixels=10**8)))
    content = sheet.jpeg()
    (data / "tilemaps").mkdir(parents=True)
    for number in range(-(-TOTAL // 1000)):
        catalogue.tilemap_path(data / "tilemaps", number).write_bytes(content)


def ours(browser: Browser, service: Service) -> Iterator[dict[str, Any]]:
    for what in ("first visit ever", "next visit, another browser"):
        visit = Visit(browser, service.url(""), SIZE, color_scheme="dark").open(drawn=False)
        visit.wait("performance.getEntriesByName('wwzd:points').length > 0", 120)
        visit.wait("performance.getEntriesByName('wwzd:tiles').length > 0", 600)
        marks = visit.page.evaluate(
            "performance.getEntriesByType('mark').map(({name, startTime}) => [name, startTime])"
        )
        yield {"what": f"ours, {what}"} | {f"{name.split(':')[1]}_s": round(time / 1000, 2) for name, time in marks}
        if what == "first visit ever":
            visit.close()
    yield {"what": "ours, textures", "mb": visit.page.evaluate("wwzd.stage.facts.bytes") / 1e6}
    visit.rest()
    for mode, pictures in (("dots", "false"), ("pictures", "true")):
        visit.page.evaluate(f"wwzd.stage.setPictures({pictures})")
        visit.rest()
        times = visit.page.evaluate(f"({_OUR_FRAMES})({FRAMES})")
        yield {"what": f"ours, {mode}, a frame", "ms": statistics.median(times)}
    visit.page.evaluate("wwzd.stage.setPictures(true)")
    yield {"what": "ours, which picture is under the cursor", "ms": visit.page.evaluate(_OUR_PICKS)}
    visit.close()


def rival(browser: Browser, service: Service, address: str, side: int) -> dict[str, Any]:
    points = quote(service.url(f"/umap/0/{(TOTAL - 1) // 1000}/standalone"), safe="")
    page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
    page.goto(f"{address}.html?side={side}&points={points}")
    page.wait_for_function("window.frameTimes", timeout=120_000)
    seconds = page.evaluate("performance.getEntriesByName('points')[0].startTime / 1000")
    times = page.evaluate(f"frameTimes({FRAMES})")
    page.close()
    name = address.rsplit("/", 1)[1]
    row = {"what": f"{name}, points of {side} px, a frame", "ms": statistics.median(times), "points_s": seconds}
    return row if name != "scatter_gl" else row | {"what": "scatter_gl, a frame"}


def build_rivals(folder: Path) -> None:
    """The rivals' libraries are installed and bundled here only: they are no part of the service."""
    shutil.copytree(RIVALS, folder)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(["npm", "install", *quiet], cwd=folder, check=True)
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
