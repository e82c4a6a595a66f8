"""Uploads of more pictures than one tilemap has, and of more than a server takes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.colours import install
from tests.browser.test_file_packing import shown, written
from tests.support.chromium import Visit
from tests.support.pictures import photograph, picture, zipped
from tests.support.service import Service

MOST = 20


@pytest.fixture(scope="module")
def sparing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A server that takes few pictures at once."""
    data = tmp_path_factory.mktemp("sparing") / "data"
    install(data)
    running = Service(data, {"MAX_PICTURES": str(MOST)}).start()
    yield running
    running.stop()


@pytest.fixture
def guest(browser: Browser, sparing: Service) -> Iterator[Visit]:
    made = Visit(browser, sparing.url(""))
    yield made
    made.close()


def check_the_rest_follows(visit: Visit, service: Service) -> None:
    """Of 22 pictures 20 are shown, and the page takes the others."""
    visit.wait("wwzd.viewer.collection?.kind === 'dataset'", 120)
    expect(visit.page.locator("#uploader .outcome").first).to_contain_text(
        "20 of 22: the first by name.", timeout=120_000
    )
    visit.page.get_by_role("button", name="Take the 2 others as well").click()
    visit.wait("wwzd.viewer.collection?.count === 2", 120)
    assert shown(visit, service)[1] == ["0020.png", "0021.png"]


def test_pictures_beyond_what_is_taken_follow_as_another_upload(guest: Visit, sparing: Service, tmp_path: Path) -> None:
    folder = written(tmp_path / "many", {f"{index:04d}.png": picture(index, (8, 8)) for index in range(MOST + 2)})
    written(folder, {f"._{index:04d}.png": b"-" for index in range(MOST + 2)})
    guest.open()
    guest.page.set_input_files("#folder", folder)
    expect(guest.page.locator("#uploader")).to_contain_text("20 of 22 pictures are sent now")
    check_the_rest_follows(guest, sparing)


def test_a_zip_of_more_than_is_taken_says_so_and_its_rest_follows(guest: Visit, sparing: Service) -> None:
    archive = zipped({f"{index:04d}.png": picture(index, (9, 9)) for index in range(MOST + 2)})
    guest.open()
    guest.page.set_input_files("#files", {"name": "more.zip", "mimeType": "application/zip", "buffer": archive})
    check_the_rest_follows(guest, sparing)


def test_more_than_a_tilemap_has_are_one_cloud(visit: Visit, service: Service) -> None:
    count = 1020
    archive = zipped({f"{index:04d}.jpg": photograph(3000 + index, (24, 20)) for index in range(count)})
    visit.open()
    visit.page.set_input_files("#files", {"name": "large.zip", "mimeType": "application/zip", "buffer": archive})
    visit.wait(f"wwzd.viewer.collection?.count === {count}", 240)
    dataset_id = shown(visit, service)[0]
    loaded: list[str] = []
    visit.page.context.on("request", lambda request: loaded.append(request.url.split("?")[0]))
    visit.open(f"/?dataset={dataset_id}")
    visit.rest()
    assert visit.page.evaluate("wwzd.viewer.collection.ranges") == 2
    assert {service.url(f"/dataset/{dataset_id}/tilemaps/{number}") for number in ("000", "001")} <= set(loaded)
    visit.page.fill("#search-text", "1015.jpg")
    visit.page.press("#search-text", "Enter")
    expect(visit.page.locator("#panel h2")).to_have_text("1 picture found")
