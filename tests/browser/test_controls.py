"""Mouse, keys, fingers, address, language: how the page is led."""

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import expect

from tests.browser.colours import COUNT, is_on_canvas, look, pick, place, points_to_try, seen, without_fading
from tests.support.chromium import Visit


def test_hovering_names_the_picture_under_the_cursor(visit: Visit) -> None:
    visit.open()
    without_fading(visit)
    for x, y in points_to_try(visit):
        visit.page.mouse.move(5, 690)
        visit.rest()
        row = seen(look(visit), x, y)
        assert row >= 0
        visit.page.mouse.move(x, y)
        expect(visit.page.locator("#hover p")).to_have_text(f"{row:06d}")
        visit.rest()
        assert seen(look(visit), x, y) == row, "the one under the cursor is not in front"


def test_a_click_opens_the_picture(visit: Visit) -> None:
    visit.open()
    without_fading(visit)
    x, y = points_to_try(visit)[2]
    row = seen(look(visit), x, y)
    visit.page.mouse.click(x, y)
    expect(visit.page.locator("#panel h2")).to_have_text(f"{row:06d}")
    assert f"picture={row}" in visit.page.url
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("#panel")).to_be_hidden()
    assert "picture=" not in visit.page.url


def test_the_address_restores_what_was_seen(visit: Visit) -> None:
    visit.open()
    visit.page.evaluate("wwzd.viewer.cameraController.set([0.4, 0.3, 1.7, 0.1, 0, 0])")
    pick(visit, "mode", "dots")
    pick(visit, "reducer", "pca")
    visit.wait("location.search.includes('view=pca') && location.search.includes('camera=')")
    visit.page.evaluate("wwzd.view.choose([3, 5, 90])")
    visit.wait("location.search.includes('selected=')")
    camera = "wwzd.viewer.cameraController.get().map((n) => n.toFixed(2))"
    state = f"[wwzd.viewer.layoutView.reducer, wwzd.viewer.pictures, [...wwzd.viewer.rowStyles.chosen], {camera}]"
    before = visit.page.evaluate(state)
    visit.open(visit.page.url.removeprefix(visit.origin))
    visit.wait("wwzd.viewer.rowStyles.chosen.size === 3")
    assert visit.page.evaluate(state) == before


def test_keys_turn_open_and_close(visit: Visit) -> None:
    visit.open()
    visit.page.focus("#cloud")
    before = visit.page.evaluate("wwzd.viewer.cameraController.get()")
    visit.page.keyboard.down("ArrowRight")
    visit.page.wait_for_timeout(300)
    visit.page.keyboard.up("ArrowRight")
    visit.rest()
    after = visit.page.evaluate("wwzd.viewer.cameraController.get()")
    assert np.abs(np.subtract(after, before)).max() > 0.05
    visit.page.evaluate("wwzd.viewer.approach(7, {left: 0, top: 0, right: 1000, bottom: 700})")
    visit.rest()
    visit.page.focus("#cloud")
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("#panel")).to_be_visible()
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("#panel")).to_be_hidden()


def test_a_question_mark_shows_the_keys(visit: Visit) -> None:
    visit.open()
    visit.page.focus("#cloud")
    visit.page.keyboard.press("?")
    expect(visit.page.locator("#hint")).to_contain_text("W A S D Q E")
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("#hint")).to_be_hidden()


@pytest.mark.parametrize("visit", [{}, {"size": (375, 700)}], indirect=True, ids=["wide", "narrow"])
def test_the_panel_does_not_cover_what_was_clicked(visit: Visit) -> None:
    visit.open()
    without_fading(visit)
    width, height = visit.page.evaluate("[innerWidth, innerHeight]")
    # Where the panel is going to be: on the right, or, on a narrow screen, at the bottom.
    corner = (0.7 * width, 90) if width > 720 else (20, 0.5 * height)
    places = [place(visit, row) for row in range(COUNT)]
    x, y = next(
        (x, y)
        for x, y in places
        if corner[0] < x < width - 20 and corner[1] < y < height - 100 and is_on_canvas(visit, x, y)
    )
    row = int(visit.page.evaluate(f"wwzd.viewer.rowAt({x}, {y})"))
    visit.page.mouse.click(x, y)
    expect(visit.page.locator("#panel")).to_be_visible()
    visit.rest()
    x, y = place(visit, row)
    assert is_on_canvas(visit, x, y)
    assert seen(look(visit), x, y) == row


