"""Pictures that are added to the collection on the page."""

import numpy as np
from playwright.sync_api import expect

from tests.support.chromium import Visit
from tests.support.clustered_pictures import FILES
from tests.support.pictures import zipped
from tests.support.service import Service


def chosen(*names: str) -> list[dict[str, object]]:
    return [{"name": name, "mimeType": "image/jpeg", "buffer": FILES[name]} for name in names]


def test_pictures_are_added_to_what_is_shown(visit: Visit, service: Service) -> None:
    old = {name: data for name, data in FILES.items() if name.startswith("garden-")}
    answer = service.upload(zipped(dict(list(old.items())[:20])), "garden.zip")
    parent = answer.body.decode()
    visit.open(f"/?dataset={parent}")
    visit.page.click("#add")
    into = visit.page.get_by_label("Add to “garden.zip”")
    expect(into).not_to_be_checked()
    into.check()
    visit.page.set_input_files("#files", chosen("garden-22.jpg", "wood-01.jpg"))  # type: ignore[arg-type]
    visit.wait(f"wwzd.viewer.collection?.facts?.parent === '{parent}'", 120)
    expect(visit.page.locator("#collection-count")).to_have_text("22")
    expect(visit.page.locator("#notices")).to_contain_text("1 of them is far from all that was there.")
    visit.page.get_by_role("button", name="Show only these").click()
    visit.wait("wwzd.view.state.filters.get('outside')?.has('true')")
    visit.wait("wwzd.viewer.rowStyles.skip.filter((skip) => !skip).length === 1")
    grown = visit.page.evaluate("wwzd.viewer.collection.id")
    for reducer in ("pca", "umap"):
        before, after = (
            np.array(service.get(f"/dataset/{dataset}/features/{reducer}").json()["features"])
            for dataset in (parent, grown)
        )
        assert np.array_equal(after[:20], before)

    # What was made so can grow on, and be laid out anew, from what is told of it.
    visit.page.keyboard.press("Escape")
    visit.page.click("#collection")
    visit.page.locator("#collections [aria-label='About this collection: garden.zip']").first.click()
    visit.page.click("#add-pictures")
    expect(visit.page.get_by_label("Add to “garden.zip”")).to_be_checked()
    visit.page.keyboard.press("Escape")
    visit.page.click("#collection")
    visit.page.locator("#collections [aria-label='About this collection: garden.zip']").first.click()
    visit.page.click("#refit")
    visit.wait(f"wwzd.viewer.collection?.facts?.parent === '{grown}'", 120)
    visit.wait("wwzd.viewer.collection.facts.status === 'ready'", 120)
    expect(visit.page.locator("#collection-count")).to_have_text("22")


def test_what_cannot_be_taken_leaves_the_collection_chosen_that_is_added_to(visit: Visit, service: Service) -> None:
    woods = {name: data for name, data in FILES.items() if name.startswith("wood-")}
    parent = service.upload(zipped(dict(list(woods.items())[:4])), "woods.zip").body.decode()
    visit.open(f"/?dataset={parent}")
    visit.page.click("#add")
    into = visit.page.get_by_label("Add to “woods.zip”")
    into.check()
    visit.page.set_input_files("#files", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"})
    expect(visit.page.locator("#uploader [role=alert]")).to_have_text("There is no picture among these files.")
    expect(into).to_be_checked()
    visit.page.set_input_files("#files", chosen("garden-02.jpg", "garden-03.jpg"))  # type: ignore[arg-type]
    visit.wait(f"wwzd.viewer.collection?.facts?.parent === '{parent}'", 120)
    expect(visit.page.locator("#collection-count")).to_have_text("6")
    # A new beginning asks anew.
    visit.page.reload()
    visit.wait_until_drawn()
    visit.page.click("#add")
    visit.page.get_by_label("Add to “").check()
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("#uploader")).to_be_hidden()
    visit.page.click("#add")
    expect(visit.page.get_by_label("Add to “")).not_to_be_checked()
