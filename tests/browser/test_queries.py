"""What the page finds out: selections, neighbours, searches, filters."""

import csv
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Route, expect

from tests.browser.colours import COUNT, draw_lasso, is_on_canvas, look, pick, place, without_fading
from tests.support.chromium import Visit
from tests.support.pictures import encode, photograph
from tests.support.service import Service

GUEST = -2
"""The page's number of a picture that is looked up."""


def test_a_lasso_around_all_selects_all_and_exports_them(visit: Visit) -> None:
    visit.open()
    draw_lasso(visit, (4, 70), (996, 70), (996, 640), (4, 640), (4, 80))
    inside = visit.page.evaluate("[...wwzd.viewer.rowStyles.chosen]")
    expected = [row for row in range(COUNT) if 70 < place(visit, row)[1] < 640]
    assert sorted(inside) == expected
    expect(visit.page.locator("#panel h2")).to_have_text(f"{len(expected)} pictures selected")
    with visit.page.expect_download() as saving:
        visit.page.click("#export")
    lines = list(csv.DictReader(Path(saving.value.path()).read_text().splitlines()))
    assert [int(line["index"]) for line in lines] == expected


def test_what_a_lasso_selects_is_exported_with_the_servers_vectors(visit: Visit, service: Service, upload: str) -> None:
    visit.open(f"/?dataset={upload}&view=pca")
    draw_lasso(visit, (120, 90), (520, 90), (500, 600), (110, 620), (120, 90))
    chosen = sorted(visit.page.evaluate("[...wwzd.viewer.rowStyles.chosen]"))
    assert 0 < len(chosen) < 24
    with visit.page.expect_download() as saving:
        visit.page.click("#export")
    lines = list(csv.DictReader(Path(saving.value.path()).read_text().splitlines()))
    assert [int(line["index"]) for line in lines] == chosen
    names = sorted(f"{'cat' if index % 2 else 'dog'}-{index:02d}.jpg" for index in range(24))
    assert [line["name"] for line in lines] == [names[row] for row in chosen]
    for reducer in ("pca", "umap"):
        vectors = np.array(service.get(f"/dataset/{upload}/features/{reducer}").json()["features"], np.float32)
        written = np.array([[line[f"{reducer}_{axis}"] for axis in "xyz"] for line in lines], np.float32)
        np.testing.assert_array_equal(written, vectors[chosen])
    with visit.page.expect_download() as saving:
        visit.page.get_by_role("link", name="Everything as ZIP").click()
    with zipfile.ZipFile(saving.value.path()) as archive:
        assert "pictures.csv" in {name.rpartition("/")[2] for name in archive.namelist()}


def test_a_box_selects_what_lies_inside(visit: Visit) -> None:
    visit.open()
    pick(visit, "tool", "box")
    visit.page.mouse.move(300, 200)
    visit.page.mouse.down()
    visit.page.mouse.move(560, 420, steps=4)
    visit.page.mouse.up()
    places = [place(visit, row) for row in range(COUNT)]
    expected = [row for row, (x, y) in enumerate(places) if 300 < x < 560 and 200 < y < 420]
    assert 0 < len(expected) < COUNT
    assert sorted(visit.page.evaluate("[...wwzd.viewer.rowStyles.chosen]")) == expected
    visit.page.keyboard.press("Escape")
    assert visit.page.evaluate("wwzd.viewer.rowStyles.chosen.size") == 0


def test_a_click_shows_the_nearest_pictures_and_they_can_be_clicked(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}&picture=5")
    faces = visit.page.locator("#neighbours .faces button")
    expect(faces).to_have_count(12)
    nearest = visit.page.evaluate("wwzd.viewer.highlights.neighbors")
    assert 5 not in nearest
    expect(faces.first).to_have_attribute("aria-label", re.compile(r"^(cat|dog)-\d\d\.jpg$"))
    faces.first.click()
    visit.wait(f"wwzd.viewer.highlights.clicked === {nearest[0]}")
    expect(visit.page.locator("#panel dl")).to_contain_text("89 × 109")