@pytest.mark.parametrize("visit", [{"has_touch": True}], indirect=True)
def test_fingers_open_turn_zoom_and_move(visit: Visit) -> None:
    visit.open()
    without_fading(visit)
    x, y = points_to_try(visit)[1]
    row = seen(look(visit), x, y)
    visit.page.touchscreen.tap(x, y)
    expect(visit.page.locator("#panel h2")).to_have_text(f"{row:06d}")
    visit.page.keyboard.press("Escape")
    visit.page.click("#reset")
    visit.rest()
    start = camera(visit)

    fingers(visit, [[(400, 350)], [(450, 350)], [(520, 360)]])
    turned = camera(visit)
    distances = [np.linalg.norm(at[:3] - at[3:]) for at in (start, turned)]
    assert distances[1] == pytest.approx(distances[0], rel=0.01)
    assert np.abs(turned[:3] - start[:3]).max() > 0.1

    fingers(visit, [[(480, 350), (520, 350)], [(430, 350), (570, 350)], [(350, 350), (650, 350)]])
    near = camera(visit)
    assert np.linalg.norm(near[:3] - near[3:]) < 0.7 * np.linalg.norm(turned[:3] - turned[3:])

    fingers(visit, [[(400, 300), (500, 300)], [(440, 330), (540, 330)], [(500, 380), (600, 380)]])
    moved = camera(visit)
    assert np.linalg.norm(moved[3:] - near[3:]) > 0.05
    expect(visit.page.locator("#panel")).to_be_hidden()
    expect(visit.page.locator("#hover")).to_be_hidden()


def camera(visit: Visit) -> NDArray[np.float64]:
    """Its position and what it looks at."""
    return np.array(visit.page.evaluate("wwzd.viewer.cameraController.get()"))


def fingers(visit: Visit, steps: list[list[tuple[int, int]]]) -> None:
    """Put fingers down where the first step says, move them as the others say, and lift them."""
    session = visit.context.new_cdp_session(visit.page)
    for kind, points in [("touchStart", steps[0]), *(("touchMove", step) for step in steps[1:]), ("touchEnd", [])]:
        touched = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touched})
        visit.page.wait_for_timeout(50)
    session.detach()
    visit.rest()


def test_every_control_is_reached_by_tab_and_has_a_name(visit: Visit) -> None:
    visit.open()
    names = set()
    for _ in range(25):
        visit.page.keyboard.press("Tab")
        names.add(
            visit.page.evaluate(
                "(({id, ariaLabel, textContent, labels}) => [id, (ariaLabel || textContent || labels?.[0]?.textContent "
                "|| '').trim()])(document.activeElement).join(': ')"
            )
        )
    reached = {name.split(":")[0] for name in names}
    assert {"cloud", "collection", "help", "add", "split", "reset", "tune"} <= reached
    assert [name for name in names if name.endswith(": ")] == []


@pytest.mark.parametrize("visit", [{"size": (375, 700)}], indirect=True)
def test_it_fits_a_narrow_screen(visit: Visit) -> None:
    visit.open()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 375
    for part in ("#collection", "#add", "#tools"):
        box = visit.page.locator(part).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 375
    row = int(visit.page.evaluate("wwzd.viewer.levelOfDetail.near()[0]"))
    x, y = place(visit, row)
    visit.page.mouse.click(x, y)
    expect(visit.page.locator("#panel")).to_be_visible()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 375


@pytest.mark.parametrize("visit", [{"locale": "pl-PL"}], indirect=True)
def test_it_speaks_polish(visit: Visit) -> None:
    visit.open()
    expect(visit.page.locator("#add")).to_have_text("Dodaj zdjęcia")
    assert visit.page.evaluate("document.documentElement.lang") == "pl"
    visit.page.click("#tune")
    pick(visit, "language", "en")
    expect(visit.page.locator("#add")).to_have_text("Add pictures")


def test_an_unknown_dataset_shows_a_sentence(visit: Visit) -> None:
    visit.open("/?dataset=" + "0a" * 16, drawn=False)
    expect(visit.page.locator("#empty")).to_contain_text("not here")
    visit.page.click("#empty button")
    visit.wait_until_drawn()
    visit.problems = [problem for problem in visit.problems if "404" not in problem]
