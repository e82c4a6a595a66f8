"""Landmarks: what stands from afar, gives way nearer, is flown to, shown alone, renamed, and kept in the address."""

import os
import re

import pytest
from playwright.sync_api import Browser, expect

from tests.support.chromium import Visit
from tests.support.clustered_pictures import FILES, TABLE
from tests.support.pictures import zipped
from tests.support.service import Service

STANDING = "[...document.querySelectorAll('.landmark')].map((one) => one.textContent)"


def opened(visit: Visit, dataset_id: str, more: str = "") -> Visit:
    visit.open(f"/?dataset={dataset_id}{more}")
    visit.rest()
    return visit


def click(visit: Visit, label: str) -> None:
    """As a mouse does it: on the canvas, where the landmark is seen."""
    face = visit.page.locator(".landmark", has_text=re.compile(f"^{re.escape(label)}$")).locator(".face")
    box = face.bounding_box()
    assert box
    visit.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def standing(visit: Visit) -> list[str]:
    visit.wait(f"{STANDING}.length > 0")
    visit.rest()
    return list(visit.page.evaluate(STANDING))


def test_from_afar_the_largest_clusters_stand_with_their_words(visit: Visit, kinds: str, service: Service) -> None:
    of_service = service.get(f"/dataset/{kinds}/clusters").json()["levels"]
    known = {cluster["label"] for level in of_service for cluster in level["clusters"]}
    assert set(standing(opened(visit, kinds))) <= known
    boxes = visit.page.evaluate(
        "[...document.querySelectorAll('.landmark .go')].map((one) => one.getBoundingClientRect().toJSON())"
    )
    for box in boxes:
        assert box["top"] > 50
        assert box["bottom"] < 700
    images = "[...document.querySelectorAll('.landmark img')]"
    visit.wait(f"{images}.length > 0 && {images}.every((one) => one.naturalWidth > 0)")


def test_a_click_flies_there_and_tells_of_it(visit: Visit, kinds: str) -> None:
    label = standing(opened(visit, kinds))[0]
    before = visit.page.evaluate("wwzd.viewer.cameraController.get()")
    click(visit, label)
    expect(visit.page.locator("#cluster h2")).to_have_text(label)
    expect(visit.page.locator("#cluster dd").first).to_contain_text("elsewhere")
    expect(visit.page.locator("#panel")).to_be_hidden()
    visit.rest()
    after = visit.page.evaluate("wwzd.viewer.cameraController.get()")
    assert after != before
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("#cluster")).to_be_hidden()


def test_a_drag_that_begins_on_a_landmark_turns_the_cloud(visit: Visit, kinds: str) -> None:
    standing(opened(visit, kinds))
    before = visit.page.evaluate("wwzd.viewer.cameraController.get()")
    box = visit.page.locator(".landmark .face").first.bounding_box()
    assert box
    visit.page.mouse.move(box["x"] + 30, box["y"] + 30)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + 160, box["y"] + 90, steps=4)
    visit.page.mouse.up()
    visit.rest()
    assert visit.page.evaluate("wwzd.viewer.cameraController.get()") != before
    expect(visit.page.locator("#cluster")).to_be_hidden()


def test_landmarks_are_reached_and_pressed_by_keys(visit: Visit, kinds: str) -> None:
    label = standing(opened(visit, kinds))[0]
    visit.page.focus("#cloud")
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.className") == "go"
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("#cluster h2")).to_have_text(label)


def test_a_cluster_is_shown_alone_and_the_address_keeps_it(visit: Visit, kinds: str, service: Service) -> None:
    label = standing(opened(visit, kinds))[0]
    click(visit, label)
    visit.page.locator("#cluster").get_by_role("button", name="Show only these").click()
    count = visit.page.locator("#cluster p").inner_text().split()[0]
    expect(visit.page.locator("#shown-count")).to_have_text(f"{count} of {len(FILES)} shown")
    expect(visit.page.locator("#shown .chip .words")).to_contain_text(label)
    assert "is.cluster" in visit.page.url
    visit.open(visit.page.url.removeprefix(visit.origin))
    expect(visit.page.locator("#shown-count")).to_have_text(f"{count} of {len(FILES)} shown")
    expect(visit.page.locator("#shown .chip .words")).to_contain_text(label)


def test_a_new_name_is_kept(visit: Visit, kinds: str) -> None:
    label = standing(opened(visit, kinds))[0]
    click(visit, label)
    for name, shown in (("Żabi staw", "Żabi staw"), ("", label)):
        visit.page.locator("#cluster").get_by_role("button", name="Rename").click()
        visit.page.fill("#cluster-name", name)
        visit.page.locator("#naming").get_by_role("button", name="Rename").click()
        expect(visit.page.locator("#cluster h2")).to_have_text(shown)
        opened(visit, kinds)
        assert shown in standing(visit)
        click(visit, shown)


