"""Pictures that come from the page, and the clouds that they become."""

import re
import urllib.request
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.colours import SHAPE, look, pick, place, seen, without_fading
from tests.support.chromium import Visit
from tests.support.pictures import colour, encode, photograph, zipped
from tests.support.service import Service


def test_a_zip_becomes_a_cloud(visit: Visit) -> None:
    visit.open()
    archive = zipped(
        {f"{index:02d}.png": encode(Image.new("RGB", SHAPE, colour(7 * index)), "PNG") for index in range(20)}
    )
    visit.page.set_input_files("#files", {"name": "holiday.zip", "mimeType": "application/zip", "buffer": archive})
    visit.wait(
        "wwzd.viewer.collection?.kind === 'dataset' && performance.getEntriesByName('wwzd:tiles').length > 1", 120
    )
    visit.wait("wwzd.viewer.collection.facts.status === 'ready' && !wwzd.viewer.layoutView.morph", 120)
    assert re.search(r"\?dataset=[0-9a-f]{32}$", visit.page.url.split("&")[0])
    expect(visit.page.locator("#collection-count")).to_have_text("20")
    without_fading(visit)
    image = look(visit)
    shown = {row for row in range(20) if seen(image, *place(visit, row)) == 7 * row}
    assert len(shown) >= 5


def test_loose_pictures_are_zipped_in_the_browser(visit: Visit) -> None:
    visit.open()
    files = [{"name": f"{index}.jpg", "mimeType": "image/jpeg", "buffer": photograph(index)} for index in range(9)] + [
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    ]
    visit.page.set_input_files("#files", files)  # type: ignore[arg-type]
    visit.wait("wwzd.viewer.collection?.kind === 'dataset'", 120)
    expect(visit.page.locator("#collection-count")).to_have_text("9")


def test_a_file_that_is_no_zip_shows_a_sentence(visit: Visit) -> None:
    visit.open()
    visit.page.set_input_files("#files", {"name": "a.zip", "mimeType": "application/zip", "buffer": b"no zip at all"})
    expect(visit.page.locator("#uploader [role=alert]")).to_contain_text("ZIP")
    visit.problems = [problem for problem in visit.problems if "400" not in problem]


def test_a_dataset_is_deleted_from_the_list(visit: Visit, service: Service) -> None:
    dataset_id = service.upload(
        zipped({"one.jpg": photograph(77), "two.jpg": photograph(78)}), "twins.zip"
    ).body.decode()
    visit.open(f"/?dataset={dataset_id}")
    visit.page.click("#collection")
    visit.page.locator("#collections [aria-label='Delete: twins.zip']").click()
    visit.page.locator("#collections button.strong").click()
    visit.wait("wwzd.viewer.collection?.kind === 'catalogue'")
    assert service.get(f"/dataset/{dataset_id}").status == 404


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, str]]:
    """A service whose catalogue was built of 100 photographs, and an upload of some of them, placed in its space."""
    folder = tmp_path_factory.mktemp("placed")
    source = folder / "source"
    source.mkdir()
    for index in range(100):
        (source / f"{index:03d}.jpg").write_bytes(photograph(index))
    (source / "broken.jpg").write_bytes(b"no picture")
    (folder / "ages.csv").write_text("file,age\n000.jpg,3\nnobody.jpg,4\n")
    running = Service(folder / "data")
    running.manage("migrate")
    running.manage("build_catalogue", str(source), "--metadata", str(folder / "ages.csv"))
    beside = folder / "beside"
    beside.mkdir()
    for index in range(30):
        (beside / f"{index:03d}.jpg").write_bytes(photograph(200 + index))
    (beside / "notes.txt").write_bytes(b"text")
    running.manage("build_catalogue", str(beside), "--no-install")
    running.start()
    answer = running.upload(zipped({f"{index:03d}.jpg": photograph(index) for index in range(40, 60)}))
    assert answer.status == 200, answer.body
    yield running, answer.body.decode()
    running.stop()


