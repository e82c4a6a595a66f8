"""A catalogue of pictures of one colour each, so that a pixel tells which picture is drawn there."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from datasets.catalogue import installation, installed_catalogue
from datasets.tilemaps.layout import Tilemap, tile
from tests.support.chromium import Visit
from tests.support.pictures import colour

COUNT = 150
SHAPE = (45, 60)
"""Of the pictures, in pixels: upright, so that white would show at both sides of them."""


def install(data: Path) -> None:
    """A catalogue of pictures of one colour each, in two layouts that have nothing in common."""
    random = np.random.default_rng(0)
    arrays = {name: random.normal(size=(COUNT, 3)).astype(np.float32) for name in ("pca", "umap")}
    installation.install(data, arrays, name="Colours")
    tilemap = Tilemap()
    for index in range(COUNT):
        tilemap.put(index, tile(np.asarray(Image.new("RGB", SHAPE, colour(index)))))
    path = installed_catalogue.tilemap_path(data / "tilemaps", 0)
    path.parent.mkdir(parents=True)
    path.write_bytes(tilemap.jpeg())


def look(visit: Visit) -> Image.Image:
    return Image.open(io.BytesIO(visit.page.screenshot())).convert("RGB")


def seen(image: Image.Image, x: float, y: float) -> int:
    """Which picture is drawn at a point: the one whose colour the pixel has. -1 if it has none's."""
    if not (0 <= x < image.width and 0 <= y < image.height):
        return -1
    pixel = np.array(image.getpixel((int(x), int(y))))
    distances = np.abs(np.array([colour(index) for index in range(COUNT)]) - pixel).max(axis=1)
    return int(distances.argmin()) if distances.min() <= 10 else -1


def place(visit: Visit, row: int) -> tuple[float, float]:
    found = visit.page.evaluate(f"wwzd.viewer.positionOf({row})")
    return found["x"], found["y"]


def without_fading(visit: Visit) -> None:
    visit.page.evaluate("wwzd.viewer.setFade(0)")
    visit.rest()


def pick(visit: Visit, name: str, value: str) -> None:
    visit.page.locator(f"label:has(input[name={name}][value={value}])").click()


def draw_lasso(visit: Visit, start: tuple[int, int], *corners: tuple[int, int]) -> None:
    """Choose the lasso, and draw with it from corner to corner."""
    pick(visit, "tool", "lasso")
    visit.page.mouse.move(*start)
    visit.page.mouse.down()
    for x, y in corners:
        visit.page.mouse.move(x, y, steps=3)
    visit.page.mouse.up()


def points_to_try(visit: Visit, count: int = 6) -> list[tuple[float, float]]:
    """The middles of some pictures, clear of the bars and of the outlines of others."""
    image = look(visit)
    places = [place(visit, row) for row in range(0, COUNT, 3)]
    clear = [(x, y) for x, y in places if 60 < x < 940 and 90 < y < 600 and seen(image, x, y) >= 0]
    assert len(clear) >= count
    return clear[:count]


def is_on_canvas(visit: Visit, x: float, y: float) -> bool:
    """Whether nothing covers the cloud at a point."""
    return bool(visit.page.evaluate(f"document.elementFromPoint({x}, {y})?.id === 'cloud'"))
