"""The cloud as it is drawn: every picture in its place, in each layout."""

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.colours import COUNT, SHAPE, look, pick, place, points_to_try, seen, without_fading
from tests.support.chromium import Visit
from tests.support.paths import ROOT
from tests.support.pictures import colour

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


def test_a_line_parts_a_picture_from_what_lies_behind(visit: Visit) -> None:
    visit.open()
    without_fading(visit)
    image = np.asarray(look(visit)).astype(int)
    clear = [at for at in places_of_all(visit) if 100 < at["x"] < 900 and 120 < at["y"] < 560]
    nearest = min(clear, key=lambda at: at["far"])
    left = int(nearest["x"] - nearest["side"] * SHAPE[0] / SHAPE[1] / 2)
    pixels = image[int(nearest["y"]), left - 3 : left + 8]
    inside = pixels[-1]
    outline = pixels[(np.abs(pixels - inside).max(axis=1) > 8).nonzero()[0][-1]]
    channel = np.abs(inside - 127.5).argmax()
    share = (outline - inside)[channel] / (127.5 - inside)[channel]
    assert 0.15 < share < 0.5
    assert np.abs(outline - (inside * (1 - share) + 127.5 * share)).max() <= 12


def test_no_picture_is_lost_where_small_ones_grow(visit: Visit) -> None:
    """Those of some pixels and larger ones are drawn by two programs: each by one of them, in its place."""
    visit.open()
    without_fading(visit)
    visit.page.evaluate("wwzd.viewer.cameraController.set([0, 0, 2.5, 0, 0, 0]); wwzd.viewer.setZoom(0.2)")
    visit.rest()
    assert 10 < visit.page.evaluate("wwzd.viewer.cloud.nearPoints.geometry.drawRange.count") < COUNT - 10
    assert all_in_place(visit, 0, (10, 990)) > COUNT / 2
    visit.page.evaluate("wwzd.viewer.layoutView.splitView('pca')")
    visit.rest()
    for pane, sides in ((0, (10, 490)), (1, (510, 990))):
        assert all_in_place(visit, pane, sides) > COUNT / 2


def places_of_all(visit: Visit, pane: int = 0) -> list[dict[str, float]]:
    """Where each picture is drawn: `x`, `y`, `side` in pixels, and how `far` it is."""
    found: list[dict[str, float]] = visit.page.evaluate(
        f"Array.from({{ length: {COUNT} }}, (_, row) => wwzd.viewer.positionOf(row, {pane}))"
    )
    return found


def all_in_place(visit: Visit, pane: int, sides: tuple[int, int]) -> int:
    """Check that each picture, or what lies over it, is drawn where it should be → how many lie clear of the bars."""
    image = look(visit)
    places = places_of_all(visit, pane)
    clear = [row for row, at in enumerate(places) if sides[0] < at["x"] < sides[1] and 90 < at["y"] < 600]
    for row in clear:
        mine = places[row]
        over = {
            other
            for other, at in enumerate(places)
            if at["far"] <= mine["far"] and np.hypot(at["x"] - mine["x"], at["y"] - mine["y"]) < at["side"]
        }
        # The middle may lie under the outline of one that is nearer.
        shown = [seen(image, mine["x"] + beside, mine["y"]) for beside in (0, -2, 2)]
        assert next((each for each in shown if each >= 0), -1) in over, f"{row}, {mine['side']:.2f} px"
    return len(clear)


def test_another_reducer_moves_every_picture_to_its_place_there(visit: Visit) -> None:
    visit.open()
    before = [place(visit, row) for row in range(COUNT)]
    pick(visit, "reducer", "pca")
    visit.wait("wwzd.viewer.layoutView.reducer === 'pca' && !wwzd.viewer.layoutView.morph")
    without_fading(visit)
    moved = [np.hypot(*np.subtract(place(visit, row), before[row])) for row in range(COUNT)]
    assert np.median(moved) > 20
    assert "view=pca" in visit.page.url
    image = look(visit)
    # Some middles lie below an outline.
    rows = {point: seen(image, *point) for point in points_to_try(visit, 12)}
    clear = {point: row for point, row in rows.items() if row >= 0}
    assert len(clear) >= 6
    for (x, y), row in clear.items():
        assert visit.page.evaluate(f"wwzd.viewer.rowAt({x}, {y})") == row


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
        found = visit.page.evaluate(f"Array.from({{length: {COUNT}}}, (_, row) => wwzd.viewer.positionOf(row, {pane}))")
        clear = [(p["x"], p["y"]) for p in found if left + 40 < p["x"] < left + 460 and 100 < p["y"] < 600]
        x, y = clear[len(clear) // 2]
        row = seen(look(visit), x, y)
        assert row >= 0
        assert visit.page.evaluate(f"wwzd.viewer.rowAt({x}, {y})") == row


def test_the_points_are_on_their_way_before_the_scripts_run(visit: Visit) -> None:
    requested: list[str] = []
    visit.page.on("request", lambda request: requested.append(request.url.removeprefix(visit.origin)))
    visit.open("/?view=pca")
    vectors = [address for address in requested if "standalone" in address]
    assert vectors == ["/pca/0/0/standalone?format=raw"]
    assert requested.index(vectors[0]) < requested.index("/tilemaps/000?tile=12")


@pytest.mark.skipif(not EMULATOR.exists(), reason="no emulator of a headset: npm ci --prefix viewer")
def test_virtual_reality_shows_the_cloud_and_gives_the_page_back(visit: Visit) -> None:
    visit.context.add_init_script(path=EMULATOR)
    visit.context.add_init_script("new IWER.XRDevice(IWER.metaQuest3).installRuntime({forceInstall: true})")
    visit.open()
    without_fading(visit)
    before = look(visit)
    visit.page.click("#vr")
    visit.wait("wwzd.viewer.cloud.renderer.xr.isPresenting")
    frames = visit.page.evaluate("wwzd.viewer.facts.frames")
    visit.wait(f"wwzd.viewer.facts.frames > {frames + 3}")
    pixels = np.asarray(look(visit))[::4, ::4].reshape(-1, 1, 3).astype(int)
    known = np.array([colour(index) for index in range(COUNT)])
    there = (np.abs(pixels - known).max(axis=2) <= 10).any(axis=0)
    assert there.sum() > COUNT / 4, "the cloud is not there"
    visit.page.evaluate("wwzd.viewer.cloud.renderer.xr.getSession().end()")
    visit.wait("!wwzd.viewer.cloud.renderer.xr.isPresenting")
    visit.page.mouse.move(5, 690)
    visit.rest()
    # The emulator puts the canvas back as the last one of its siblings: over the bars, which are left out here.
    cloud = np.s_[100:600, 60:940]
    assert np.abs(np.asarray(look(visit)).astype(int)[cloud] - np.asarray(before)[cloud]).max() <= 8
