"""What a search finds is marked at once, and its list comes back; a picture is searched by button, paste and drop."""

import base64

from playwright.sync_api import expect

from tests.support.chromium import Visit
from tests.support.pictures import photograph

GUEST = -2


def test_what_is_found_is_marked_and_listed_again_when_one_is_closed(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    visit.page.fill("#search-text", "cat-")
    visit.page.press("#search-text", "Enter")
    expect(visit.page.locator("#panel h2")).to_have_text("12 pictures found")
    # By name, all cats come first.
    assert visit.page.evaluate("[...wwzd.view.state.search.rows]") == list(range(12))
    expect(visit.page.locator("#status")).to_have_text("12 pictures found")
    visit.page.locator("#panel .faces button").nth(3).click()
    expect(visit.page.locator("#panel h2")).to_have_text("cat-07.jpg")
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("#panel h2")).to_have_text("12 pictures found")
    visit.page.locator("#panel .head button").click()
    expect(visit.page.locator("#panel")).to_be_hidden()
    assert visit.page.evaluate("wwzd.view.state.search") is None


def test_a_picture_is_searched_by_its_own_button_and_its_list_comes_back(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    with visit.page.expect_file_chooser() as choosing:
        visit.page.click("#search-picture")
    picture = {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": photograph(7)}
    choosing.value.set_files(picture)  # type: ignore[arg-type]
    visit.wait(f"wwzd.viewer.highlights.clicked === {GUEST}", 60)
    visit.page.locator("#panel .faces button").first.click()
    expect(visit.page.locator("#panel h2")).to_have_text("cat-07.jpg")
    visit.page.locator("#panel .head button").click()
    expect(visit.page.locator("#panel h2")).to_have_text("Most like your picture")
    visit.wait(f"wwzd.viewer.highlights.clicked === {GUEST}")
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("#panel")).to_be_hidden()
    visit.wait("wwzd.viewer.highlights.clicked === -1")


def test_a_picture_is_searched_when_it_is_pasted_or_dropped_on_the_field(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    for kind, target in (("paste", "window"), ("drop", "document.getElementById('search-text')")):
        data = "clipboardData" if kind == "paste" else "dataTransfer"
        visit.page.evaluate(
            f"""(encoded) => {{
                const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
                const transfer = new DataTransfer();
                transfer.items.add(new File([bytes], "x.jpg", {{ type: "image/jpeg" }}));
                const event = new Event("{kind}", {{ bubbles: true, cancelable: true }});
                Object.defineProperty(event, "{data}", {{ value: transfer }});
                {target}.dispatchEvent(event);
            }}""",
            base64.b64encode(photograph(7)).decode(),
        )
        visit.wait(f"wwzd.viewer.highlights.clicked === {GUEST}", 60)
        expect(visit.page.locator("#panel h2")).to_have_text("Most like your picture")
        expect(visit.page.locator("#uploader")).to_be_hidden()
        visit.page.keyboard.press("Escape")
        expect(visit.page.locator("#panel")).to_be_hidden()


def test_a_link_to_a_search_lists_what_it_finds(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}&find=dog-")
    expect(visit.page.locator("#panel h2")).to_have_text("12 pictures found")
    expect(visit.page.locator("#search-text")).to_have_value("dog-")
    visit.page.locator("#panel .faces button").nth(2).click()
    expect(visit.page.locator("#panel h2")).to_have_text("dog-04.jpg")
    assert "find=dog-" in visit.page.url
    visit.page.reload()
    visit.wait_until_drawn()
    expect(visit.page.locator("#panel h2")).to_have_text("dog-04.jpg")
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("#panel h2")).to_have_text("12 pictures found")


def test_undoing_and_redoing_a_search_takes_its_list_along(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}")
    visit.page.fill("#search-text", "cat-")
    visit.page.press("#search-text", "Enter")
    expect(visit.page.locator("#panel .faces button")).to_have_count(12)
    visit.page.click("#undo")
    expect(visit.page.locator("#panel")).to_be_hidden()
    expect(visit.page.locator("#search-text")).to_have_value("")
    visit.page.click("#redo")
    expect(visit.page.locator("#panel .faces button")).to_have_count(12)
    expect(visit.page.locator("#search-text")).to_have_value("cat-")
