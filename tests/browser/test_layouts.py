"""All layouts on the page: made in the dialog, shown on a plane, kept in the address, measured, deleted."""

from playwright.sync_api import expect

from tests.browser.test_landmarks import kinds, opened
from tests.support.chromium import Visit

__all__ = ["kinds"]

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