def test_a_search_by_name_finds_what_has_it(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    visit.page.fill("#search-text", "CAT-")
    visit.page.press("#search-text", "Enter")
    expect(visit.page.locator("#panel h2")).to_have_text("12 pictures found")


def test_a_search_by_picture_lists_similar_pictures(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    search_by_picture_file(visit, photograph(7))
    expect(visit.page.locator("#panel .share").first).to_have_text("100 %")


def search_by_picture_file(visit: Visit, picture: bytes) -> Any:
    """Give the page a picture, and ask what looks like it → what the server answered."""
    visit.page.set_input_files("#files", {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": picture})
    with visit.page.expect_response("**/search?*", timeout=60_000) as answer:
        visit.page.click("#uploader button.strong")
    visit.wait(f"wwzd.viewer.highlights.clicked === {GUEST}")
    visit.rest()
    return answer.value.json()


def test_the_query_picture_is_drawn_at_the_servers_coordinates(visit: Visit, service: Service, upload: str) -> None:
    visit.open(f"/?dataset={upload}&view=pca")
    answer = search_by_picture_file(visit, photograph(7))
    own = 3  # cat-07.jpg: by name, it is the fourth
    assert visit.page.evaluate("wwzd.viewer.highlights.neighbors[0]") == own
    there = place(visit, own)
    assert is_on_canvas(visit, *there)
    assert np.hypot(*np.subtract(place(visit, GUEST), there)) < 2
    pick(visit, "reducer", "umap")
    visit.wait("wwzd.viewer.layoutView.reducer === 'umap' && !wwzd.viewer.layoutView.morph")
    visit.rest()
    assert np.hypot(*np.subtract(place(visit, own), there)) > 20
    # UMAP puts even a picture that it knows some way off. Layouts are turned and scaled, which leaves proportions.
    vectors = np.array(service.get(f"/dataset/{upload}/features/umap").json()["features"])
    drawn = np.array(visit.page.evaluate("[...wwzd.viewer.layoutView.layouts.umap.rows]")).reshape(-1, 3)
    guest = visit.page.evaluate(f"[...wwzd.viewer.cloud.positionOf({GUEST}, wwzd.viewer.layoutView.layouts.umap.rows)]")
    distances = np.linalg.norm(vectors - answer["umap"], axis=1) / np.linalg.norm(vectors[0] - vectors[1])
    shown = np.linalg.norm(drawn - guest, axis=1) / np.linalg.norm(drawn[0] - drawn[1])
    np.testing.assert_allclose(shown, distances, rtol=1e-3)
    ends = visit.page.evaluate("[...wwzd.viewer.cloud.overlays.lines.geometry.getAttribute('goal').array.slice(0, 6)]")
    np.testing.assert_allclose(ends, [*guest, *drawn[own]], atol=1e-6)


def test_the_query_picture_is_in_front_until_it_is_closed(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    magenta = (250, 0, 250)
    search_by_picture_file(visit, encode(Image.new("RGB", (80, 50), magenta), "JPEG"))
    without_fading(visit)
    x, y = place(visit, GUEST)
    assert is_on_canvas(visit, x, y)
    image = look(visit)
    assert np.abs(np.subtract(image.getpixel((int(x), int(y))), magenta)).max() < 12  # type: ignore[arg-type]
    cloud = np.asarray(image).astype(int)
    accent = (np.abs(cloud - (255, 180, 84)).max(axis=2) < 12)[int(y) - 60 : int(y) + 60, int(x) - 60 : int(x) + 60]
    assert accent.any(), "it has no border"
    visit.page.locator("#panel .head button").click()
    visit.rest()
    pixels = np.asarray(look(visit)).astype(int)
    assert not (np.abs(pixels - magenta).max(axis=2) < 12).any()
    assert visit.page.evaluate(f"wwzd.viewer.positionOf({GUEST})") is None


def test_filters_leave_what_passes_and_colours_tell_the_rest_apart(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    visit.page.click("#filters-open")
    expect(counted(visit, "cat")).to_have_text("12")
    visit.page.locator("#filters label", has_text="dog").click()
    visit.wait("wwzd.viewer.rowStyles.skip.some(Boolean)")
    left = [row for row, hidden in enumerate(visit.page.evaluate("[...wwzd.viewer.rowStyles.skip]")) if not hidden]
    # By name, all cats come first.
    assert left == list(range(12, 24))
    visit.page.locator("#filters input[type=number]").first.fill("20")
    visit.page.locator("#filters input[type=number]").first.press("Enter")
    visit.wait("wwzd.viewer.rowStyles.skip.reduce((sum, one) => sum + one, 0) === 20")
    # A field's own filter does not count in it, the others' do.
    expect(counted(visit, "cat")).to_have_text("0")
    expect(counted(visit, "dog")).to_have_text("4")
    heights = visit.page.locator(".histogram i").evaluate_all("bars => bars.map(({style}) => parseFloat(style.height))")
    assert [height > 0 for height in heights] == [False] * 10 + [True] * 10
    visit.page.keyboard.press("Escape")
    visit.page.click("#tune")
    visit.page.select_option("#colour", "kind")
    expect(visit.page.locator("#legend .swatch")).to_have_count(2)
    visit.wait("wwzd.viewer.rowStyles.borders !== null")
    colours = visit.page.evaluate("[...wwzd.viewer.rowStyles.borders]")
    assert colours[:3] == colours[33:36] != colours[36:39]


def test_columns_that_arrive_late_take_nothing_back(visit: Visit, upload: str) -> None:
    """Neither a number that is being typed, nor a box that was ticked while another's column was on its way."""
    held: dict[str, Route] = {}
    visit.page.route(re.compile(r"/images/fields/\w+$"), lambda route: held.update({route.request.url[-4:]: route}))
    visit.open(f"/?dataset={upload}")
    visit.page.click("#filters-open")
    for value in ("dog", "cat"):
        visit.page.locator("#filters label", has_text=value).click()
    visit.page.locator("#filters label", has_text="cat").click()
    release(visit, held, "kind")
    visit.wait("wwzd.viewer.rowStyles.skip.some(Boolean)")
    boxes = visit.page.locator("#filters input[type=checkbox]")
    assert sorted(boxes.evaluate_all("boxes => boxes.map(({checked}) => checked)")) == [False, True]
    least = visit.page.locator("#filters input[type=number]").first
    least.press_sequentially("20")
    typed = least.input_value()
    assert "20" in typed
    release(visit, held, "/age")
    visit.page.wait_for_timeout(300)
    assert least.input_value() == typed
    least.fill("20")
    least.press("Enter")
    visit.wait("wwzd.viewer.rowStyles.skip.reduce((sum, one) => sum + one, 0) === 20")


def release(visit: Visit, held: dict[str, Route], end: str) -> None:
    """Let a request go on that is held, when it has come."""
    for _ in range(100):
        if end in held:
            return held.pop(end).continue_()
        visit.page.wait_for_timeout(50)
    raise AssertionError(f"nobody asked for {end}")


def counted(visit: Visit, value: str) -> Locator:
    """How many pictures the filters say have a value."""
    return visit.page.locator("#filters label", has_text=value).locator("small")
