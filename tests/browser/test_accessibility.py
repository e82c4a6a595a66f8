"""Keyboard, screen readers, telephones, and browsers in which something fails: what everybody has to reach."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.colours import pick
from tests.support import axe
from tests.support.chromium import Visit
from tests.support.pictures import photograph, zipped
from tests.support.service import Service


def rig(visit: Visit) -> Any:
    return np.array(visit.page.evaluate("wwzd.viewer.cameraController.get()"))


def nothing(visit: Visit) -> None:
    """The page as it begins."""


def panel(visit: Visit) -> None:
    visit.page.focus("#cloud")
    visit.page.evaluate("wwzd.viewer.approach(3, {left: 0, top: 0, right: 1000, bottom: 700})")
    visit.rest()
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("#neighbours .faces button").first).to_be_visible()


def filters(visit: Visit) -> None:
    visit.page.click("#filters-open")
    expect(visit.page.locator("#filters h2")).to_be_visible()


def settings(visit: Visit) -> None:
    visit.page.click("#tune")


def adding(visit: Visit) -> None:
    visit.page.click("#add")


def collections(visit: Visit) -> None:
    visit.page.click("#collection")
    expect(visit.page.locator("#collections .entry").nth(1)).to_be_visible()


def search(visit: Visit) -> None:
    visit.page.fill("#search-text", "cat-")
    visit.page.press("#search-text", "Enter")
    expect(visit.page.locator("#panel .faces button")).to_have_count(12)


def keys(visit: Visit) -> None:
    visit.page.click("#help")


def legend(visit: Visit) -> None:
    visit.page.evaluate("wwzd.view.change({ colour: 'kind' }); wwzd.view.filter('kind', new Set(['cat']))")
    expect(visit.page.locator("#legend button.swatch").first).to_be_visible()
    expect(visit.page.locator(".chip")).to_be_visible()


def ramp(visit: Visit) -> None:
    visit.page.evaluate("wwzd.view.change({ colour: 'age' })")
    expect(visit.page.locator("#legend .ramp")).to_be_visible()


def lightbox(visit: Visit) -> None:
    panel(visit)
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("#lightbox figure > *")).to_be_visible()


def gallery(visit: Visit) -> None:
    filters(visit)
    visit.page.locator("#filters .foot button").first.click()
    expect(visit.page.locator("#panel .faces button")).to_have_count(24)


def about(visit: Visit) -> None:
    collections(visit)
    visit.page.locator("[aria-label='About this collection: cats and dogs.zip']").first.click()
    expect(visit.page.locator("#about .report")).to_be_visible()


def menu(visit: Visit) -> None:
    visit.page.click("#menu")


def saved(visit: Visit) -> None:
    """The dialog of saved views, with two of them, one of which has just been deleted."""
    visit.page.evaluate(
        "fetch(`${wwzd.viewer.collection.base}/views`, { method: 'PUT', body: '{\"views\": []}',"
        " headers: { 'Content-Type': 'application/json' } }).then(({ ok }) => ok)"
    )
    visit.page.keyboard.press("v")
    for name in ("First", "Second"):
        visit.page.fill("#view-name", name)
        visit.page.locator("#views form button.strong").click()
        expect(visit.page.locator("#views .entry b").last).to_have_text(name)
    visit.page.locator("#views .trash").last.click()
    expect(visit.page.locator("#views .said button")).to_be_visible()


def tour(visit: Visit) -> None:
    saved(visit)
    visit.page.locator("#views .actions button", has=visit.page.locator("[href='#i-play']")).click()
    expect(visit.page.locator("#tour h2")).to_have_text("First")


STATES = [nothing, panel, filters, settings, adding, collections, search, keys, legend, ramp, lightbox, gallery, about]
STATES += [saved, tour]
NARROW = [panel, filters, search, legend, lightbox, menu, saved, tour]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
@pytest.mark.parametrize("visit", [{"color_scheme": "dark"}, {"color_scheme": "light"}], indirect=True, ids=str)
def test_axe_finds_nothing(visit: Visit, upload: str, state: Callable[[Visit], None]) -> None:
    audit(visit, upload, state)


@pytest.mark.parametrize("state", NARROW, ids=lambda state: state.__name__)
@pytest.mark.parametrize("visit", [{"size": (375, 740), "locale": "pl-PL"}], indirect=True, ids=["narrow"])
def test_axe_finds_nothing_on_a_narrow_page(visit: Visit, upload: str, state: Callable[[Visit], None]) -> None:
    audit(visit, upload, state)


def audit(visit: Visit, upload: str, state: Callable[[Visit], None]) -> None:
    """Bring the page into a state, and have axe-core look at it."""
    visit.open(f"/?dataset={upload}")
    state(visit)
    visit.page.wait_for_timeout(400)
    axe.audit(visit)


def test_keys_move_the_cloud_and_never_change_the_mode(visit: Visit) -> None:
    visit.open()
    for space in ("fly", "flat", "orbit"):
        pick(visit, "space", space)
        visit.rest()
        for key in ("ArrowRight", "ArrowDown", "w", "a", "s", "d"):
            before = rig(visit)
            visit.page.keyboard.down(key)
            visit.page.wait_for_timeout(250)
            visit.page.keyboard.up(key)
            visit.rest()
            assert visit.page.locator("input[name=space]:checked").get_attribute("value") == space
            assert np.abs(rig(visit) - before).max() > 1e-3, (space, key)


def test_the_canvas_shows_that_it_has_the_focus(visit: Visit) -> None:
    visit.open()
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.id") == "cloud"
    outline = visit.page.evaluate("getComputedStyle(document.activeElement).outline")
    assert "solid 3px" in outline, outline


def test_enter_moves_the_focus_into_the_panel_and_escape_gives_it_back(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    panel(visit)
    assert visit.page.evaluate("document.activeElement.id") == "panel"
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.closest('#panel') !== null")
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("#panel")).to_be_hidden()
    assert visit.page.evaluate("document.activeElement.id") == "cloud"
    for opener in ("#collection", "#add", "#help"):
        visit.page.focus(opener)
        visit.page.keyboard.press("Enter")
        expect(visit.page.locator("dialog[open]")).to_be_visible()
        visit.page.keyboard.press("Escape")
        assert visit.page.evaluate("'#' + document.activeElement.id") == opener


def test_the_picture_in_the_middle_is_announced(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    visit.page.evaluate("wwzd.viewer.approach(3, {left: 0, top: 0, right: 1000, bottom: 700})")
    visit.rest()
    visit.page.focus("#cloud")
    visit.page.keyboard.press("ArrowLeft")
    visit.page.keyboard.press("ArrowRight")
    expect(visit.page.locator("#said")).to_contain_text("In the middle: ")


@pytest.mark.parametrize("visit", [{"size": (375, 700), "has_touch": True, "is_mobile": True}], indirect=True)
def test_on_a_telephone_every_tool_can_be_reached(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    expect(visit.page.locator("#split")).to_be_hidden()
    visit.page.tap("#menu")
    tools = "#split, #reset, #tune, #keys-open, #tools label, #search-text, #search-picture, #filters-open, #add"
    for box in visit.page.locator(tools).evaluate_all("all => all.map((one) => one.getBoundingClientRect().toJSON())"):
        assert box["left"] >= 0
        assert box["right"] <= 375
        assert 0 <= box["top"] < box["bottom"] <= 700
    field = visit.page.locator("#search").bounding_box()
    assert field is not None
    assert field["width"] > 300
    visit.page.tap("#keys-open")
    expect(visit.page.locator("#hint")).to_contain_text("Two fingers")
    assert visit.page.evaluate("document.activeElement.id") == "hint-title"
    assert visit.page.evaluate("document.getElementById('hint').scrollTop") == 0


def test_the_theme_follows_the_system_until_one_is_chosen(visit: Visit) -> None:
    visit.open()
    visit.page.emulate_media(color_scheme="light")
    visit.wait("document.documentElement.dataset.theme === 'light'")
    visit.page.click("#tune")
    pick(visit, "theme", "dark")
    visit.page.emulate_media(color_scheme="dark")
    visit.page.emulate_media(color_scheme="light")
    assert visit.page.evaluate("document.documentElement.dataset.theme") == "dark"
    pick(visit, "theme", "system")
    assert visit.page.evaluate("document.documentElement.dataset.theme") == "light"


def test_a_lost_graphics_context_is_announced_and_restored(visit: Visit) -> None:
    visit.open()
    lose = "wwzd.viewer.cloud.renderer.getContext().getExtension('WEBGL_lose_context')"
    visit.page.evaluate(f"window.lost = {lose}; lost.loseContext()")
    expect(visit.page.locator("#empty")).to_contain_text("graphics")
    visit.page.evaluate("performance.clearMarks('wwzd:tiles'); lost.restoreContext()")
    visit.wait_until_drawn()
    expect(visit.page.locator("#empty")).to_be_hidden()
    visit.rest()
    pixels = visit.page.evaluate("wwzd.viewer.screenshot().then((blob) => blob.size)")
    assert pixels > 20_000, "the cloud is not drawn again"
    visit.problems = [problem for problem in visit.problems if "ontext" not in problem]


def test_without_webgl_all_but_the_cloud_works(browser: Browser, service: Service, upload: str) -> None:
    visit = Visit(browser, service.url(""))
    visit.page.add_init_script(
        "for (const kind of [HTMLCanvasElement, OffscreenCanvas]) { const real = kind.prototype.getContext;"
        "kind.prototype.getContext = function (name, ...more) {"
        "return name.startsWith('webgl') ? null : real.call(this, name, ...more); } }"
    )
    visit.open(f"/?dataset={upload}", drawn=False)
    expect(visit.page.locator("#plain .faces button")).to_have_count(24)
    visit.page.locator("#plain .faces button").nth(2).click()
    expect(visit.page.locator("#neighbours .faces button")).to_have_count(12)
    visit.page.keyboard.press("Escape")
    search(visit)
    expect(visit.page.locator("#plain .faces button")).to_have_count(12)
    visit.page.click("#panel .actions button")
    with visit.page.expect_download():
        visit.page.click("#export")
    visit.page.keyboard.press("Escape")
    visit.page.click("#collection")
    expect(visit.page.locator("#collections .entry").nth(1)).to_be_visible()
    visit.page.keyboard.press("Escape")
    archive = zipped({f"{index}.jpg": photograph(300 + index) for index in range(5)})
    visit.page.set_input_files("#files", {"name": "five.zip", "mimeType": "application/zip", "buffer": archive})
    expect(visit.page.locator("#plain .faces button")).to_have_count(5, timeout=90_000)
    visit.problems = [problem for problem in visit.problems if "WebGL" not in problem]
    visit.close()
