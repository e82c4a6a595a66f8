"""Two collections side by side: what each frame shows, the address that follows both, and the ways in and out."""

import re
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, Frame, expect

from tests.support import axe
from tests.support.chromium import Visit
from tests.support.pictures import photograph, zipped
from tests.support.service import Service

DRAWN = "performance.getEntriesByName('wwzd:tiles').length > 0 && !wwzd.viewer.frameRequest && wwzd.columns() !== null"
SHOWN = "wwzd.viewer.collection?.id"
REDUCER = "wwzd.viewer.layoutView.reducer"


@pytest.fixture(scope="session")
def other(service: Service) -> str:
    """The id of a dataset that has some of the pictures of `upload`, and others."""
    files = {f"cat-{index:02d}.jpg": photograph(index) for index in range(1, 12, 2)}
    files |= {f"bird-{index:02d}.jpg": photograph(100 + index) for index in range(6)}
    table = "file,kind\n" + "".join(f"{name},{name.split('-')[0]}\n" for name in files)
    answer = service.upload(zipped(files | {"metadata.csv": table.encode()}), "cats and birds.zip")
    assert answer.status == 200, answer.body
    return answer.body.decode()


def compared(visit: Visit, left: str, right: str) -> tuple[Frame, Frame]:
    """The frames of two queries side by side, drawn."""
    visit.page.goto(f"{visit.origin}/compare?left={left.replace('&', '%26')}&right={right.replace('&', '%26')}")
    return frames(visit)


def frames(visit: Visit) -> tuple[Frame, Frame]:
    visit.wait("document.querySelectorAll('iframe').length === 2")
    left, right = (visit.page.frame(name) for name in ("left", "right"))
    assert left
    assert right
    for frame in (left, right):
        until(visit, frame, DRAWN)
    return left, right


def until(visit: Visit, frame: Frame, condition: str) -> None:
    """As `Visit.wait`, in a frame."""
    for _ in range(750):
        if frame.evaluate(f"Boolean(window.wwzd) && ({condition})"):
            return
        visit.page.wait_for_timeout(40)
    raise AssertionError(f"never so: {condition}; {visit.problems}")


def pick(frame: Frame, name: str, value: str) -> None:
    frame.locator(f"label:has(input[name={name}][value={value}])").click()


def sides(visit: Visit) -> dict[str, dict[str, list[str]]]:
    """What the address says of each side."""
    query = parse_qs(urlsplit(visit.page.url).query, keep_blank_values=True)
    return {side: parse_qs(query[side][0]) for side in ("left", "right")}


def test_each_side_shows_what_its_part_of_the_address_says(visit: Visit, upload: str, kinds: str) -> None:
    left, right = compared(visit, f"dataset={upload}&view=pca&is.kind=cat", f"dataset={kinds}")
    assert [left.evaluate(SHOWN), left.evaluate(REDUCER)] == [upload, "pca"]
    assert [right.evaluate(SHOWN), right.evaluate(REDUCER)] == [kinds, "umap"]
    expect(left.locator("#shown-count")).to_have_text("12 of 24 shown")
    visit.wait("document.title === 'cats and dogs.zip | kinds.zip – WWZD'")
    titles = visit.page.locator("iframe").evaluate_all("all => all.map((one) => one.title)")
    assert titles == ["Left: cats and dogs.zip", "Right: kinds.zip"]
    for name in ("left", "right"):
        image = visit.page.locator(f"#{name}").bounding_box()
        assert image
        assert image["width"] > 490
        assert image["height"] == 700
    drawn = [frame.evaluate("wwzd.viewer.screenshot().then(({ size }) => size)") for frame in (left, right)]
    assert min(drawn) > 20_000


