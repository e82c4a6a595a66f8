"""The page and the service on CLIP's real architecture, with seeded weights: they find the same, whatever it means."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import torch
from playwright.sync_api import expect

from tests.support import small_clip
from tests.support.chromium import Visit
from tests.support.pictures import photograph, zipped
from tests.support.service import Service

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # a network is converted first

TEXT = "a smiling dog"
HEADING = f"Pictures of “{TEXT}”"
BUTTONS = "#panel .faces button"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("clip")
    torch.save(small_clip.seeded("ViT-B-32").state_dict(), folder / "weights.pt")
    settings = {"BACKBONE": "clip_vit_b32", "CLIP_WEIGHTS": str(folder / "weights.pt")}
    running = Service(folder / "data", settings | {"CACHE_DIR": str(folder / "cache")})
    running.start(warm=False)
    running.wait_for(lambda: running.worker_state() == "ready", 300)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def upload(service: Service) -> str:
    """The id of a dataset, two of whose pictures have a word of the text in their names."""
    names = ["dog-a", "dog-b", *(f"meadow-{index:02d}" for index in range(28))]
    answer = service.upload(zipped({f"{name}.jpg": photograph(k) for k, name in enumerate(names)}), "animals.zip")
    assert answer.status == 200, answer.body
    return answer.body.decode()


def best(service: Service, upload: str) -> list[str]:
    """Names, the best first, as the interface tells them."""
    answer = service.get(f"/search?text={quote(TEXT)}&in={upload}&k=24")
    assert answer.status == 200, answer.body
    return [each["name"] for each in answer.json()["neighbors"]]


def shown(visit: Visit) -> list[str]:
    return [str(each.get_attribute("aria-label")) for each in visit.page.locator(BUTTONS).all()]


def test_what_no_name_has_is_searched_for_in_the_pictures(visit: Visit, service: Service, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    field = visit.page.locator("#search-text")
    expect(field).to_have_attribute("placeholder", "Search by name or description")
    field.fill(TEXT)
    field.press("Enter")
    expect(visit.page.locator("#panel h2")).to_have_text(HEADING)
    expect(visit.page.locator(BUTTONS)).to_have_count(24)
    expect(visit.page.locator("#status")).to_have_text("24 pictures found")
    found = best(service, upload)
    assert shown(visit) == found
    assert visit.page.locator("#panel .share").first.inner_text().endswith(" %")
    visit.page.locator(BUTTONS).nth(2).click()
    expect(visit.page.locator("#panel h2")).to_have_text(found[2])
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("#panel h2")).to_have_text(HEADING)
    visit.page.locator("#panel .head button").click()
    expect(visit.page.locator("#panel")).to_be_hidden()
    assert "of=" not in visit.page.url


def test_the_pictures_that_a_text_describes_are_offered_beside_the_names(
    visit: Visit, service: Service, upload: str
) -> None:
    visit.open(f"/?dataset={upload}")
    visit.page.fill("#search-text", "dog-")
    visit.page.press("#search-text", "Enter")
    expect(visit.page.locator("#panel h2")).to_have_text("2 pictures found")
    expect(visit.page.locator("#described")).to_have_text("Pictures of “dog-”")
    visit.page.click("#described")
    expect(visit.page.locator("#panel h2")).to_have_text("Pictures of “dog-”")
    expect(visit.page.locator(BUTTONS)).to_have_count(24)
    expect(visit.page.locator("#described")).to_have_count(0)


def test_a_link_to_a_description_lists_what_it_found(visit: Visit, service: Service, upload: str) -> None:
    visit.open(f"/?dataset={upload}&of={quote(TEXT)}&found=only")
    expect(visit.page.locator("#panel h2")).to_have_text(HEADING)
    expect(visit.page.locator("#search-text")).to_have_value(TEXT)
    assert shown(visit) == best(service, upload)
    expect(visit.page.locator(".chip .words")).to_have_text(f"{HEADING}: 24")
    assert visit.page.evaluate("[...wwzd.view.state.search.rows].length") == 24
    visit.page.reload()
    visit.wait_until_drawn()
    expect(visit.page.locator("#panel h2")).to_have_text(HEADING)
    assert "of=a+smiling+dog" in visit.page.url


def test_a_description_that_is_too_long_is_refused_with_a_sentence(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    visit.page.fill("#search-text", "dog " * 90)
    visit.page.press("#search-text", "Enter")
    expect(visit.page.get_by_text("the network reads 75")).to_be_visible()
    visit.problems = [problem for problem in visit.problems if "400" not in problem]
    assert visit.page.evaluate("wwzd.view.state.search") is None


def test_the_web_process_answers_without_loading_a_network(service: Service, upload: str) -> None:
    best(service, upload)
    web = service.child("web")
    children = Path(f"/proc/{web}/task/{web}/children").read_text().split()
    mapped = "".join(Path(f"/proc/{pid}/maps").read_text() for pid in [str(web), *children])
    assert "python" in mapped
    assert not [name for name in ("libtorch", "libopenvino") if name in mapped]
    worker = Path(f"/proc/{service.child('worker')}/maps").read_text()
    assert "libopenvino" in worker


def test_the_interface_says_who_offers_it(service: Service, upload: str) -> None:
    facts = json.loads(service.get(f"/dataset/{upload}").body)
    assert (facts["backbone"], facts["text_search"]) == ("clip_vit_b32", True)
