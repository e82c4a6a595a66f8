"""A real browser on the real page: headless Chromium that draws in software, and notes all that it complains about."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, expect, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]

expect.set_options(timeout=30_000)  # a busy machine takes longer than the five seconds that Playwright waits


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's own browser; a test that needs one is skipped where there is none."""
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"there is no browser: none of {', '.join(_NAMES)} is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


class Visit:
    """One page, and what was wrong with it."""

    def __init__(self, browser: Browser, origin: str, size: tuple[int, int] = (1000, 700), **context: Any) -> None:
        self.origin = origin
        self.problems: list[str] = []
        self.context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **context)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.on("request", lambda request: self._check(request.url))

    def open(self, address: str = "/", *, drawn: bool = True) -> "Visit":
        self.page.goto(self.origin + address)
        if drawn:
            self.wait_until_drawn()
        return self

    def wait_until_drawn(self) -> None:
        self.wait("performance.getEntriesByName('wwzd:tiles').length > 0")

    def wait(self, condition: str, seconds: float = 30) -> None:
        """Until a JavaScript expression holds. Playwright's own way needs `eval`, which the page's policy forbids."""
        deadline = time.monotonic() + seconds
        while not self.page.evaluate(condition):
            assert time.monotonic() < deadline, f"never so: {condition}; {self.problems}"
            self.page.wait_for_timeout(40)

    def rest(self, seconds: float = 30) -> None:
        """Until nothing moves any more."""
        deadline = time.monotonic() + seconds
        frames, still = -1, 0
        while still < 3:
            assert time.monotonic() < deadline, "the page draws without end"
            self.page.wait_for_timeout(150)
            now, asked = self.page.evaluate("[wwzd.viewer.facts.frames, Boolean(wwzd.viewer.frameRequest)]")
            still = still + 1 if now == frames and not asked else 0
            frames = now

    def close(self) -> None:
        """Leave, and complain of what the browser complained of."""
        self.context.close()
        assert self.problems == [], self.problems

    def _listen(self, said: ConsoleMessage) -> None:
        if said.type in {"error", "warning"}:
            self._note(f"{said.text} {said.location}")

    def _note(self, problem: str) -> None:
        # Chromium's own remark on drawing in software; and a catalogue whose features are not kept has no neighbours.
        if "GPU stall due to ReadPixels" not in problem and "/neighbors" not in problem:
            self.problems.append(problem)

    def _check(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in {"blob", "data"} and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.problems.append(f"asked another machine: {address}")


def press(visit: Visit, selector: str) -> None:
    """Press the mouse's button on the middle of an element, as the first half of a click."""
    element = visit.page.locator(selector)
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    assert box is not None
    visit.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    visit.page.mouse.down()


def hold(visit: Visit, address: re.Pattern[str]) -> Callable[[], None]:
    """Keep requests from the server → what lets them go on, those that wait and those that follow."""
    held: list[Route] = []
    released = False

    def take(route: Route) -> None:
        if released:
            route.continue_()
        else:
            held.append(route)

    def release() -> None:
        nonlocal released
        released = True
        for route in held:
            route.continue_()

    visit.page.route(address, take)
    return release