def test_the_address_follows_both_sides_and_restores_them(
    visit: Visit, browser: Browser, service: Service, upload: str, kinds: str, other: str
) -> None:
    left, right = compared(visit, f"dataset={upload}", f"dataset={kinds}")
    pick(left, "reducer", "pca")
    left.evaluate("wwzd.view.choose([3, 5])")
    right.click("#collection")
    right.evaluate("performance.clearMarks('wwzd:tiles')")
    right.locator("#collections .entry", has_text="cats and birds.zip").click()
    until(visit, right, f"{SHOWN} === '{other}' && {DRAWN}")
    right.evaluate("wwzd.view.change({ size: 1.5 })")
    visit.wait("location.search.includes('size=1.5') && location.search.includes('selected=')")
    expected = {
        "left": {"dataset": [upload], "view": ["pca"], "selected": sides(visit)["left"]["selected"]},
        "right": {"dataset": [other], "size": ["1.5"]},
    }
    assert sides(visit) == expected
    assert "cats and birds.zip" in visit.page.title()
    visit.page.reload(wait_until="commit")
    again = Visit(browser, service.url("")).open(visit.page.url.removeprefix(visit.origin), drawn=False)
    for one in (again, visit):
        left, right = frames(one)
        until(one, left, f"{SHOWN} === '{upload}' && {REDUCER} === 'pca' && wwzd.view.state.chosen.length === 2")
        until(one, right, f"{SHOWN} === '{other}' && wwzd.view.state.size === 1.5")
        one.wait(f"location.search.includes('right=dataset={other}')")
        assert sides(one) == expected
    again.close()
    right.evaluate("performance.clearMarks('wwzd:tiles')")
    # The browser's way back leads to the collection before.
    right.click("#collection")
    right.locator("#collections .entry", has_text="kinds.zip").click()
    until(visit, right, f"{SHOWN} === '{kinds}' && {DRAWN}")
    visit.page.go_back()
    until(visit, right, f"{SHOWN} === '{other}'")
    visit.wait(f"location.search.includes('right=dataset={other}')")
    assert sides(visit)["left"]["dataset"] == [upload]


def test_a_collection_is_put_beside_the_one_that_is_shown_and_shown_alone(
    visit: Visit, upload: str, kinds: str
) -> None:
    page = visit.open(f"/?dataset={upload}&view=pca&is.kind=dog").page
    expect(page.locator("#alone")).to_be_hidden()
    page.click("#collection")
    page.get_by_role("button", name="Compare with what is shown: kinds.zip").click()
    page.wait_for_url("**/compare?*")
    left, right = frames(visit)
    assert sides(visit)["left"] == {"dataset": [upload], "view": ["pca"], "is.kind": ["dog"]}
    expect(left.locator("#shown-count")).to_have_text("12 of 24 shown")
    assert right.evaluate(SHOWN) == kinds
    # Each side has its own list, from which nothing is put beside it.
    right.click("#collection")
    expect(right.locator("#collections .entry").nth(1)).to_be_visible()
    expect(right.get_by_role("button", name=re.compile("Compare with"))).to_have_count(0)
    right.press("#collections .head button", "Enter")
    left.click("#alone")
    page.wait_for_url(re.compile(r"/\?dataset="))
    visit.wait_until_drawn()
    assert page.evaluate(SHOWN) == upload
    expect(page.locator("#shown-count")).to_have_text("12 of 24 shown")
    page.go_back()
    left, right = frames(visit)
    assert [left.evaluate(SHOWN), right.evaluate(SHOWN)] == [upload, kinds]


def test_a_picture_is_found_by_its_name_in_the_other_collection(visit: Visit, upload: str, other: str) -> None:
    left, right = compared(visit, f"dataset={upload}", f"dataset={other}")
    row = next(
        row for row in range(24) if left.evaluate(f"wwzd.viewer.collection.record({row})")["name"] == "cat-05.jpg"
    )
    left, right = compared(visit, f"dataset={upload}&picture={row}", f"dataset={other}")
    left.get_by_role("button", name="Find in the other").click()
    expect(right.locator("#panel h2")).to_have_text("cat-05.jpg")
    found = sides(visit)["right"]["picture"]
    assert right.evaluate(f"wwzd.viewer.collection.record({found[0]})")["name"] == "cat-05.jpg"
    right.locator("#neighbours .faces button[title^=bird]").first.click()
    expect(right.locator("#panel h2")).to_contain_text("bird")
    bird = right.locator("#panel h2").inner_text()
    right.get_by_role("button", name="Find in the other").click()
    expect(left.locator("#toast")).to_have_text(f"No picture here is called “{bird}”.")
    expect(left.locator("#panel h2")).to_have_text("cat-05.jpg")


def test_alone_the_page_has_no_other_to_find_a_picture_in(visit: Visit, upload: str) -> None:
    page = visit.open(f"/?dataset={upload}&picture=2").page
    expect(page.get_by_role("button", name="Go there")).to_be_visible()
    expect(page.locator("#neighbours .faces button").first).to_be_visible()
    expect(page.get_by_role("button", name="Find in the other")).to_be_hidden()