def test_an_upload_is_shown_among_the_catalogue(browser: Browser, placed: tuple[Service, str]) -> None:
    service, dataset_id = placed
    visit = Visit(browser, service.url(""), color_scheme="dark").open(f"/?dataset={dataset_id}&view=pca")
    without_fading(visit)
    among = visit.page.locator("#among")
    expect(among).to_have_attribute("aria-pressed", "false")
    alone = greys(visit)
    among.click()
    visit.wait("wwzd.viewer.layoutView.around !== null")
    visit.rest()
    assert greys(visit) > alone + 100
    np.testing.assert_allclose(drawn(visit), served_coordinates(service, dataset_id, "pca"), atol=1e-3)
    own = np.array(visit.page.evaluate("[...wwzd.viewer.layoutView.layouts.pca.rows]")).reshape(-1, 3)
    np.testing.assert_allclose(own, around(visit)[40:60], atol=1e-3)  # the same pictures
    pick(visit, "reducer", "umap")
    visit.wait("wwzd.viewer.layoutView.reducer === 'umap' && !wwzd.viewer.layoutView.morph")
    np.testing.assert_allclose(drawn(visit), served_coordinates(service, dataset_id, "umap"), atol=1e-3)
    visit.wait("location.search.includes('among=catalogue')")
    visit.open(visit.page.url.removeprefix(visit.origin))
    visit.wait("wwzd.viewer.layoutView.around !== null")
    expect(among).to_have_attribute("aria-pressed", "true")
    among.click()
    visit.wait("wwzd.viewer.layoutView.around === null && !location.search.includes('among')")
    without_fading(visit)
    assert greys(visit) < alone + 20  # some are in the pictures
    visit.page.click("#collection")
    visit.page.locator("#collections ul button").first.click()
    visit.wait("wwzd.viewer.collection?.kind === 'catalogue'")
    expect(among).to_be_hidden()
    visit.close()


def test_another_catalogue_is_chosen_from_the_list(browser: Browser, placed: tuple[Service, str]) -> None:
    service, _ = placed
    visit = Visit(browser, service.url("")).open("/")
    expect(visit.page.locator("#collection-count")).to_have_text("100")
    visit.page.click("#collection")
    visit.page.locator("#collections ul button", has_text="beside").click()
    visit.wait("wwzd.viewer.collection?.name === 'beside' && wwzd.viewer.cloud.points !== null")
    expect(visit.page.locator("#collection-count")).to_have_text("30")
    (beside,) = [entry["id"] for entry in service.get("/catalogues").json()["catalogues"] if not entry["is_installed"]]
    np.testing.assert_array_equal(
        np.array(visit.page.evaluate("wwzd.viewer.collection.vectors('umap').then((rows) => [...rows])")),
        np.array(service.get(f"/dataset/{beside}/umap/0/0/standalone").json()["features"], np.float32).ravel(),
    )
    # A link to a picture of it leads there, with what is like it.
    visit.wait(f"location.search.includes('dataset={beside}')")
    visit.open(f"/?dataset={beside}&picture=3")
    expect(visit.page.locator("#neighbours .faces button")).to_have_count(12)
    expect(visit.page.locator("#panel .portrait")).to_be_visible()
    visit.page.goto(service.url("/?dataset=0123456789abcdef"))
    expect(visit.page.get_by_text("This dataset is not here")).to_be_visible()
    visit.problems = [problem for problem in visit.problems if "404" not in problem]
    visit.close()


def test_what_came_of_the_files_of_catalogues_has_a_place(browser: Browser, placed: tuple[Service, str]) -> None:
    service, _ = placed
    visit = Visit(browser, service.url("")).open("/")
    about = visit.page.locator("#about")
    for name, words in (
        ("source", ("Shown: 100", "Unreadable, left out: 1")),
        ("beside", ("Shown: 30", "No pictures, left out: 1")),
    ):
        visit.page.click("#collection")
        visit.page.get_by_label(f"About this collection: {name}", exact=True).click()
        for each in words:
            expect(about.locator(".report")).to_contain_text(each)
        expect(about.locator(".outcome")).to_have_count(1 if name == "source" else 0)
        if name == "source":
            expect(about.locator(".outcome")).to_contain_text("nobody.jpg")
            about.locator("summary", has_text="Unreadable").click()
            expect(about.locator("li", has_text="broken.jpg")).to_be_visible()
        visit.page.keyboard.press("Escape")
    visit.close()


