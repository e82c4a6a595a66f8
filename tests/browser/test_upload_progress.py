"""Uploads under way: cancelled, found again, never in the way; their names, and what came of their files."""

import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from datasets.errors import KINDS
from embeddings.images import signatures
from tests.browser.colours import install
from tests.support.chromium import Visit, hold, press
from tests.support.paths import ROOT
from tests.support.pictures import photograph, picture, zipped
from tests.support.service import Service, children_of


@pytest.fixture
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of which nothing is computed: what is sent to it stays in the queue."""
    data = tmp_path_factory.mktemp("idle") / "data"
    install(data)
    running = Service(data).start()
    assert running.process is not None
    stopped = [running.pause_worker(), running.process.pid]
    os.kill(running.process.pid, signal.SIGSTOP)  # it replaces a worker of which nothing is heard for a minute
    try:
        yield running
    finally:
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        running.stop()


def send(visit: Visit, name: str, first: int, count: int = 6) -> None:
    archive = zipped({f"{index}.jpg": photograph(first + index) for index in range(count)})
    visit.page.set_input_files("#files", {"name": name, "mimeType": "application/zip", "buffer": archive})


def listed(service: Service) -> dict[str, str]:
    return {entry["name"]: entry["status"] for entry in service.get("/dataset").json()["datasets"]}


def wait(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_an_upload_is_found_again_after_a_reload_and_cancelled_on_the_server(browser: Browser, idle: Service) -> None:
    visit = Visit(browser, idle.url(""))
    visit.open()
    send(visit, "left.zip", 200)
    expect(visit.page.locator("#uploader [role=status]")).to_have_text("Waiting for its turn", timeout=30_000)
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("#running")).to_be_visible()
    assert listed(idle) == {"left": "queued"}, "closing the dialog stops nothing"
    visit.open()
    expect(visit.page.locator("#running")).to_be_visible()
    visit.page.click("#collection")
    expect(visit.page.locator("#under-way .entry")).to_contain_text("left")
    visit.page.locator("#under-way .entry").click()
    visit.page.click("#cancel-upload")
    wait(lambda: listed(idle) == {})
    expect(visit.page.locator("#running")).to_be_hidden()
    visit.open()
    expect(visit.page.locator("#running")).to_be_hidden()
    visit.close()


def test_an_upload_that_is_cancelled_before_it_is_answered_is_taken_back(browser: Browser, idle: Service) -> None:
    visit = Visit(browser, idle.url(""))
    visit.open()
    (web,) = children_of(idle.child("web"))
    os.kill(web, signal.SIGSTOP)
    try:
        send(visit, "never.zip", 210)
        expect(visit.page.locator("#cancel-upload")).to_be_visible()
        # All of it is sent, and the answer does not come.
        expect(visit.page.locator("#uploader [role=status]")).to_have_text("Computing")
        visit.page.click("#cancel-upload")
        expect(visit.page.locator("#running")).to_be_hidden()
        with visit.page.expect_response(lambda answer: answer.request.method == "DELETE") as deleted:
            os.kill(web, signal.SIGCONT)
    finally:
        os.kill(web, signal.SIGCONT)
    assert deleted.value.status == 204
    assert listed(idle) == {}
    visit.close()


def test_a_finished_upload_is_announced_without_leaving_the_shown_collection(visit: Visit, upload: str) -> None:
    visit.open()
    send(visit, "later.zip", 220)
    visit.page.keyboard.press("Escape")
    visit.page.click("#collection")
    visit.page.locator("#collections .entry", has_text="cats and dogs.zip").click()
    visit.wait(f"wwzd.viewer.collection?.id === '{upload}'")
    notice = visit.page.locator("#notices .notice-line")
    expect(notice).to_contain_text("“later” is here", timeout=90_000)
    assert visit.page.evaluate("wwzd.viewer.collection.id") == upload
    notice.locator("button.strong").click()
    visit.wait(f"wwzd.viewer.collection && wwzd.viewer.collection.id !== '{upload}'")
    expect(visit.page.locator("#collection-name")).to_have_text("later")


def test_a_press_in_the_list_counts_though_an_upload_ends_meanwhile(
    visit: Visit, service: Service, upload: str
) -> None:
    visit.open()
    release = hold(visit, re.compile(r"/dataset/[0-9a-f]+$"))
    send(visit, "meanwhile.zip", 320)
    visit.page.keyboard.press("Escape")
    visit.page.click("#collection")
    wait(lambda: listed(service).get("meanwhile") == "ready", 90)
    running = visit.page.locator("#under-way .entry")
    expect(running).to_contain_text("meanwhile")
    press(visit, "#collections .entry:has-text('cats and dogs.zip')")
    release()
    expect(visit.page.locator("#notices .notice-line")).to_contain_text("“meanwhile” is here", timeout=30_000)
    visit.page.mouse.up()
    visit.wait(f"wwzd.viewer.collection?.id === '{upload}'")
    assert visit.page.locator("#running").is_hidden()


def test_an_upload_that_ended_is_opened_from_the_list_that_is_open(visit: Visit) -> None:
    visit.open()
    send(visit, "ended.zip", 330)
    visit.page.keyboard.press("Escape")
    visit.page.click("#collection")
    running = visit.page.locator("#under-way .entry", has_text="ended")
    running.focus()
    expect(running).to_contain_text("“ended” is here", timeout=90_000)
    expect(running).to_be_focused()
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("#collection-name")).to_have_text("ended")


def test_a_finished_upload_announces_its_import_report_in_another_collection(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    files = {f"{index}.jpg": photograph(270 + index) for index in range(5)}
    archive = zipped(files | {"bad.jpg": b"no picture"})
    visit.page.set_input_files("#files", {"name": "part.zip", "mimeType": "application/zip", "buffer": archive})
    visit.page.keyboard.press("Escape")
    notice = visit.page.locator("#notices .notice-line")
    expect(notice).to_contain_text("“part” is here. 1 file was skipped", timeout=90_000)
    notice.get_by_role("button", name="More").click()
    expect(visit.page.locator("#uploader .reasons li")).to_contain_text("bad.jpg")
    assert visit.page.evaluate("wwzd.viewer.collection.id") == upload


def test_without_kept_archives_the_page_explains_how_to_add_the_rest(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = tmp_path_factory.mktemp("unkept") / "data"
    install(data)
    running = Service(data, {"KEEP_ARCHIVES": "0"}).start()
    try:
        archive = zipped({f"{index:04d}.png": picture(index, (8, 8)) for index in range(12)})
        dataset_id = running.upload(archive, path="/dataset?limit=10", prefer="respond-async").json()["id"]
        running.wait_for(lambda: running.get(f"/dataset/{dataset_id}").json()["status"] == "ready")
        visit = Visit(browser, running.url(""))
        visit.open(f"/?dataset={dataset_id}")
        about(visit)
        expect(visit.page.locator("#about .outcome").first).to_contain_text("10 of 12: the first by name.")
        expect(visit.page.locator("#about .outcome").first).to_contain_text("send them as a ZIP of their own")
        expect(visit.page.locator("#about .take-rest")).to_have_count(0)
        expect(visit.page.locator("#about .report")).to_contain_text("Shown: 10")
        visit.close()
    finally:
        running.stop()


def about(visit: Visit) -> None:
    visit.page.click("#collection")
    visit.page.locator("#collections li:has([aria-current]) [aria-label^='About']").last.click()


def test_an_upload_gets_another_name_on_the_page(visit: Visit, service: Service) -> None:
    archive = zipped({"one.jpg": photograph(230), "two.jpg": photograph(231)})
    uploaded = service.upload(archive, "DSC.zip").body.decode()
    visit.open(f"/?dataset={uploaded}")
    visit.page.click("#collection")
    entry = visit.page.locator("#collections li", has_text="DSC.zip")
    expect(entry.locator("img")).to_have_js_property("naturalWidth", 78)
    expect(entry.locator("small")).to_have_text(re.compile(r"2 pictures · \w+ \d+, \d+ · [\d.]+ KiB"))
    visit.page.locator("[aria-label='Rename: DSC.zip']").click()
    visit.page.fill("#new-name", "Two of a kind")
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("#collections li", has_text="Two of a kind")).to_be_visible()
    expect(visit.page.locator("#collection-name")).to_have_text("Two of a kind")
    assert service.get(f"/dataset/{uploaded}").json()["name"] == "Two of a kind"


def test_loose_pictures_are_called_by_the_date(visit: Visit) -> None:
    visit.open()
    files = [
        {"name": f"{index}.jpg", "mimeType": "image/jpeg", "buffer": photograph(240 + index)} for index in range(5)
    ]
    visit.page.set_input_files("#files", files)  # type: ignore[arg-type]
    visit.wait("wwzd.viewer.collection?.kind === 'dataset'", 120)
    expect(visit.page.locator("#collection-name")).to_have_text(re.compile(r"Pictures of \w+ \d+, \d{4}, \d+:\d\d"))


def test_a_folder_gives_its_name_and_its_folders_a_field(visit: Visit, service: Service, tmp_path: Path) -> None:
    folder = tmp_path / "Garden"
    for index in range(6):
        inside = folder / ("tulips" if index % 2 else "roses")
        inside.mkdir(parents=True, exist_ok=True)
        (inside / f"{index // 2}.jpg").write_bytes(photograph(250 + index))
    visit.open()
    visit.page.set_input_files("#folder", str(folder))
    visit.wait("wwzd.viewer.collection?.facts?.status === 'ready'", 120)
    expect(visit.page.locator("#collection-name")).to_have_text("Garden")
    uploaded = visit.page.evaluate("wwzd.viewer.collection.id")
    fields = service.get(f"/dataset/{uploaded}/images/fields/folder").json()
    assert sorted(fields["texts"]) == ["roses", "tulips"]
    images = service.get(f"/dataset/{uploaded}/images").json()["images"]
    assert len(images) == 6
    for image in images:  # of two files of one name the second got another
        assert image["metadata"]["folder"] == ("roses" if "(2)" not in image["name"] else "tulips")


def test_what_came_of_the_files_has_a_place(visit: Visit, service: Service) -> None:
    files = {f"{index}.jpg": photograph(260 + index) for index in range(4)}
    archive = zipped(files | {"copy.jpg": files["0.jpg"], "bad.jpg": b"no picture", "notes.txt": b"text"})
    uploaded = service.upload(archive, "mixed.zip").body.decode()
    visit.open()
    visit.page.click("#collection")
    visit.page.locator("[aria-label='About this collection: mixed.zip']").click()
    report = visit.page.locator("#about .report")
    for words in ("Shown: 5", "Same file as another: 1", "Unreadable, left out: 1", "No pictures, left out: 1"):
        expect(report).to_contain_text(words)
    report.locator("summary", has_text="Unreadable").click()
    expect(report.locator("li", has_text="bad.jpg")).to_be_visible()
    visit.page.click("#copies")
    visit.wait(f"wwzd.viewer.collection?.id === '{uploaded}' && wwzd.viewer.rowStyles.chosen.size === 2")
    expect(visit.page.locator("#panel h2")).to_have_text("2 pictures are copies of each other")
    names = visit.page.locator("#panel .faces button").evaluate_all("all => all.map((one) => one.ariaLabel)")
    assert sorted(names) == ["0.jpg", "copy.jpg"]


def test_a_list_of_uploads_that_cannot_be_fetched_is_not_shown_as_empty(visit: Visit) -> None:
    visit.open()
    visit.page.route("**/dataset?*", lambda route: route.abort())
    visit.page.click("#collection")
    expect(visit.page.locator("#collections [role=alert]")).to_contain_text("The server cannot be reached")
    expect(visit.page.locator("#offline")).to_be_visible()
    visit.page.unroute("**/dataset?*")
    visit.page.locator("#collections [role=alert] button").click()
    expect(visit.page.locator("#collections [role=alert]")).to_have_count(0)
    expect(visit.page.locator("#offline")).to_be_hidden()
    visit.problems = [problem for problem in visit.problems if "ERR_FAILED" not in problem]


def test_errors_of_the_server_are_translated(browser: Browser, service: Service) -> None:
    visit = Visit(browser, service.url(""), locale="pl-PL")
    visit.open()
    visit.page.set_input_files("#files", {"name": "a.zip", "mimeType": "application/zip", "buffer": b"no zip at all"})
    expect(visit.page.locator("#uploader [role=alert]")).to_have_text(
        "Ten plik nie jest archiwum ZIP albo dotarł niepełny."
    )
    visit.problems = [problem for problem in visit.problems if "400" not in problem]
    visit.close()


def test_reasons_of_single_files_are_translated(browser: Browser, service: Service) -> None:
    files = {f"{index}.jpg": photograph(280 + index) for index in range(4)}
    strange = {"bad.jpg": b"no picture", "film.mp4.jpg": b"\0\0\0\x20ftypisom" + bytes(40), "notes.txt": b"text"}
    table = b"file,kind\n0.jpg,wild\nnowhere.jpg,tame\n"
    archive = zipped(files | strange | {"copy.jpg": files["0.jpg"], "metadata.csv": table})
    uploaded = service.upload(archive, "różne.zip").body.decode()
    visit = Visit(browser, service.url(""), locale="pl-PL")
    visit.open(f"/?dataset={uploaded}")
    visit.page.click("#collection")
    visit.page.locator("#collections li:has([aria-current]) [aria-label^='O tym zbiorze']").last.click()
    report = visit.page.locator("#about .report")
    for words in (
        "ten sam plik co 0.jpg",
        "to nie zdjęcie w żadnym z czytanych tu formatów",
        "wyślij z niego pojedyncze",
    ):
        expect(report).to_contain_text(words)
    expect(visit.page.locator("#about")).to_contain_text("wiersze niewskazujące żadnego zdjęcia: 1 (nowhere.jpg)")
    assert visit.page.locator("#about [lang=en]").all_inner_texts() == []
    visit.close()


def polish() -> Any:
    return json.loads((ROOT / "viewer" / "page" / "i18n" / "pl.json").read_text())


def test_every_kind_of_file_that_is_known_has_a_polish_name() -> None:
    reasons = polish()["reasons"]
    patterns = [re.compile(re.sub(r"\\{(\w+)\\}", ".+?", re.escape(pattern))) for pattern, _ in reasons]
    assert len(patterns) > 50
    said = [words for *_, words in (*signatures._PICTURES, *signatures._OTHERS)]
    assert said
    for words in said:
        assert any(pattern.fullmatch(words) for pattern in patterns), words


def test_every_kind_of_error_has_a_polish_text() -> None:
    errors = polish()["errors"]
    assert sorted(errors) == sorted(KINDS)
    for kind, means in KINDS.items():
        assert set(re.findall(r"\{(\w+)\}", errors[kind])) <= set(re.findall("`([a-z]+)`", means)), kind
