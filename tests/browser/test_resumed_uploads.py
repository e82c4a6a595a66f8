"""Large ZIPs that the page sends in parts: the network goes away, the page is left, the person changes her mind."""

import json
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.support.chromium import Visit
from tests.support.pictures import photograph, zipped
from tests.support.service import Service

PART = 8 * 2**20
MEGABYTES = 28


@pytest.fixture
def visit(browser: Browser, service: Service) -> Visit:
    """One that hears errors of the network without complaining."""
    return Visit(browser, service.url(""), color_scheme="dark")


def written(folder: Path, seed: int) -> Path:
    """A ZIP that takes four parts, on the disk: it is too large for Playwright's messages."""
    path = folder / f"large-{seed}.zip"
    files = {f"{index}.jpg": photograph(seed + index) for index in range(6)}
    path.write_bytes(zipped(files | {"noise.bin": os.urandom(MEGABYTES * 2**20)}, zipfile.ZIP_STORED))
    return path


def state_of(visit: Visit) -> Any:
    return visit.page.locator("#uploader [role=status]")


def parts(visit: Visit) -> list[tuple[int, int]]:
    """Offset and status of each part that was answered, noted from now on."""
    found: list[tuple[int, int]] = []

    def note(answer: Any) -> None:
        if answer.request.method == "PATCH":
            found.append((int(answer.request.headers["upload-offset"]), answer.status))

    visit.page.on("response", note)
    return found


def fail_third_part(visit: Visit) -> list[str]:
    """Let the first two parts through, and nothing else of uploads until `unroute`. Returns what was kept away."""
    kept: list[str] = []

    def decide(route: Route) -> None:
        offset = int(route.request.headers.get("upload-offset", "-1"))
        if kept or offset >= 2 * PART:
            kept.append(route.request.method)
            route.abort("connectionreset")
        else:
            route.continue_()

    visit.page.route("**/uploads/*", decide)
    return kept


def close(visit: Visit) -> None:
    visit.problems = [problem for problem in visit.problems if not re.search("ERR_|Failed to load", problem)]
    visit.close()


def shown(visit: Visit, service: Service) -> str:
    """The id of the dataset that is shown in the end."""
    visit.wait("wwzd.viewer.collection?.kind === 'dataset'", 120)
    return str(visit.page.evaluate("wwzd.viewer.collection.id"))


def bar(visit: Visit) -> float:
    return float(visit.page.locator("#uploader progress").evaluate("bar => bar.value"))


def test_an_upload_goes_on_by_itself_after_the_network_was_away(visit: Visit, service: Service, tmp_path: Path) -> None:
    visit.open()
    answered = parts(visit)
    kept = fail_third_part(visit)
    path = written(tmp_path, 7000)
    visit.page.set_input_files("#files", path)
    expect(state_of(visit)).to_have_text("The connection broke off. Sending goes on by itself.", timeout=30_000)
    before = bar(visit)
    assert before >= 2 * PART / path.stat().st_size - 0.01
    visit.context.set_offline(True)
    visit.page.unroute("**/uploads/*")
    visit.page.wait_for_timeout(1500)
    assert bar(visit) >= before
    visit.context.set_offline(False)
    dataset_id = shown(visit, service)
    assert kept
    assert (service.data / "datasets" / dataset_id / "source.zip").read_bytes() == path.read_bytes()
    assert [offset for offset, status in answered if status == 204] == [0, PART, 2 * PART, 3 * PART]
    assert service.get(f"/dataset/{dataset_id}").json()["name"] == "large-7000"
    assert visit.page.evaluate("localStorage.getItem('wwzd.partial')") == "{}"
    close(visit)


def test_the_same_file_goes_on_after_a_reload(visit: Visit, service: Service, tmp_path: Path) -> None:
    visit.open()
    fail_third_part(visit)
    path = written(tmp_path, 7100)
    visit.page.set_input_files("#files", path)
    expect(state_of(visit)).to_have_text("The connection broke off. Sending goes on by itself.", timeout=30_000)
    visit.page.on("dialog", lambda dialog: dialog.accept())
    visit.page.reload()
    visit.page.unroute("**/uploads/*")  # no sooner: it would go on by itself
    visit.wait_until_drawn()
    visit.page.click("#add")
    expect(visit.page.locator("#uploader")).to_contain_text("“large-7100” was not sent completely.")
    answered = parts(visit)
    visit.page.set_input_files("#files", path)
    dataset_id = shown(visit, service)
    assert [offset for offset, _ in answered] == [2 * PART, 3 * PART]
    assert (service.data / "datasets" / dataset_id / "source.zip").read_bytes() == path.read_bytes()
    close(visit)


def test_a_cancelled_upload_leaves_nothing(visit: Visit, service: Service, tmp_path: Path) -> None:
    visit.open()
    fail_third_part(visit)
    visit.page.set_input_files("#files", written(tmp_path, 7200))
    expect(state_of(visit)).to_have_text("The connection broke off. Sending goes on by itself.", timeout=30_000)
    visit.page.unroute("**/uploads/*")
    with visit.page.expect_response(lambda answer: answer.request.method == "DELETE") as deleted:
        visit.page.click("#cancel-upload")
    assert deleted.value.status == 204
    names = [json.loads((folder / "facts.json").read_text())["name"] for folder in (service.data / "partial").iterdir()]
    assert "large-7200" not in names
    assert visit.page.evaluate("localStorage.getItem('wwzd.partial')") == "{}"
    close(visit)


def test_a_file_that_is_changed_meanwhile_is_not_sent_for_ever(visit: Visit, tmp_path: Path) -> None:
    visit.open()
    fail_third_part(visit)
    path = written(tmp_path, 7300)
    visit.page.set_input_files("#files", path)
    expect(state_of(visit)).to_have_text("The connection broke off. Sending goes on by itself.", timeout=30_000)
    path.write_bytes(b"another file")
    visit.page.unroute("**/uploads/*")
    expect(visit.page.locator("#uploader [role=alert]")).to_contain_text("was changed or moved", timeout=30_000)
    close(visit)


def test_a_refusal_of_a_large_file_is_told(visit: Visit, service: Service, tmp_path: Path) -> None:
    visit.open()
    path = tmp_path / "broken.zip"
    path.write_bytes(os.urandom(20 * 2**20))
    visit.page.set_input_files("#files", path)
    expect(visit.page.locator("#uploader [role=alert]")).to_contain_text("not a ZIP", timeout=30_000)
    assert visit.page.evaluate("localStorage.getItem('wwzd.partial')") == "{}"
    visit.problems = [problem for problem in visit.problems if "400" not in problem]
    close(visit)
