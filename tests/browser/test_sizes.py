"""Telephones, tablets, a page on its side, 200 %: everything inside the page, one thing over another nowhere."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.chromium import Visit

PHONE, TABLET = (375, 740), (768, 1024)
SIDE, ZOOMED = (740, 360), (640, 400)
NARROW = [{"size": size, "locale": locale} for size in (PHONE, SIDE, ZOOMED) for locale in ("en-US", "pl-PL")]
ODD = [*NARROW, *({"size": TABLET, "locale": locale} for locale in ("en-US", "pl-PL"))]

INSIDE = """(selector) => [...document.querySelectorAll(selector)].filter((one) => {
  const { left, top, right, bottom, width } = one.getBoundingClientRect();
  return width && (left < 0 || top < 0 || right > innerWidth + 0.5 || bottom > innerHeight + 0.5);
}).map((one) => one.id || one.textContent.trim())"""
ON_TOP = """(selector) => {
  const one = document.querySelector(selector);
  const { left, top, width, height } = one.getBoundingClientRect();
  return [[0.1, 0.1], [0.9, 0.1], [0.5, 0.5], [0.1, 0.9], [0.9, 0.9]].every(([x, y]) =>
    one.contains(document.elementFromPoint(left + x * width, top + y * height)));
}"""


def outside(visit: Visit, selector: str) -> Any:
    return visit.page.evaluate(INSIDE, selector)


def on_top(visit: Visit, selector: str) -> bool:
    return bool(visit.page.evaluate(ON_TOP, selector))


@pytest.mark.parametrize("visit", ODD, indirect=True, ids=str)
def test_bars_and_chips_lie_inside_the_page(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}&is.kind=cat&colour=kind")
    expect(visit.page.locator("#legend")).to_be_visible()
    if visit.page.is_visible("#menu"):
        visit.page.click("#menu")
    assert outside(visit, "#bar > *, #tools, #tools > *, #tools label, #shown > *, #shown button, #legend") == []
    lines = visit.page.evaluate("getComputedStyle(document.getElementById('add')).whiteSpace")
    assert lines == "nowrap"
    name = visit.page.evaluate("document.getElementById('collection-name').offsetWidth")
    assert name > 50, "the collection's name has no room"
    visit.page.click("#menu") if visit.page.is_visible("#menu") else None
    for part in ("#tools", "#legend"):
        assert on_top(visit, part), part


@pytest.mark.parametrize("visit", NARROW, indirect=True, ids=str)
def test_where_there_is_little_room_one_panel_is_open(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}&picture=3&open=filters")
    panel, filters = visit.page.locator("#panel"), visit.page.locator("#filters")
    expect(filters).to_be_visible()
    expect(panel).to_be_hidden()
    assert on_top(visit, "#filters")
    filters.locator(".head button").click()
    expect(filters).to_be_hidden()
    expect(panel).to_be_visible()
    assert on_top(visit, "#panel")
    visit.page.click("#filters-open")
    expect(panel).to_be_hidden()
    filters.locator(".foot button").first.click()
    expect(filters).to_be_hidden()
    expect(panel.locator(".faces button")).to_have_count(24)
    visit.page.click("#filters-open")
    visit.page.fill("#search-text", "cat-")
    visit.page.press("#search-text", "Enter")
    expect(filters).to_be_hidden()
    expect(panel.locator(".faces button")).to_have_count(12)
    assert outside(visit, "#panel, #tools") == []


@pytest.mark.parametrize("visit", [{"size": size} for size in (SIDE, ZOOMED, TABLET)], indirect=True, ids=str)
def test_settings_lie_over_the_panel(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}&picture=3")
    expect(visit.page.locator("#panel")).to_be_visible()
    visit.page.click("#tune")
    assert on_top(visit, "#settings")
    assert outside(visit, "#settings") == []


def test_a_link_does_not_draw_a_ring_around_its_filters(visit: Visit, upload: str) -> None:
    visit.open(f"/?dataset={upload}&open=filters")
    expect(visit.page.locator("#filters")).to_be_visible()
    assert visit.page.evaluate("document.activeElement.id") != "filters"
    visit.page.click("#filters-open")
    visit.page.click("#filters-open")
    assert visit.page.evaluate("document.activeElement.id") == "filters"
