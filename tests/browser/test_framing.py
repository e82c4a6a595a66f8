"""Where the cloud lies on the page: whole, in what is free, and turned the same way on every way to it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, expect

from datasets.catalogue import installation, installed_catalogue
from datasets.tilemaps.layout import Tilemap, tile
from tests.browser.colours import COUNT, SHAPE, pick
from tests.support.chromium import Visit
from tests.support.pictures import colour
from tests.support.service import Service

MANY = 5200
"""Pictures of a catalogue of more ranges than its layouts are turned by."""


def drawn(visit: Visit, reducer: str) -> NDArray[np.float64]:
    """`(n, 3)` where the pictures of a layout are drawn."""
    return np.array(visit.page.evaluate(f"[...wwzd.viewer.layoutView.layouts.{reducer}.rows]")).reshape(-1, 3)


def show(visit: Visit, reducer: str) -> None:
    pick(visit, "reducer", reducer)
    visit.wait(f"wwzd.viewer.layoutView.reducer === '{reducer}' && !wwzd.viewer.layoutView.morph")


def both(visit: Visit, first: str, second: str) -> dict[str, NDArray[np.float64]]:
    """Both layouts, where one is opened and the other chosen."""
    visit.open(f"/?view={first}")
    show(visit, second)
    return {name: drawn(visit, name) for name in (first, second)}


def test_layouts_lie_alike_whichever_comes_first(visit: Visit) -> None:
    one = both(visit, "pca", "umap")
    other = both(visit, "umap", "pca")
    for name in ("pca", "umap"):
        np.testing.assert_array_equal(one[name], other[name])


def test_back_shows_what_was_seen(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}&view=umap")
    before = drawn(visit, "umap")
    visit.open(f"/?dataset={upload}&view=pca")
    show(visit, "umap")
    np.testing.assert_array_equal(drawn(visit, "umap"), before)
    visit.page.reload()
    visit.wait_until_drawn()
    np.testing.assert_array_equal(drawn(visit, "umap"), before)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A catalogue whose second layout is the first one, turned, mirrored and scaled."""
    data = tmp_path_factory.mktemp("many") / "data"
    random = np.random.default_rng(1)
    pca = random.normal(size=(MANY, 3)) * (3, 2, 1)
    turn = np.linalg.qr(random.normal(size=(3, 3)))[0] * (1, 1, -1)
    arrays = {"pca": pca.astype(np.float32), "umap": (5 + 0.3 * pca @ turn).astype(np.float32)}
    installation.install(data, arrays, name="Many")
    tilemap = Tilemap()
    for index in range(1000):
        tilemap.put(index, tile(np.asarray(Image.new("RGB", SHAPE, colour(index % COUNT)))))
    for number in range(-(-MANY // 1000)):
        path = installed_catalogue.tilemap_path(data / "tilemaps", number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tilemap.jpeg())
    running = Service(data)
    yield running.start(warm=False)
    running.stop()


def test_some_ranges_are_enough_to_turn_a_large_catalogue(browser: Browser, many: Service) -> None:
    visit = Visit(browser, many.url(""), color_scheme="dark")
    requested: list[str] = []
    visit.page.on("request", lambda request: requested.append(request.url.removeprefix(visit.origin)))
    one = both(visit, "umap", "pca")
    assert [address for address in requested if address.startswith("/pca/0/5/")] == ["/pca/0/5/standalone?format=raw"]
    np.testing.assert_allclose(one["umap"], one["pca"], atol=2e-3)
    other = both(visit, "pca", "umap")
    np.testing.assert_array_equal(one["umap"], other["umap"])
    visit.close()


SIZES = [(375, 700), (768, 1024), (1280, 800), (2560, 1440), (1280, 400)]


@pytest.mark.parametrize("visit", [{"size": size} for size in SIZES], indirect=True, ids=[str(size) for size in SIZES])
def test_all_pictures_lie_in_what_is_free(visit: Visit) -> None:
    visit.open()
    assert_whole(visit)
    pick_space(visit, "flat")
    assert_whole(visit)


def test_all_are_seen_again_after_the_page_changed_its_size(visit: Visit) -> None:
    visit.open()
    visit.page.set_viewport_size({"width": 400, "height": 800})
    visit.rest()
    assert_whole(visit)
    visit.page.evaluate("wwzd.viewer.cameraController.set([0.4, 0.3, 1.7, 0.1, 0, 0])")
    visit.rest()
    visit.page.set_viewport_size({"width": 1000, "height": 700})
    visit.rest()
    camera = visit.page.evaluate("wwzd.viewer.cameraController.get()")
    np.testing.assert_allclose(camera, [0.4, 0.3, 1.7, 0.1, 0, 0], atol=1e-6)
    visit.page.evaluate("wwzd.viewer.overview()")
    visit.rest()
    assert_whole(visit)


def test_another_layout_is_seen_whole_unless_the_camera_was_moved(visit: Visit) -> None:
    visit.open("/?view=pca")
    show(visit, "umap")
    visit.rest()
    assert_whole(visit)
    visit.wait("!location.search.includes('camera')")
    visit.page.evaluate("wwzd.viewer.cameraController.set([0.4, 0.3, 1.7, 0.1, 0, 0])")
    show(visit, "pca")
    visit.rest()
    camera = visit.page.evaluate("wwzd.viewer.cameraController.get()")
    np.testing.assert_allclose(camera, [0.4, 0.3, 1.7, 0.1, 0, 0], atol=1e-6)


def test_both_layouts_are_seen_whole_side_by_side(visit: Visit) -> None:
    visit.open()
    visit.page.evaluate("wwzd.viewer.layoutView.splitView('pca')")
    visit.rest()
    for pane, sides in ((0, (0, 500)), (1, (500, 1000))):
        assert_whole(visit, pane, sides)


def pick_space(visit: Visit, name: str) -> None:
    visit.page.locator(f"input[name=space][value={name}]").evaluate("input => input.click()")
    visit.rest()


def assert_whole(visit: Visit, pane: int = 0, sides: tuple[float, float] | None = None) -> None:
    """Every picture lies between the bars, and two of them at an edge of it."""
    area = visit.page.evaluate("wwzd.viewer.free({panels: false})")
    left, right = sides or (area["left"], area["right"])
    found = boxes(visit, pane)
    margins = [
        found[:, 0].min() - left,
        found[:, 1].min() - area["top"],
        right - found[:, 2].max(),
        area["bottom"] - found[:, 3].max(),
    ]
    assert min(margins) > 5
    assert sides or min(margins) < 15, "it could be larger"


def boxes(visit: Visit, pane: int) -> NDArray[np.float64]:
    """`(n, 4)`: left, top, right and bottom of the square around each picture, in CSS pixels."""
    places: list[dict[str, Any]] = visit.page.evaluate(
        f"Array.from({{ length: {COUNT} }}, (_, row) => wwzd.viewer.positionOf(row, {pane}))"
    )
    x, y, side = (np.array([place[name] for place in places]) for name in ("x", "y", "side"))
    return np.stack([x - side / 2, y - side / 2, x + side / 2, y + side / 2], axis=1)


@pytest.mark.parametrize("visit", [{}, {"size": (375, 700)}], indirect=True, ids=["wide", "narrow"])
def test_both_panes_move_aside_for_the_panel(visit: Visit) -> None:
    visit.open()
    visit.page.evaluate("wwzd.viewer.layoutView.splitView('pca')")
    visit.rest()
    visit.open(visit.page.url.removeprefix(visit.origin) + "&picture=7")
    visit.wait("wwzd.viewer.layoutView.split !== null && !document.getElementById('panel').hidden")
    visit.rest()
    area = visit.page.evaluate("wwzd.viewer.free()")
    half = (area["left"] + area["right"]) / 2
    for pane, sides in ((0, (area["left"], half)), (1, (half, area["right"]))):
        found = boxes(visit, pane)
        assert found[:, 0].min() > sides[0]
        assert found[:, 2].max() < sides[1]
        assert found[:, 1].min() > area["top"]
        assert found[:, 3].max() < area["bottom"]
    visit.page.keyboard.press("Escape")
    visit.rest()
    width = visit.page.evaluate("innerWidth")
    for pane, across in ((0, (0, width / 2)), (1, (width / 2, width))):
        assert_whole(visit, pane, across)


def test_the_card_at_the_cursor_leaves_the_panel_free(visit: Visit) -> None:
    visit.open("/?picture=7")
    expect(visit.page.locator("#panel")).to_be_visible()
    visit.rest()
    panel = visit.page.locator("#panel").bounding_box()
    assert panel is not None
    places = [visit.page.evaluate(f"wwzd.viewer.positionOf({row})") for row in range(COUNT)]
    near = max((at["x"], at["y"]) for at in places if at["x"] < panel["x"] - 10 and 100 < at["y"] < 560)
    visit.page.mouse.move(*near)
    expect(visit.page.locator("#hover")).to_be_visible()
    card = visit.page.locator("#hover").bounding_box()
    assert card is not None
    assert card["x"] + card["width"] <= panel["x"]
