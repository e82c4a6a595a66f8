"""Pictures from close by: sharp in the cloud, and one over all of the page."""

import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Route, expect

from tests.browser.colours import look, place, seen, without_fading
from tests.support.chromium import Visit
from tests.support.pictures import encode, zipped
from tests.support.service import Service

COUNT = 14
SIDE = 1000
STRIPE = 10
"""Pixels: a tile of 48 shows nothing of them."""


@pytest.fixture(scope="module")
def stripes(service: Service) -> str:
    """The id of an upload of photographs with fine stripes."""
    files = {}
    for index in range(COUNT):
        dark = (np.arange(SIDE) // STRIPE % 2 == 0)[None, :, None]
        pixels = np.where(dark, (20, 40, 10 + 3 * index), (230, 200 - 8 * index, 240)).astype(np.uint8)
        files[f"{index:02d}.jpg"] = encode(Image.fromarray(np.broadcast_to(pixels, (SIDE, SIDE, 3))), "JPEG")
    answer = service.upload(zipped(files), "stripes.zip")
    assert answer.status == 200, answer.body
    return answer.body.decode()


def contrast(visit: Visit, row: int) -> float:
    """How much neighbouring pixels in the middle of a picture differ."""
    x, y = (int(value) for value in place(visit, row))
    line = np.asarray(look(visit).convert("L")).astype(float)[y - 3 : y + 4, x - 60 : x + 60]
    return float(np.abs(np.diff(line, axis=1)).mean())


def go_to(visit: Visit, row: int) -> None:
    """So near that it is drawn as large as it can be, alone."""
    visit.page.evaluate(
        f"const {{cameraController, size, cloud, layoutView: {{layouts, reducer}}}} = wwzd.viewer; "
        f"const [x, y, z] = cloud.positionOf({row}, layouts[reducer].rows); "
        "cameraController.set([x, y, z + 2 * size, x, y, z])"
    )
    visit.rest()
    visit.page.evaluate(
        f"wwzd.viewer.rowStyles.filter(Uint8Array.from({{length: {COUNT}}}, (_, other) => other !== {row}))"
    )


def test_close_pictures_are_as_sharp_as_they_are_large(visit: Visit, stripes: str) -> None:
    visit.page.route("**/thumbnail?size=*", lambda route: route.abort())
    visit.open(f"/?dataset={stripes}")
    bytes_ = visit.page.evaluate("wwzd.viewer.facts.bytes")
    go_to(visit, 5)
    without_fading(visit)
    tiles = contrast(visit, 5)
    visit.page.unroute("**/thumbnail?size=*")
    visit.open(f"/?dataset={stripes}")
    go_to(visit, 5)
    without_fading(visit)
    visit.wait("wwzd.viewer.slot(5) >= 2 * 1024")
    visit.rest()
    assert contrast(visit, 5) > 3 * tiles + 5
    assert visit.page.evaluate("wwzd.viewer.facts.bytes") - bytes_ < 40e6
    visit.problems = [problem for problem in visit.problems if "ERR_FAILED" not in problem]


def test_thumbnails_are_requested_in_few_sizes_a_few_at_a_time(visit: Visit, stripes: str) -> None:
    requested: list[str] = []
    most = 0
    pending: set[str] = set()

    def begun(address: str) -> None:
        nonlocal most
        if "/thumbnail" in address:
            requested.append(address)
            pending.add(address)
            most = max(most, len(pending))

    visit.page.on("request", lambda request: begun(request.url))
    visit.page.on("requestfinished", lambda request: pending.discard(request.url))
    visit.page.on("requestfailed", lambda request: pending.discard(request.url))
    visit.open(f"/?dataset={stripes}")
    visit.rest()
    go_to(visit, 2)
    visit.wait("wwzd.viewer.slot(2) >= 2 * 1024")
    visit.rest()
    assert {address.split("size=")[1] for address in requested} <= {"128", "256", "512"}
    assert 0 < most <= 3
    assert len(requested) == len(set(requested))


def test_a_server_with_too_much_to_do_is_left_alone_for_a_while(visit: Visit, stripes: str) -> None:
    refused: list[Route] = []

    def answer(route: Route) -> None:
        if len(refused) >= 3:
            return route.continue_()
        refused.append(route)
        return route.fulfill(status=503, headers={"Retry-After": "1"}, json={"error": "Too much to do."})

    visit.page.route("**/thumbnail?size=*", answer)
    visit.open(f"/?dataset={stripes}")
    go_to(visit, 4)
    visit.wait("wwzd.viewer.slot(4) >= 2 * 1024")
    assert len(refused) == 3
    visit.problems = [problem for problem in visit.problems if "503" not in problem]


def test_what_the_camera_has_left_is_not_fetched(visit: Visit, stripes: str) -> None:
    held: list[Route] = []
    visit.page.route("**/thumbnail?size=*", lambda route: held.append(route))
    visit.open(f"/?dataset={stripes}")
    go_to(visit, 3)
    visit.wait("wwzd.viewer.thumbnails.running.size > 0")
    visit.page.evaluate("wwzd.viewer.cameraController.set([0, 0, 30, 0, 0, 0])")
    visit.wait("wwzd.viewer.thumbnails.running.size === 0")
    for route in held:
        route.abort()
    visit.problems = [problem for problem in visit.problems if "ERR_" not in problem]


def test_without_originals_the_tiles_stay(visit: Visit) -> None:
    requested: list[str] = []
    visit.page.on("request", lambda request: requested.append(request.url) if "/thumbnail" in request.url else None)
    visit.open()
    bytes_ = visit.page.evaluate("wwzd.viewer.facts.bytes")
    for row in range(0, 100, 5):
        visit.page.evaluate(f"wwzd.viewer.approach({row}, wwzd.viewer.free())")
        visit.page.wait_for_timeout(1200)
    assert len(requested) <= 16
    assert visit.page.evaluate("wwzd.viewer.facts.bytes") == bytes_


def test_a_double_click_shows_the_original_over_all(visit: Visit, stripes: str) -> None:
    visit.open(f"/?dataset={stripes}")
    x, y = place(visit, 6)
    row = int(visit.page.evaluate(f"wwzd.viewer.rowAt({x}, {y})"))
    visit.page.mouse.dblclick(x, y)
    box = visit.page.locator("#lightbox")
    expect(box).to_be_visible()
    expect(box.locator("p")).to_contain_text(f"{row:02d}.jpg")
    expect(box.locator("img")).to_have_attribute("src", f"/dataset/{stripes}/images/{row}")
    expect(box.locator("p")).to_contain_text("1 / 13")
    nearest = visit.page.evaluate("wwzd.viewer.highlights.neighbors")
    visit.page.keyboard.press("ArrowRight")
    expect(box.locator("p")).to_contain_text(f"{nearest[0]:02d}.jpg")
    expect(box.locator("p")).to_contain_text("2 / 13")
    visit.page.keyboard.press("ArrowLeft")
    visit.page.keyboard.press("ArrowLeft")
    expect(box.locator("p")).to_contain_text(f"{nearest[-1]:02d}.jpg")
    visit.page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(visit.page.locator("#panel h2")).to_have_text(f"{nearest[-1]:02d}.jpg")


def test_enter_shows_the_open_picture_and_the_arrows_the_chosen_ones(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}&picture=5")
    expect(visit.page.locator("#panel")).to_be_visible()
    visit.page.evaluate("wwzd.viewer.rowStyles.choose([5, 9, 20])")
    visit.page.focus("#cloud")
    visit.page.keyboard.press("Enter")
    box = visit.page.locator("#lightbox p")
    expect(box).to_contain_text("1 / 3")
    names = [box.text_content()]
    for _ in range(3):
        visit.page.keyboard.press("ArrowRight")
        names.append(box.text_content())
    assert len(set(names)) == 3
    assert names[0] == names[3]
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("#panel")).to_be_visible()


