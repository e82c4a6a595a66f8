"""An upload that is looked at while UMAP lays it out."""

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.support.chromium import Visit
from tests.support.pictures import encode, zipped


@pytest.mark.timeout(900)  # it waits for longer than a test may take
def test_the_cloud_moves_until_it_rests(visit: Visit) -> None:
    """Three thousand pictures take umap-learn some seconds."""
    visit.open()
    visit.page.evaluate(
        """() => {
            window.moments = [];
            setInterval(() => {
                const { layoutView, collection } = wwzd.viewer;
                const rows = collection?.kind === "dataset" && layoutView.layouts[layoutView.reducer]?.rows;
                const last = window.moments.at(-1);
                if (rows && last?.rows !== rows) window.moments.push({ reducer: layoutView.reducer, rows });
            }, 20);
        }"""
    )
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (3000, 20, 16, 3), np.uint8)  # no two alike: copies are laid out once
    archive = zipped({f"{k:04d}.png": encode(Image.fromarray(pixels), "PNG") for k, pixels in enumerate(noise)})
    visit.page.set_input_files("#files", {"name": "forming.zip", "mimeType": "application/zip", "buffer": archive})
    visit.wait("wwzd.viewer.collection?.facts?.status === 'ready'", 400)
    visit.wait("wwzd.viewer.layoutView.reducer === 'umap' && !wwzd.viewer.layoutView.morph")
    moments = visit.page.evaluate("moments.map(({ reducer }) => reducer)")
    assert moments[0] == "pca"
    assert moments[-1] == "umap"
    assert moments.count("forming") >= 1
    # From one moment to the next less and less is left of the way.
    left = visit.page.evaluate(
        """() => {
            const end = moments.at(-1).rows;
            return moments.map(({ rows }) => rows.reduce((sum, x, at) => sum + Math.abs(x - end[at]), 0) / rows.length);
        }"""
    )
    assert left[-2] < left[0]
    assert "forming" not in visit.page.url
    expect(visit.page.locator("input[name=reducer][value=umap]")).to_be_checked()
