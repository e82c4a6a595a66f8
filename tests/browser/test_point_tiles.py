"""A collection of which the page loads only some points: as tiles, which a command has written."""

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from datasets.catalogue import installation, installed_catalogue
from datasets.tilemaps.layout import Tilemap
from embeddings.vector_files import Vectors
from tests.browser.colours import look
from tests.support.chromium import Visit
from tests.support.pictures import colour
from tests.support.service import Service

COUNT = 40_000
COLOURS = [colour(number) for number in range(10)]


@pytest.fixture(scope="module")
def places() -> dict[str, Vectors]:
    random = np.random.default_rng(0)
    return {name: random.normal(scale=(9, 9, 30), size=(COUNT, 3)).astype(np.float32) for name in ("pca", "umap")}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, places: dict[str, Vectors]) -> Iterator[Service]:
    """Of pictures of ten colours, one after the other."""
    data = tmp_path_factory.mktemp("points") / "data"
    installation.install(data, places, name="Many")
    tilemap = Tilemap()
    for index in range(1000):
        tilemap.put(index, np.full((48, 48, 3), COLOURS[index % 10], np.uint8))
    for number in range(COUNT // 1000):
        path = installed_catalogue.tilemap_path(data / "tilemaps", number)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(
            tilemap.jpeg() if number == 0 else installed_catalogue.tilemap_path(path.parent, 0).read_bytes()
        )
    running = Service(data, {"POINT_TILES_FROM": "1000"})
    running.manage("migrate")
    running.manage("build_point_tiles")
    yield running.start(warm=False)
    running.stop()


@pytest.fixture
def visit(browser: Browser, service: Service) -> Iterator[Visit]:
    made = Visit(browser, service.url(""), color_scheme="dark", reduced_motion="reduce")
    made.open()
    rest(made)
    yield made
    made.close()


def rest(visit: Visit) -> None:
    visit.wait("wwzd.viewer.tiled?.idle")
    visit.rest()


def requested(visit: Visit, part: str) -> int:
    script = "(part) => performance.getEntriesByType('resource').filter(({ name }) => name.includes(part)).length"
    found: int = visit.page.evaluate(script, part)
    return found


def test_points_are_drawn_in_the_colours_of_their_pictures(visit: Visit) -> None:
    assert visit.page.evaluate("wwzd.viewer.tiled.facts.drawn") == COUNT
    assert visit.page.evaluate("wwzd.viewer.tiled.facts.nodes") > 2
    assert requested(visit, "standalone") == requested(visit, "/tilemaps/") == 0
    visit.page.evaluate("wwzd.viewer.setFade(0)")
    visit.rest()
    pixels = np.asarray(look(visit).crop((350, 250, 650, 450))).reshape(-1, 3).astype(int)
    near = np.abs(pixels[:, None] - np.array(COLOURS)).max(axis=2).min(axis=1) <= 12
    assert near.mean() > 0.5


def test_a_point_is_picked_and_its_picture_shown(visit: Visit, places: dict[str, Vectors]) -> None:
    for x, y in ((480, 340), (530, 380), (500, 300)):
        row = visit.page.evaluate(f"wwzd.viewer.rowAt({x}, {y})")
        assert row >= 0
        where = visit.page.evaluate(f"wwzd.viewer.positionOf({row})")
        assert abs(where["x"] - x) < 8 > abs(where["y"] - y)
        expected = visit.page.evaluate(f"wwzd.viewer.tiled.index.transform({places['umap'][row].tolist()})")
        assert np.allclose(visit.page.evaluate(f"[...wwzd.viewer.tiled.place({row})]"), expected, atol=1e-3)
        visit.page.mouse.click(x, y)
        visit.wait(f"wwzd.viewer.highlights.clicked === {row}")
        expect(visit.page.locator("#panel h2, #panel h3").first).to_have_text(f"{row:06d}")
    visit.page.keyboard.press("Enter")
    visit.page.locator("#lightbox[open]").wait_for()


def test_pictures_are_drawn_near_the_camera(visit: Visit) -> None:
    row = visit.page.evaluate("wwzd.viewer.tiled.root.rows[5]")
    visit.page.evaluate(f"wwzd.viewer.approach({row}, {{ left: 0, top: 0, right: 1000, bottom: 700 }})")
    visit.wait(f"wwzd.viewer.levelOfDetail.shown.has({row})")
    rest(visit)
    place = visit.page.evaluate(f"wwzd.viewer.positionOf({row})")
    assert place["side"] > 22
    pixel = np.array(look(visit).getpixel((int(place["x"]), int(place["y"]))))
    seen = visit.page.evaluate(f"wwzd.viewer.rowAt({place['x']}, {place['y']})")
    assert np.abs(pixel - COLOURS[seen % 10]).max() <= 12


def test_a_row_that_is_not_loaded_is_found_and_another_layout_shown(visit: Visit, places: dict[str, Vectors]) -> None:
    visit.page.evaluate("wwzd.viewer.tiled.locate([39_999])")
    visit.wait("wwzd.viewer.tiled.place(39_999)")
    visit.page.locator("label:has(input[name=reducer][value=pca])").click()
    visit.wait("wwzd.viewer.layoutView.reducer === 'pca' && Boolean(wwzd.viewer.tiled)")
    rest(visit)
    visit.page.evaluate("wwzd.viewer.tiled.locate([39_999])")
    visit.wait("wwzd.viewer.tiled.place(39_999)")
    expected = visit.page.evaluate(f"wwzd.viewer.tiled.index.transform({places['pca'][39_999].tolist()})")
    assert np.allclose(visit.page.evaluate("[...wwzd.viewer.tiled.place(39_999)]"), expected, atol=1e-3)
    for what in ("#split", "#filters-open", "input[name=tool][value=lasso]"):
        assert not visit.page.locator(what).is_visible()
