"""The documents' pictures of the page, taken from the real page: `python -m benchmarks.screenshots`.

A catalogue and an upload of cuts from scikit-learn's photograph of a dahlia, each of another tint; nothing else is
shown. Writes docs/page-*.jpg.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser

from tests.support.chromium import Visit, chromium
from tests.support.paths import ROOT
from tests.support.pictures import encode, zipped
from tests.support.service import Service

DOCS = ROOT / "docs"
WIDE, NARROW = (1280, 800), (375, 720)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="wwzd-screenshots-") as folder:
        archive = Path(folder) / "garden.zip"
        archive.write_bytes(zipped(dahlias(240, (200, 160), seed=1)))
        data = Path(folder) / "data"
        build(data, Path(folder) / "Dahlias.zip")
        service = Service(data, {"CACHE_DIR": str(data / "cache")}).start()
        try:
            with chromium() as browser:
                catalogue(browser, service)
                upload(browser, service, archive)
        finally:
            service.stop()


def build(data: Path, source: Path) -> None:
    """A catalogue of 900 cuts, placed by the real network."""
    source.write_bytes(zipped(dahlias(900, (178, 218), seed=0)))
    data.mkdir()
    environment = os.environ | {"DATA_DIR": str(data), "CACHE_DIR": str(data / "cache")}
    for command in (["migrate", "-v0"], ["build_catalogue", str(source), "--name", "Dahlias"]):
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=environment, check=True)


def dahlias(count: int, size: tuple[int, int], seed: int) -> dict[str, bytes]:
    """JPEGs: random cuts of random scale, their hues turned by one of twelve angles."""
    from sklearn.datasets import load_sample_image

    random = np.random.default_rng(seed)
    photograph = Image.fromarray(load_sample_image("flower.jpg")).convert("HSV")
    files = {}
    for index in range(count):
        scale = random.uniform(0.4, 1.9)
        width, height = size[0] * scale, size[1] * scale
        left = random.uniform(0, photograph.width - width)
        top = random.uniform(0, photograph.height - height)
        cut = np.asarray(photograph.resize(size, box=(left, top, left + width, top + height))).copy()
        cut[..., 0] += np.uint8(random.integers(12) * 21)
        turned = Image.frombytes("HSV", size, cut.tobytes()).convert("RGB")
        files[f"dahlia-{index:03d}.jpg"] = encode(turned, "JPEG", quality=92)
    return files


def catalogue(browser: Browser, service: Service) -> None:
    visit = Visit(browser, service.url(""), WIDE, color_scheme="dark").open()
    settle(visit)
    visit.page.evaluate("wwzd.viewer.cameraController.set([1.0, 0.45, 1.7, 0.02, -0.06, 0])")
    shoot(visit, "catalogue")
    visit.close()


def upload(browser: Browser, service: Service, archive: Path) -> None:
    visit = Visit(browser, service.url(""), WIDE, color_scheme="dark").open()
    visit.page.set_input_files("#files", str(archive))
    visit.page.wait_for_timeout(2500)
    visit.page.screenshot(path=DOCS / "page-upload.jpg", type="jpeg", quality=82)
    visit.wait("wwzd.viewer.collection?.kind === 'dataset'", 300)
    visit.wait("wwzd.viewer.layoutView.reducer === 'umap' && !wwzd.viewer.layoutView.morph", 300)
    visit.page.wait_for_timeout(6000)  # the note that it is here has gone
    settle(visit)
    identity = visit.page.evaluate("wwzd.viewer.collection.id")
    visit.page.evaluate("wwzd.viewer.setZoom(1.3), wwzd.viewer.cameraController.set([0.5, 0.35, 1.25, 0.05, 0, 0])")
    shoot(visit, "close")
    visit.page.evaluate("wwzd.viewer.setZoom(1), wwzd.viewer.cameraController.set([0.3, 0.2, 2.6, 0.45, 0, 0])")
    settle(visit)
    row = visit.page.evaluate("wwzd.viewer.rowAt(540, 400)")
    if row < 0:
        row = visit.page.evaluate("wwzd.viewer.levelOfDetail.near()[3]")
    spot = visit.page.evaluate(f"wwzd.viewer.positionOf({row})")
    visit.page.mouse.click(spot["x"], spot["y"])
    visit.page.wait_for_timeout(2500)
    visit.page.mouse.move(4, 700)
    shoot(visit, "neighbours")
    visit.close()
    narrow = Visit(browser, service.url(""), NARROW, color_scheme="dark", device_scale_factor=2, has_touch=True)
    narrow.open(f"/?dataset={identity}&camera=0.1,0.1,3.2,0,-0.6,0&picture={row}")
    narrow.page.wait_for_timeout(2000)
    settle(narrow)
    shoot(narrow, "narrow")
    narrow.close()


def settle(visit: Visit) -> None:
    visit.page.wait_for_timeout(600)
    visit.rest()


def shoot(visit: Visit, name: str) -> None:
    settle(visit)
    visit.page.screenshot(path=DOCS / f"page-{name}.jpg", type="jpeg", quality=82)


if __name__ == "__main__":
    main()
