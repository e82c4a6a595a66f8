"""All layouts on the page: made in the dialog, shown on a plane, kept in the address, measured, deleted."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_landmarks import opened
from tests.support.chromium import Visit
from tests.support.service import Service

SHOWN = "wwzd.viewer.layoutView.reducer"


def test_a_grid_is_made_shown_kept_in_the_address_and_deleted(visit: Visit, kinds: str) -> None:
    page = opened(visit, kinds).page
    page.click("#layouts-open")
    entries = page.locator(".layout-list li")
    expect(entries).to_have_count(2)
    page.select_option("#layout-kind", "grid")
    page.fill("input[name=aspect]", "1")
    page.locator(".layout-form button").click()
    expect(entries).to_have_count(3)
    grid = entries.last.locator(".show")
    expect(grid).to_be_enabled(timeout=60_000)
    grid.click()
    visit.wait(f"{SHOWN}.startsWith('grid-')")
    visit.rest()
    assert visit.page.evaluate("wwzd.viewer.flat.goal") == 1
    rows = visit.page.evaluate("Array.from(wwzd.viewer.layoutView.layouts[wwzd.viewer.layoutView.reducer].rows)")
    places = {tuple(round(value, 4) for value in rows[at : at + 3]) for at in range(0, len(rows), 3)}
    assert len(places) == len(rows) // 3
    assert {z for _, _, z in places} == {0}
    assert "view=grid-" in page.url
    page.reload()
    visit.rest()
    visit.wait(f"{SHOWN}.startsWith('grid-')")
    page.click("#layouts-open")
    entries.last.locator("button", has_text="trusted").click()
    expect(page.locator("#layouts [role=status]")).to_contain_text("Of the 10 nearest", timeout=60_000)
    entries.last.get_by_role("button", name="Delete").click()
    expect(entries).to_have_count(2)
    visit.wait(f"{SHOWN} === 'umap'")


def test_a_layout_is_supervised_by_a_field_which_is_told(visit: Visit, kinds: str) -> None:
    page = opened(visit, kinds).page
    page.click("#layouts-open")
    page.select_option("#layout-kind", "umap")
    weight = page.locator(".layout-form .row", has_text="weight of the field")
    expect(weight).to_be_hidden()
    offered = page.locator("select[name=target] option").evaluate_all("all => all.map((one) => one.value)")
    assert offered[0] == ""
    assert {"kind", "age", "cluster"} <= set(offered)
    page.select_option("select[name=target]", "kind")
    expect(weight).to_be_visible()
    page.fill("input[name=target_weight]", "0.8")
    page.locator(".layout-form button").click()
    entries = page.locator(".layout-list li")
    made = entries.filter(has_text="supervised by kind, weight of the field 0.8, its values as categories")
    expect(made.locator(".show")).to_be_enabled(timeout=60_000)
    made.locator("button", has_text="trusted").click()
    shown_status = page.locator("#layouts [role=status]")
    expect(shown_status).to_contain_text("It is supervised by “kind”", timeout=60_000)
    made.get_by_role("button", name="Delete").click()
    expect(entries).to_have_count(2)


def test_what_the_service_refuses_is_said(visit: Visit, kinds: str) -> None:
    page = opened(visit, kinds).page
    page.click("#layouts-open")
    page.select_option("#layout-kind", "tsne")
    page.eval_on_selector("input[name=perplexity]", "(one) => { one.max = ''; one.value = 900; }")
    page.locator(".layout-form button").click()
    expect(page.locator("#layouts [role=status]")).to_contain_text("“perplexity” is a number from 2 to 200")
    (noted,) = visit.problems  # the browser's own remark on it
    assert "400" in noted
    visit.problems.clear()


def trusted(visit: Visit, layout: str, button: str) -> None:
    """Ask how far a layout can be trusted, and press one of the buttons below the answer."""
    visit.page.click("#layouts-open")
    visit.page.locator(".layout-list li", has_text=layout).first.locator("button", has_text="trusted").click()
    visit.page.locator("#layouts [role=status]").get_by_role("button", name=button).click(timeout=60_000)
    expect(visit.page.locator("#layouts")).to_be_hidden()


def test_the_cloud_is_coloured_by_distortion_which_the_address_keeps(
    visit: Visit, kinds: str, service: Service
) -> None:
    page = opened(visit, kinds).page
    trusted(visit, "PCA", "Colour the cloud by it")
    visit.wait(f"{SHOWN} === 'pca'")
    expect(page.locator("#legend h2")).to_have_text("Distortion of PCA")
    expect(page.locator("#legend p").first).to_contain_text("strangers")
    distortions = service.get(f"/dataset/{kinds}/layouts/pca/distortion").json()["features"]
    shown = page.evaluate("Array.from(wwzd.columns().fetched.get('distortion:pca').numbers)")
    assert shown == pytest.approx([value for (value,) in distortions], abs=1e-5)
    bytes_of = "Array.from(wwzd.viewer.rowStyles.borders).join()"
    painted = page.evaluate(bytes_of)
    visit.wait("location.search.includes('colour=distortion%3Apca')")
    # Swept over, the ramp filters by it, and both are there again after a reload.
    page.evaluate("wwzd.view.filter('distortion:pca', [0.02, 1])")
    left = sum(value >= 0.02 for (value,) in distortions)
    assert 0 < left < len(distortions)
    expect(page.locator("#shown-count")).to_contain_text(f"{left} of {len(distortions)}")
    visit.open(page.url.removeprefix(visit.origin))
    expect(page.locator("#legend h2")).to_have_text("Distortion of PCA")
    expect(page.locator("#shown-count")).to_contain_text(f"{left} of {len(distortions)}")
    assert page.evaluate(bytes_of) == painted


def test_the_worst_placed_pictures_are_listed_and_marked(visit: Visit, kinds: str, service: Service) -> None:
    page = opened(visit, kinds).page
    trusted(visit, "UMAP", "List the worst placed")
    expect(page.locator("#panel h2")).to_have_text("Worst placed in UMAP")
    worst = service.get(f"/dataset/{kinds}/layouts/umap/quality").json()["worst"]
    names = [service.get(f"/dataset/{kinds}/images?offset={row}&limit=1").json()["images"][0]["name"] for row in worst]
    listed = page.locator("#panel .faces button").evaluate_all("all => all.map((one) => one.title)")
    assert listed[: len(worst)] == names
    assert len(listed) <= 60
    notes = [float(text) for text in page.locator("#panel .share").all_inner_texts()]
    assert notes == sorted(notes, reverse=True)
    assert set(worst) <= set(page.evaluate("[...wwzd.view.state.chosen]"))


def test_any_two_layouts_stand_side_by_side_and_the_address_keeps_them(visit: Visit, kinds: str) -> None:
    page = opened(visit, kinds).page
    page.click("#layouts-open")
    entries = page.locator(".layout-list li")
    page.select_option("#layout-kind", "grid")
    page.locator(".layout-form button").click()
    expect(entries.last.locator(".show")).to_be_enabled(timeout=60_000)
    entries.last.locator("button[aria-pressed][title*='Beside']").click()
    visit.wait("(wwzd.viewer.layoutView.split ?? '').startsWith('grid-')")
    expect(page.locator("#panes span").last).to_contain_text("Grid")
    visit.wait("location.search.includes('beside=grid-')")
    page.reload()
    visit.wait_until_drawn()
    visit.wait("(wwzd.viewer.layoutView.split ?? '').startsWith('grid-')")
    assert page.evaluate(SHOWN) == "umap"
    page.click("#layouts-open")
    entries.last.get_by_role("button", name="Delete").click()
    expect(entries).to_have_count(2)
    visit.wait("wwzd.viewer.layoutView.split === null")