def test_pictures_are_added_to_a_catalogue(browser: Browser, placed: tuple[Service, str]) -> None:
    service, _ = placed
    installed, beside = service.get("/catalogues").json()["catalogues"]
    for catalogue, address in ((installed, "/"), (beside, f"/?dataset={beside['id']}")):
        visit = Visit(browser, service.url("")).open(address)
        visit.page.click("#add")
        visit.page.get_by_label(f"Add to “{catalogue['name']}”").check()
        files = [{"name": f"new-{k}.jpg", "mimeType": "image/jpeg", "buffer": photograph(700 + k)} for k in range(2)]
        visit.page.set_input_files("#files", files)  # type: ignore[arg-type]
        visit.wait(f"wwzd.viewer.collection?.facts?.parent === '{catalogue['id']}'", 120)
        total = catalogue["total"]
        expect(visit.page.locator("#collection-count")).to_have_text(str(total + 2))
        expect(visit.page.locator("#notices")).to_contain_text(f"2 pictures were added to “{catalogue['name']}”;")
        visit.wait("wwzd.viewer.collection.facts.status === 'ready' && wwzd.viewer.cloud.points !== null", 120)
        rows = visit.page.evaluate("wwzd.viewer.collection.vectors('umap').then((rows) => [...rows])")
        before = service.get(f"/dataset/{catalogue['id']}/umap/0/0/standalone").json()["features"]
        np.testing.assert_array_equal(np.array(rows).reshape(-1, 3)[:total], np.array(before, np.float32))
        grown = visit.page.evaluate("wwzd.viewer.collection.id")
        visit.close()
        # It has the catalogue's name, by which other tests look for that.
        service.send(urllib.request.Request(service.url(f"/dataset/{grown}"), method="DELETE"))
    # From what is told of it, too.
    visit = Visit(browser, service.url("")).open("/")
    visit.page.click("#collection")
    visit.page.locator(f"#collections [aria-label='About this collection: {installed['name']}']").first.click()
    visit.page.locator("#about").get_by_role("button", name="Add pictures").click()
    expect(visit.page.get_by_label(f"Add to “{installed['name']}”")).to_be_checked()
    visit.close()


def greys(visit: Visit) -> int:
    """How many pixels have the colour of what is around an upload, clear of the bars."""
    image = np.asarray(look(visit)).astype(int)[90:600, 60:940]
    return int((np.abs(image - (104, 112, 126)).max(axis=2) <= 2).sum())


def around(visit: Visit) -> NDArray[np.float64]:
    """`(n, 3)` where the catalogue's pictures are drawn around an upload."""
    rows = visit.page.evaluate("[...wwzd.viewer.cloud.around.geometry.getAttribute('position').array]")
    return np.array(rows, np.float64).reshape(-1, 3)


def drawn(visit: Visit) -> NDArray[np.float64]:
    """How far from the upload's first picture its others are, then the catalogue's; in distances to its second."""
    own = np.array(
        visit.page.evaluate("[...wwzd.viewer.layoutView.layouts[wwzd.viewer.layoutView.reducer].rows]")
    ).reshape(-1, 3)
    return proportions(own, around(visit))


def served_coordinates(service: Service, dataset_id: str, reducer: str) -> NDArray[np.float64]:
    """The same by the server's vectors."""
    paths = f"/dataset/{dataset_id}/features/{reducer}", f"/{reducer}/0/0/standalone"
    return proportions(*(np.array(service.get(path).json()["features"]) for path in paths))


def proportions(*parts: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = np.concatenate(parts)
    lengths = np.linalg.norm(rows - rows[0], axis=1)
    return np.asarray(lengths / lengths[1], np.float64)


def test_unmatched_metadata_is_reported_at_the_end(visit: Visit) -> None:
    files = {f"{index}.jpg": photograph(500 + index) for index in range(3)}
    about = b"file,id\n0.jpg,1234567890123456789\n1.jpg,1234567890123456788\nlost.jpg,1\n"
    archive = zipped(files | {"metadata.csv": about})
    visit.open()
    visit.page.set_input_files("#files", {"name": "some.zip", "mimeType": "application/zip", "buffer": archive})
    notice = visit.page.locator("#uploader .outcome")
    expect(notice).to_contain_text("1 row of metadata.csv names no picture", timeout=120_000)
    expect(visit.page.locator("#uploader-title")).to_have_text("some")
    expect(notice).to_contain_text("lost.jpg")
    expect(notice).to_contain_text("1 of 3 pictures are not in it")


def test_integers_beyond_javascripts_are_shown_as_they_are(visit: Visit, service: Service) -> None:
    files = {f"{index}.jpg": photograph(600 + index) for index in range(3)}
    about = b"file,id\n0.jpg,1234567890123456789\n1.jpg,1234567890123456788\n2.jpg,7\n"
    answer = service.upload(zipped(files | {"metadata.csv": about}), "integers.zip")
    visit.open(f"/?dataset={answer.body.decode()}")
    visit.page.click("#filters-open")
    visit.page.locator("#filters label", has_text="1234567890123456788").click()
    visit.wait("wwzd.viewer.rowStyles.skip.some(Boolean)")
    assert visit.page.evaluate("[...wwzd.viewer.rowStyles.skip]") == [1, 0, 1]
    visit.page.keyboard.press("Escape")
    visit.page.fill("#search-text", "0.jpg")
    visit.page.press("#search-text", "Enter")
    visit.page.locator("#panel .faces button").first.click()
    expect(visit.page.locator("#panel dl")).to_contain_text("1234567890123456789")
