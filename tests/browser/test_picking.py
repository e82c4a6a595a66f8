"""What is picked is what is seen: pictures of one colour each, in every way to show them."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.browser.colours import COUNT, is_on_canvas, look, pick, seen, without_fading
from tests.support.chromium import Visit

CARD = 5e-4
"""Units that the card tells apart, some units away."""

AWAY = (5, 690)
"""Where the pointer rests and marks nothing."""


def orbit(visit: Visit) -> None:
    """As it is opened."""


def flat(visit: Visit) -> None:
    space(visit, "flat")


def flat_and_near(visit: Visit) -> None:
    space(visit, "flat")
    visit.page.mouse.move(430, 330)
    visit.page.mouse.wheel(0, -500)
    visit.rest()
    visit.page.mouse.move(*AWAY)


def flat_after_a_morph(visit: Visit) -> None:
    space(visit, "flat")
    other_layout(visit)


def flat_and_small(visit: Visit) -> None:
    space(visit, "flat")
    visit.page.evaluate("wwzd.viewer.setZoom(0.25)")


def flat_in_dots(visit: Visit) -> None:
    space(visit, "flat")
    pick(visit, "mode", "dots")


def flat_and_filtered(visit: Visit) -> None:
    space(visit, "flat")
    filtered(visit)


def flat_and_split(visit: Visit) -> None:
    space(visit, "flat")
    split(visit)


def flat_with_some_chosen(visit: Visit) -> None:
    space(visit, "flat")
    visit.page.evaluate(f"wwzd.viewer.rowStyles.choose(Array.from({{length: {COUNT // 3}}}, (_, row) => 3 * row))")


def turned(visit: Visit) -> None:
    visit.page.evaluate("wwzd.viewer.cameraController.set([1.6, 1.2, 1.9, 0.1, 0, 0])")


def near(visit: Visit) -> None:
    visit.page.evaluate("wwzd.viewer.cameraController.set([0.3, 0.2, 1.1, 0, 0, 0])")


def other_layout(visit: Visit) -> None:
    pick(visit, "reducer", "pca")
    visit.wait("wwzd.viewer.layoutView.reducer === 'pca' && !wwzd.viewer.layoutView.morph")


def filtered(visit: Visit) -> None:
    visit.page.evaluate(f"wwzd.viewer.rowStyles.filter(Uint8Array.from({{length: {COUNT}}}, (_, row) => row % 2))")


def split(visit: Visit) -> None:
    visit.page.evaluate("wwzd.viewer.layoutView.splitView('pca')")


def space(visit: Visit, name: str) -> None:
    pick(visit, "space", name)
    visit.rest()


WAYS = [
    orbit,
    turned,
    near,
    other_layout,
    filtered,
    split,
    flat,
    flat_and_near,
    flat_after_a_morph,
    flat_and_small,
    flat_in_dots,
    flat_and_filtered,
    flat_and_split,
    flat_with_some_chosen,
]


@pytest.mark.parametrize("way", WAYS)
def test_what_is_seen_is_picked(visit: Visit, way: Callable[[Visit], None]) -> None:
    visit.open()
    way(visit)
    visit.page.evaluate(
        "wwzd.viewer.cloud.shared.uChosen.value = false"
    )  # none stands back: their colours would be others
    without_fading(visit)
    image = look(visit)
    points = [
        (x, y)
        for x in range(30, 990, 9)
        for y in range(80, 600, 9)
        # At an edge, the pixel may be half of another one's.
        if len({seen(image, x + dx, y + dy) for dx, dy in ((0, 0), (-2, 0), (2, 0), (0, -2), (0, 2))} | {-1}) == 2
        and seen(image, x, y) >= 0
        and is_on_canvas(visit, x, y)
    ]
    assert len(points) >= 60
    found = visit.page.evaluate(f"{[list(point) for point in points]}.map(([x, y]) => wwzd.viewer.rowAt(x, y))")
    wrong = [
        (point, seen(image, *point), row)
        for point, row in zip(points, found, strict=True)
        if row != seen(image, *point) and not alike(visit, point, seen(image, *point), row)
    ]
    assert not wrong


def alike(visit: Visit, point: tuple[int, int], seen: int, found: int) -> bool:
    """Whether two pictures in space are as far away, as the card can tell."""
    if found < 0 or visit.page.evaluate("wwzd.viewer.flat.now"):
        return False
    pane = visit.page.evaluate(f"wwzd.viewer.paneAt({point[0]})")
    ends = [visit.page.evaluate(f"wwzd.viewer.positionOf({row}, {pane}).far") for row in (seen, found)]
    return bool(abs(ends[0] - ends[1]) < CARD)


def test_neighbours_that_stand_in_front_are_picked(visit: Visit) -> None:
    visit.open()
    without_fading(visit)
    visit.page.evaluate("wwzd.viewer.highlights.click(3, [10, 20, 30, 40, 50])")
    visit.rest()
    image = look(visit)
    for row in (3, 10, 20, 30, 40, 50):
        at = visit.page.evaluate(f"wwzd.viewer.positionOf({row})")
        covered = seen(image, at["x"], at["y"])
        assert covered < 0 or visit.page.evaluate(f"wwzd.viewer.rowAt({at['x']}, {at['y']})") == covered


def test_what_is_filtered_out_lies_behind(visit: Visit) -> None:
    visit.open()
    without_fading(visit)
    before = look(visit)
    shown = [row for row in range(COUNT) if is_seen(visit, before, row)][:60]
    assert len(shown) > 40
    # The nearest ones are filtered out: none of their dots lies over one that is left.
    visit.page.evaluate(
        f"wwzd.viewer.rowStyles.filter(Uint8Array.from({{length: {COUNT}}}, (_, row) => {shown}.includes(row)))"
    )
    visit.rest()
    image = np.asarray(look(visit)).astype(int)
    behind = 0
    for row in shown:
        at = visit.page.evaluate(f"wwzd.viewer.positionOf({row})")
        over = visit.page.evaluate(f"wwzd.viewer.rowAt({at['x']}, {at['y']})")
        if over < 0:
            continue
        behind += 1
        assert np.abs(image[int(at["y"]), int(at["x"])] - (44, 48, 56)).max() > 8, "a grey dot covers a picture"
    assert behind >= 5


def is_seen(visit: Visit, image: object, row: int) -> bool:
    at = visit.page.evaluate(f"wwzd.viewer.positionOf({row})")
    return seen(image, at["x"], at["y"]) == row  # type: ignore[arg-type]
