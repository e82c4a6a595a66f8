"""Saved views: kept with their words, gone to, ordered, deleted and put back, linked, and played as a tour."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.colours import install
from tests.support.chromium import Visit
from tests.support.service import Service

# A tour stays for as long as a note takes to read: for fifteen seconds, in which slow machines get done what is to be
# seen before it goes on.
LINES = ["Every second picture.", " ".join(["They are the odd ones."] * 8)]
LONG = "\n".join(LINES)
CATS = {"name": "Cats", "note": LONG, "state": "view=pca&is.kind=cat"}
DOGS = {"name": "Dogs", "note": LONG, "state": "is.kind=dog&colour=age&camera=0.4,0.2,1.5,0,0,0"}
FLAT = {"name": "Flat", "note": "Some are chosen.", "state": "move=flat&selected=gAAAA&beside=pca&as=dots"}
REDUCER = "wwzd.viewer.layoutView.reducer"
CAPTION = "#tour h2"


def put(service: Service, dataset_id: str, views: list[dict[str, str]]) -> list[dict[str, str]]:
    request = urllib.request.Request(
        service.url(f"/dataset/{dataset_id}/views"),
        json.dumps({"views": views}).encode(),
        {"Content-Type": "application/json"},
        method="PUT",
    )
    answer = service.send(request)
    assert answer.status == 200, answer.body
    return list(answer.json()["views"])


def kept(service: Service, dataset_id: str) -> list[str]:
    return [view["name"] for view in service.get(f"/dataset/{dataset_id}/views").json()["views"]]


@pytest.fixture
def views(service: Service, upload: str) -> Iterator[list[dict[str, str]]]:
    yield put(service, upload, [CATS, DOGS, FLAT])
    put(service, upload, [])


@pytest.fixture
def empty(service: Service, upload: str) -> Iterator[str]:
    put(service, upload, [])
    yield upload
    put(service, upload, [])


def opened(visit: Visit, address: str) -> Any:
    visit.open(address)
    visit.rest()
    return visit.page


def seen(visit: Visit) -> dict[str, Any]:
    facts: dict[str, Any] = visit.page.evaluate(
        "({ ...wwzd.view.state, kind: [...(wwzd.view.state.filters.get('kind') ?? [])],"
        " reducer: wwzd.viewer.layoutView.reducer, split: wwzd.viewer.layoutView.split, flat: wwzd.viewer.flat.goal,"
        " chosen: [...wwzd.view.state.chosen], pictures: wwzd.viewer.pictures,"
        " camera: wwzd.viewer.cameraController.get() })"
    )
    return facts


def test_what_is_seen_is_saved_found_after_a_reload_and_gone_to(visit: Visit, service: Service, empty: str) -> None:
    page = opened(visit, f"/?dataset={empty}&view=pca&is.kind=cat&colour=age&camera=0.5,0.3,1.2,0,0,0&selected=gAAAA")
    before = seen(visit)
    page.focus("#cloud")
    page.keyboard.press("v")
    page.fill("#view-name", "Koty 🐈")
    page.fill("#view-note", "Only these,\nand from near.")
    page.locator("#views form button.strong").click()
    expect(page.locator("#views .said")).to_contain_text("saved for everybody")
    expect(page.locator("#views .entry b")).to_have_text("Koty 🐈")
    assert kept(service, empty) == ["Koty 🐈"]
    page = opened(visit, f"/?dataset={empty}")
    assert seen(visit)["kind"] == []
    page.click("#views-open")
    expect(page.locator("#views .entry small")).to_have_text("Only these,\nand from near.")
    page.locator("#views .entry").click()
    expect(page.locator("#views")).to_be_hidden()
    expect(page.locator("#shown-count")).to_have_text("12 of 24 shown")
    visit.rest()
    after = seen(visit)
    for part in ("kind", "colour", "reducer", "split", "flat", "chosen"):
        assert after[part] == before[part], part
    assert after["camera"] == pytest.approx(before["camera"], abs=1e-3)
    assert before["chosen"]
    page.keyboard.press("Control+z")
    expect(page.locator("#shown-count")).to_have_text("")


def test_views_are_ordered_renamed_deleted_and_put_back(
    visit: Visit, service: Service, upload: str, views: list[dict[str, str]]
) -> None:
    page = opened(visit, f"/?dataset={upload}&open=views")
    names = page.locator("#views .entry b")
    expect(names).to_have_text(["Cats", "Dogs", "Flat"])
    page.get_by_role("button", name="Move down: Cats").click()
    expect(names).to_have_text(["Dogs", "Cats", "Flat"])
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Move down: Cats"
    page.get_by_role("button", name="Rename: Cats").click()
    page.fill("#view-name", "Kittens")
    page.fill("#view-note", "")
    page.keyboard.press("Enter")  # a line of the note
    page.locator("#views form button.strong").click()
    expect(names).to_have_text(["Dogs", "Kittens", "Flat"])
    expect(page.locator("#views li").nth(1).locator("small")).to_have_count(0)
    # Somebody else adds one at the same time: neither change is lost.
    put(service, upload, [*service.get(f"/dataset/{upload}/views").json()["views"], {**CATS, "name": "Other"}])
    page.get_by_role("button", name="Delete: Kittens").click()
    expect(names).to_have_text(["Dogs", "Flat", "Other"])
    page.locator("#views .said button").click()
    expect(names).to_have_text(["Dogs", "Kittens", "Flat", "Other"])
    assert kept(service, upload) == ["Dogs", "Kittens", "Flat", "Other"]
    visit.problems = [problem for problem in visit.problems if "412" not in problem]


def test_a_link_opens_a_saved_view(visit: Visit, upload: str, views: list[dict[str, str]]) -> None:
    page = opened(visit, f"/?dataset={upload}&saved={views[2]['id']}")
    state = seen(visit)
    assert (state["flat"], state["split"], state["pictures"]) == (1, "pca", False)
    assert len(state["chosen"]) == 3
    assert "saved=" not in page.url
    page = opened(visit, f"/?dataset={upload}&saved=000000000000")
    expect(page.locator("#toast")).to_contain_text("not here any more")


def test_a_tour_is_played_by_keys_and_left_where_it_is(visit: Visit, upload: str, views: list[dict[str, str]]) -> None:
    page = opened(visit, f"/?dataset={upload}&open=views")
    page.locator("#views .actions button", has_text="tour").first.click()
    expect(page.locator(CAPTION)).to_have_text("Cats")
    expect(page.locator("#tour p")).to_have_text(LINES)
    visit.wait(f"{REDUCER} === 'pca'")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Go on (space)")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.locator(CAPTION)).to_have_text("Dogs")
    expect(page.locator("#tour .count")).to_have_text("2 / 3")
    visit.rest()
    assert seen(visit)["camera"] == pytest.approx([0.4, 0.2, 1.5, 0, 0, 0], abs=1e-3)
    assert seen(visit)["kind"] == ["dog"]
    visit.wait(f"location.search.includes('tour={views[1]['id']}')")
    page.keyboard.press("PageDown")
    expect(page.locator(CAPTION)).to_have_text("Flat")
    page.keyboard.press("ArrowRight")
    expect(page.locator(CAPTION)).to_have_text("Flat")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(CAPTION)).to_have_text("Dogs")
    visit.rest()
    page.keyboard.press("Escape")
    expect(page.locator("#tour")).to_be_hidden()
    expect(page.locator("#tools")).to_be_visible()
    assert seen(visit)["kind"] == ["dog"]
    visit.wait("!location.search.includes('tour=')")


def test_a_link_begins_a_tour_which_goes_on_by_itself_and_stops_at_the_last(
    visit: Visit, upload: str, views: list[dict[str, str]]
) -> None:
    page = visit.open(f"/?dataset={upload}&tour={views[1]['id']}").page
    expect(page.locator(CAPTION)).to_have_text("Dogs")
    expect(page.locator(CAPTION)).to_have_text("Flat", timeout=40_000)
    expect(page.get_by_role("button", name="Go on (space)")).to_be_visible()
    expect(page.locator(CAPTION)).to_have_text("Flat")
    page.get_by_role("button", name="Go on (space)").click()
    expect(page.locator(CAPTION)).to_have_text("Cats")


def test_whoever_moves_the_cloud_pauses_the_tour(visit: Visit, upload: str, views: list[dict[str, str]]) -> None:
    page = visit.open(f"/?dataset={upload}&tour=1").page
    visit.wait(f"location.search.includes('tour={views[0]['id']}')")
    page.mouse.move(300, 300)
    page.mouse.down()
    page.mouse.move(330, 320)
    page.mouse.up()
    expect(page.get_by_role("button", name="Go on (space)")).to_be_visible(timeout=10_000)
    expect(page.locator(CAPTION)).to_have_text("Cats")


@pytest.mark.parametrize("visit", [{"reduced_motion": "reduce"}], indirect=True)
def test_with_reduced_motion_a_tour_cuts(visit: Visit, upload: str, views: list[dict[str, str]]) -> None:
    page = visit.open(f"/?dataset={upload}&tour=1").page
    visit.wait(f"location.search.includes('tour={views[0]['id']}')")
    page.keyboard.press("ArrowRight")
    expect(page.locator(CAPTION)).to_have_text("Dogs")
    visit.wait("wwzd.view.state.colour === 'age'")
    visit.wait(f"{REDUCER} === 'umap'")
    page.wait_for_timeout(50)
    assert page.evaluate("wwzd.viewer.cameraController.glide") is None
    assert seen(visit)["camera"] == pytest.approx([0.4, 0.2, 1.5, 0, 0, 0], abs=1e-3)


@pytest.mark.parametrize("visit", [{"size": (390, 844), "has_touch": True, "is_mobile": True}], indirect=True)
def test_on_a_telephone_views_are_saved_and_toured(visit: Visit, upload: str, views: list[dict[str, str]]) -> None:
    page = opened(visit, f"/?dataset={upload}")
    page.tap("#menu")
    page.tap("#views-open")
    expect(page.locator("#views .entry")).to_have_count(3)
    wide = page.evaluate("document.getElementById('views').scrollWidth <= document.getElementById('views').clientWidth")
    assert wide
    page.locator("#views .actions button", has_text="tour").first.tap()
    expect(page.locator(CAPTION)).to_have_text("Cats")
    box = page.locator("#tour").bounding_box()
    assert box
    assert 0 <= box["x"] < box["x"] + box["width"] <= 390
    page.get_by_role("button", name="Leave the tour").tap()
    expect(page.locator("#tour")).to_be_hidden()


def test_a_server_that_refuses_to_write_leaves_views_to_the_browser(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data: Path = tmp_path_factory.mktemp("closed") / "data"
    install(data)
    service = Service(data, {"TOKENS": "write"}).start(warm=False)
    visit = Visit(browser, service.url(""))
    try:
        page = opened(visit, "/?camera=0.5,0.3,1.2,0,0,0")
        page.click("#views-open")
        for name in ("Mine", "Second"):
            page.fill("#view-name", name)
            page.locator("#views form button.strong").click()
            expect(page.locator("#views .said")).to_contain_text(f"“{name}” is kept in this browser")
        assert service.get("/catalogue/views").json()["views"] == []
        page = opened(visit, "/?open=views")
        expect(page.locator("#views .entry b")).to_have_text(["Mine", "Second"])
        expect(page.locator("#views .entry small").first).to_have_text("in this browser only")
        page.get_by_role("button", name="Move up: Second").click()
        expect(page.locator("#views .entry b")).to_have_text(["Second", "Mine"])
        page.get_by_role("button", name="Delete: Second").click()
        page.locator("#views .entry").click()
        visit.rest()
        assert seen(visit)["camera"] == pytest.approx([0.5, 0.3, 1.2, 0, 0, 0], abs=1e-3)
        visit.problems = [problem for problem in visit.problems if "401" not in problem]
    finally:
        visit.close()
        service.stop()
