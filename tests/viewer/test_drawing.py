"""The cloud as it is drawn: every picture in its place, in each layout."""

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser import Visit
from tests.pictures import colour
from tests.service import ROOT

from .colours import COUNT, look, pick, place, points_to_try, seen, without_fading

EMULATOR = ROOT / "viewer" / "node_modules" / "iwer" / "build" / "iwer.min.js"


def test_it_draws_all_pictures_and_asks_nobody_else(visit: Visit) -> None:
    visit.open()
    assert visit.page.title() == "Colours – WWZD"
    expect(visit.page.locator("#collection-count")).to_have_text("150")
    without_fading(visit)
    image = look(visit)
    found = {seen(image, *place(visit, row)) for row in range(COUNT)}
    # Those behind others do not show.
    assert len(found - {-1}) > COUNT / 3


def test_no_white_shows_beside_a_picture(visit: Visit) -> None:
    visit.open()
    without_fading(visit)
    image = np.asarray(look(visit))
    # None of the colours is as bright as that, and the ground is dark.
    assert image[90:600, 60:940].min(axis=2).max() < 240


def test_no_picture_is_lost_where_small_ones_grow(visit: Visit) -> None:
    """Those of some pixels and larger ones are drawn by two programs: each by one of them, in its place."""
    visit.open()
    without_fading(visit)
    visit.page.evaluate("wwzd.stage.setZoom(0.2)")
    visit.rest()
    assert 10 < visit.page.evaluate("wwzd.stage.cloud.close.geometry.drawRange.count") < COUNT - 10
    assert all_in_place(visit, 0, (10, 990)) > COUNT / 2
    visit.page.evaluate("wwzd.stage.both('pca')")
    visit.rest()
    for pane, sides in ((0, (10, 490)), (1, (510, 990))):
        assert all_in_place(visit, pane, sides) > COUNT / 2


def all_in_place(visit: Visit, pane: int, sides: tuple[int, int]) -> int:
    """Check that each picture, or what lies over it, is drawn where it should be → how many lie clear of the bars."""
    image = look(visit)
    places = visit.page.evaluate(f"Array.from({{ length: {COUNT} }}, (_, row) => wwzd.stage.where(row, {pane}))")
    clear = [row for row, at in enumerate(places) if sides[0] < at["x"] < sides[1] and 90 < at["y"] < 600]
    for row in clear:
        mine = places[row]
        over = {
            other
            for other, at in enumerate(places)
            if at["far"] <= mine["far"] and np.hypot(at["x"] - mine["x"], at["y"] - mine["y"]) < at["side"]
        }
        assert seen(image, mine["x"], mine["y"]) in over, f"{row}, {mine['side']:.2f} px"
    return len(clear)


def test_another_reducer_moves_every_picture_to_its_place_there(visit: Visit) -> None:
    visit.open()
    before = [place(visit, row) for row in range(COUNT)]
    pick(visit, "reducer", "pca")
    visit.wait("wwzd.stage.reducer === 'pca' && !wwzd.stage.morph")
    without_fading(visit)
    moved = [np.hypot(*np.subtract(place(visit, row), before[row])) for row in range(COUNT)]
    assert np.median(moved) > 20
    assert "view=pca" in visit.page.url
    for x, y in points_to_try(visit, 3):
        row = seen(look(visit), x, y)
        assert row >= 0
        assert visit.page.evaluate(f"wwzd.stage.at({x}, {y})") == row


def test_dots_have_the_colours_of_their_pictures(visit: Visit) -> None:
    visit.open()
    pick(visit, "mode", "dots")
    without_fading(visit)
    image = look(visit)
    matching = [seen(image, *place(visit, row)) == row for row in range(COUNT)]
    assert np.mean(matching) > 0.7


def test_two_layouts_stand_side_by_side_and_share_the_selection(visit: Visit) -> None:
    visit.open()
    visit.page.click("#split")
    expect(visit.page.locator("#panes")).to_be_visible()
    without_fading(visit)
    for pane, left in ((0, 0), (1, 500)):
        found = visit.page.evaluate(f"Array.from({{length: {COUNT}}}, (_, row) => wwzd.stage.where(row, {pane}))")
        clear = [(p["x"], p["y"]) for p in found if left + 40 < p["x"] < left + 460 and 100 < p["y"] < 600]
        x, y = clear[len(clear) // 2]
        row = seen(look(visit), x, y)
        assert row >= 0
        assert visit.page.evaluate(f"wwzd.stage.at({x}, {y})") == row


def test_the_points_are_on_their_way_before_the_scripts_run(visit: Visit) -> None:
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url.removeprefix(visit.origin)))
    visit.open("/?view=pca")
    vectors = [address for address in asked if "standalone" in address]
    assert vectors == ["/pca/0/0/standalone?format=raw"]
    assert asked.index(vectors[0]) < asked.index("/tilemaps/000?tile=12")


@pytest.mark.skipif(not EMULATOR.exists(), reason="no emulator of a headset: npm ci --prefix viewer")
def test_virtual_reality_shows_the_cloud_and_gives_the_page_back(visit: Visit) -> None:
    visit.context.add_init_script(path=EMULATOR)
    visit.context.add_init_script("new IWER.XRDevice(IWER.metaQuest3).installRuntime({forceInstall: true})")
    visit.open()
    without_fading(visit)
    before = look(visit)
    visit.page.click("#vr")
    visit.wait("wwzd.stage.cloud.renderer.xr.isPresenting")
    frames = visit.page.evaluate("wwzd.stage.facts.frames")
    visit.wait(f"wwzd.stage.facts.frames > {frames + 3}")
    pixels = np.asarray(look(visit))[::4, ::4].reshape(-1, 1, 3).astype(int)
    known = np.array([colour(index) for index in range(COUNT)])
    there = (np.abs(pixels - known).max(axis=2) <= 10).any(axis=0)
    assert there.sum() > COUNT / 4, "the cloud is not there"
    visit.page.evaluate("wwzd.stage.cloud.renderer.xr.getSession().end()")
    visit.wait("!wwzd.stage.cloud.renderer.xr.isPresenting")
    visit.page.mouse.move(5, 690)
    visit.rest()
    # The emulator puts the canvas back as the last one of its siblings: over the bars, which are left out here.
    cloud = np.s_[100:600, 60:940]
    assert np.abs(np.asarray(look(visit)).astype(int)[cloud] - np.asarray(before)[cloud]).max() <= 8