def test_a_missing_collection_is_told_of_beside_one_that_is_there(visit: Visit, upload: str) -> None:
    visit.page.goto(f"{visit.origin}/compare?left=dataset={'0f' * 16}&right=dataset={upload}")
    left, right = (visit.page.frame(name) for name in ("left", "right"))
    assert left
    assert right
    expect(left.locator("#empty")).to_contain_text("This dataset is not here")
    until(visit, right, DRAWN)
    assert right.evaluate(SHOWN) == upload
    assert sides(visit)["left"] == {"dataset": ["0f" * 16]}
    left.locator("#empty button").click()
    until(visit, left, "wwzd.viewer.collection?.kind === 'catalogue'")
    visit.wait("location.search.startsWith('?left=&right=dataset=')")
    visit.problems = [problem for problem in visit.problems if "404" not in problem]


def test_theme_and_language_hold_on_both_sides(visit: Visit, upload: str, kinds: str) -> None:
    left, right = compared(visit, f"dataset={upload}", f"dataset={kinds}")
    right.click("#tune")
    pick(right, "theme", "light")
    pick(right, "language", "pl")
    for frame in (left, right, visit.page):
        assert frame.evaluate("[document.documentElement.dataset.theme, document.documentElement.lang]") == [
            "light",
            "pl",
        ]
    assert left.locator("#themes input:checked").get_attribute("value") == "light"
    expect(visit.page.locator("h1")).to_have_text("Dwa zbiory obok siebie")
    assert visit.page.locator("#left").get_attribute("title") == "Po lewej: cats and dogs.zip"
    visit.page.reload()
    frames(visit)
    assert visit.page.evaluate("document.documentElement.dataset.theme") == "light"


def test_the_keyboard_goes_from_one_to_the_other(visit: Visit, upload: str, kinds: str) -> None:
    compared(visit, f"dataset={upload}", f"dataset={kinds}")
    where = "[document.activeElement.id, document.activeElement.contentDocument?.activeElement.id]"
    visit.page.keyboard.press("F6")
    assert visit.page.evaluate(where) == ["left", "cloud"]
    for side in ("right", "left", "right"):
        visit.page.keyboard.press("F6")
        assert visit.page.evaluate(where) == [side, "cloud"]


def test_the_link_that_is_copied_has_both_sides(browser: Browser, service: Service, upload: str, kinds: str) -> None:
    visit = Visit(browser, service.url(""), permissions=["clipboard-read", "clipboard-write"])
    left, _ = compared(visit, f"dataset={upload}", f"dataset={kinds}")
    left.click("#tune")
    left.click("#share")
    expect(left.locator("#toast")).to_have_text("The link is in the clipboard.")
    assert left.evaluate("navigator.clipboard.readText()") == visit.page.url
    assert sides(visit)["left"] == {"dataset": [upload], "open": ["settings"]}
    visit.close()


@pytest.mark.parametrize("visit", [{"size": (390, 780), "has_touch": True, "is_mobile": True}], indirect=True)
def test_on_a_telephone_they_lie_below_each_other(visit: Visit, upload: str, kinds: str) -> None:
    for frame in compared(visit, f"dataset={upload}", f"dataset={kinds}"):
        boxes = [frame.locator(f"#{name}").bounding_box() for name in ("collection", "search", "filters-open", "add")]
        for box, following in zip(boxes, boxes[1:], strict=False):
            assert box
            assert following
            assert box["x"] + box["width"] <= following["x"]
        field = frame.locator("#search-text").bounding_box()
        assert field
        assert field["width"] > 40
        assert np.isclose(frame.evaluate("innerHeight"), 389, atol=1)
    above, below = (visit.page.locator(f"#{name}").bounding_box() for name in ("left", "right"))
    assert above
    assert below
    assert above["width"] == below["width"] == 390
    assert above["y"] + above["height"] <= below["y"]


@pytest.mark.parametrize("visit", [{"color_scheme": "dark"}, {"color_scheme": "light"}], indirect=True, ids=str)
def test_axe_finds_nothing(visit: Visit, upload: str, kinds: str) -> None:
    left, _ = compared(visit, f"dataset={upload}&picture=2", f"dataset={kinds}")
    expect(left.locator("#neighbours .faces button").first).to_be_visible()
    # Landmarks of the same name lie in different frames, whose titles tell them apart.
    rules = "{ rules: { 'landmark-unique': { enabled: false } } }"
    axe.audit(visit, rules)