@pytest.mark.parametrize("visit", [{"has_touch": True, "size": (375, 700)}], indirect=True)
def test_fingers_open_it_and_go_on(visit: Visit) -> None:
    visit.open()
    without_fading(visit)
    spots = [(x, y) for x, y in (place(visit, row) for row in range(100)) if 40 < x < 340 and 120 < y < 560]
    x, y = next((x, y) for x, y in spots if seen(look(visit), x, y) >= 0)
    row = int(visit.page.evaluate(f"wwzd.viewer.rowAt({x}, {y})"))
    visit.page.touchscreen.tap(x, y)
    visit.page.touchscreen.tap(x, y)
    box = visit.page.locator("#lightbox")
    expect(box).to_be_visible()
    expect(box.locator("p")).to_contain_text(f"{row:06d}")
    swipe(visit, (300, 300), (120, 310))
    expect(box.locator("p")).to_contain_text(f"{(row + 1) % 150:06d}")
    box.locator(".close").tap()
    expect(box).to_be_hidden()
    expect(visit.page.locator("#panel h2")).to_have_text(re.compile(f"{(row + 1) % 150:06d}"))


def swipe(visit: Visit, start: tuple[int, int], end: tuple[int, int]) -> None:
    session = visit.context.new_cdp_session(visit.page)
    for kind, points in (("touchStart", [start]), ("touchMove", [end]), ("touchEnd", [])):
        touched = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touched})
    session.detach()
