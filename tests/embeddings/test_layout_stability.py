"""How much of a layout is chance."""

import numpy as np
import pytest

from embeddings.layout_stability import stability


def test_it_is_the_share_of_neighbours_that_stay() -> None:
    random = np.random.default_rng(0)
    places = random.normal(size=(400, 3)).astype(np.float32)
    turned = places @ np.linalg.qr(random.normal(size=(3, 3)))[0].astype(np.float32) * 2 + 5
    assert stability(places, [turned.astype(np.float32)]) == pytest.approx(1, abs=1e-3)
    other = random.normal(size=(400, 3)).astype(np.float32)
    assert stability(places, [other]) == pytest.approx(10 / 399, abs=0.01)
    assert stability(places, [places, other]) == pytest.approx((1 + stability(places, [other])) / 2)


@pytest.mark.parametrize("count", [3, 30])
def test_pictures_in_one_place_are_neighbours(count: int) -> None:
    places = np.zeros((count, 2), np.float32)
    assert 0 < stability(places, [places]) <= 1