def test_colours_by_cluster_have_a_legend_of_words(visit: Visit, kinds: str, service: Service) -> None:
    opened(visit, kinds, "&colour=cluster&move=flat")
    first = service.get(f"/dataset/{kinds}/clusters").json()["levels"][0]["clusters"][0]
    expect(visit.page.locator("#legend h2")).to_have_text("Clusters")
    expect(visit.page.locator("#legend .swatch").first).to_contain_text(first["label"])
    standing(visit)
    face = visit.page.locator(".landmark", has_text=re.compile(f"^{first['label']}$")).locator(".face")
    swatch = visit.page.locator("#legend .swatch i").first
    border = face.evaluate("(it) => getComputedStyle(it).borderTopColor")
    assert border == swatch.evaluate("(it) => getComputedStyle(it).backgroundColor")


def test_they_can_be_hidden_for_good(visit: Visit, kinds: str) -> None:
    standing(opened(visit, kinds))
    visit.page.click("#tune")
    visit.page.uncheck("#landmarks-on")
    visit.wait(f"{STANDING}.length === 0")
    visit.wait("location.search.includes('landmarks=off')")
    opened(visit, kinds, "&landmarks=off")
    assert visit.page.evaluate(STANDING) == []


def test_a_collection_without_clusters_has_none(visit: Visit) -> None:
    visit.open()
    visit.rest()
    assert visit.page.evaluate(STANDING) == []
    visit.page.click("#tune")
    expect(visit.page.locator("#landmarks-row")).to_be_hidden()


@pytest.fixture
def older(service: Service) -> str:
    """The id of a dataset whose clusters were never computed."""
    table = TABLE.replace("kind", "sort", 1)
    answer = service.upload(zipped(FILES | {"metadata.csv": table.encode()}), "older.zip")
    assert answer.status == 200, answer.body
    dataset_id = answer.body.decode()
    (clusters,) = (path for path in service.data.rglob("clusters.npz") if dataset_id in path.parts)
    clusters.unlink()
    return dataset_id


def test_clusters_of_an_older_upload_are_found_on_demand(visit: Visit, older: str, service: Service) -> None:
    page = opened(visit, older, "&colour=sort&open=settings").page
    expect(page.locator("#legend h2")).to_have_text("sort")
    assert page.evaluate(STANDING) == []
    expect(page.locator("#landmarks-row")).to_be_hidden()
    page.click("#find-clusters")
    expect(page.locator("#find-clusters")).to_be_disabled()
    expect(page.locator("#toast")).to_have_text(re.compile(r"^[1-9]\d* clusters? w"), timeout=120_000)
    expect(page.locator("#find-clusters-row")).to_be_hidden()
    expect(page.locator("#landmarks-row")).to_be_visible()
    of_service = service.get(f"/dataset/{older}/clusters").json()["levels"]
    assert page.locator("#toast").inner_text().startswith(f"{len(of_service[0]['clusters'])} ")
    page.click("#tune")
    known = {cluster["label"] for level in of_service for cluster in level["clusters"]}
    assert set(standing(visit)) <= known
    expect(page.locator("#legend .swatch").first).to_be_visible()
    assert "Clusters" in page.locator("#colour").inner_text()


@pytest.mark.skipif("STORAGE_URL" in os.environ, reason="a file that is not here comes from the store")
def test_what_cannot_be_computed_is_said_and_can_be_asked_for_again(visit: Visit, older: str, service: Service) -> None:
    page = opened(visit, older, "&open=settings").page
    (features,) = (path for path in service.data.rglob("features.npy") if older in path.parts)
    aside = features.rename(features.with_name("aside.npy"))
    page.click("#find-clusters")
    expect(page.locator("#toast")).to_contain_text("features")
    expect(page.locator("#find-clusters")).to_be_enabled()
    expect(page.locator("#finding-clusters")).to_be_empty()
    aside.rename(features)
    page.click("#find-clusters")
    expect(page.locator("#toast")).to_contain_text("clusters were found", timeout=120_000)
    visit.problems = [problem for problem in visit.problems if "404" not in problem]


def test_on_a_telephone_a_tap_flies_and_the_card_lies_below(browser: Browser, service: Service, kinds: str) -> None:
    visit = Visit(browser, service.url(""), (390, 780), has_touch=True, is_mobile=True, locale="pl")
    label = standing(opened(visit, kinds))[0]
    box = visit.page.locator(".landmark .face").first.bounding_box()
    assert box
    visit.page.touchscreen.tap(box["x"] + 30, box["y"] + 30)
    expect(visit.page.locator("#cluster h2")).to_have_text(label)
    expect(visit.page.locator("#cluster dd").first).to_contain_text("gdzie indziej")
    card = visit.page.locator("#cluster").bounding_box()
    assert card
    assert card["y"] > 390
    visit.close()
