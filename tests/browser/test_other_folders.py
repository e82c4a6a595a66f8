"""Folders that other programs wrote, and vectors that come with the pictures, sent from the page."""

import io

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from tests.browser.colours import SHAPE, look, place, seen, without_fading
from tests.support.chromium import Visit
from tests.support.pictures import colour, encode, zipped

COUNT = 20
COLOURS = [7 * row for row in range(COUNT)]
VECTORS = np.random.default_rng(3).normal(size=(COUNT, 6)).astype(np.float32)


def sent(visit: Visit, files: dict[str, bytes]) -> str:
    """The id of what the page sends and shows."""
    visit.open()
    archive = zipped(files)
    visit.page.set_input_files("#files", {"name": "folder.zip", "mimeType": "application/zip", "buffer": archive})
    visit.wait(
        "wwzd.viewer.collection?.kind === 'dataset' && performance.getEntriesByName('wwzd:tiles').length > 1", 120
    )
    visit.wait("wwzd.viewer.collection.facts.status === 'ready' && !wwzd.viewer.layoutView.morph", 120)
    expect(visit.page.locator("#collection-count")).to_have_text(str(COUNT))
    return str(visit.page.evaluate("wwzd.viewer.collection.id"))


def shows_colours(visit: Visit) -> bool:
    """Whether pictures are seen where they lie, each with its own colour."""
    without_fading(visit)
    image = look(visit)
    return sum(seen(image, *place(visit, row)) == COLOURS[row] for row in range(COUNT)) >= 5


def features(visit: Visit, dataset_id: str) -> np.ndarray:
    answer = visit.page.request.get(f"{visit.origin}/dataset/{dataset_id}/features/network?format=npy")
    found: np.ndarray = np.load(io.BytesIO(answer.body()))
    return found


def test_the_embedding_projectors_folder_becomes_a_cloud_of_its_cells(visit: Visit) -> None:
    side = 5
    width, height = SHAPE
    sprite = Image.new("RGB", (side * width, side * height), "white")
    for row, number in enumerate(COLOURS):
        down, right = divmod(row, side)
        box = (right * width, down * height, (right + 1) * width, (down + 1) * height)
        sprite.paste(colour(number), box)
    config = (
        'embeddings { tensor_path: "tensors.tsv" metadata_path: "metadata.tsv" sprite { image_path: "sprite.png" '
        f"single_image_dim: {width} single_image_dim: {height} }} }}"
    )
    files = {
        "projector_config.pbtxt": config.encode(),
        "tensors.tsv": "\n".join("\t".join(map(repr, row)) for row in VECTORS.tolist()).encode(),
        "metadata.tsv": "\n".join(["name\tkind", *(f"cell {row:02d}\tk{row % 3}" for row in range(COUNT))]).encode(),
        "sprite.png": encode(sprite, "PNG"),
    }
    dataset_id = sent(visit, files)
    assert np.array_equal(features(visit, dataset_id), VECTORS)
    assert shows_colours(visit)
    visit.open(f"/?dataset={dataset_id}&picture=4")
    expect(visit.page.locator("#panel h2")).to_contain_text("cell 04")
    expect(visit.page.locator("#panel")).to_contain_text("k1")


def test_vectors_beside_the_pictures_place_them(visit: Visit) -> None:
    pictures = {f"{row:02d}.png": encode(Image.new("RGB", SHAPE, colour(COLOURS[row])), "PNG") for row in range(COUNT)}
    file = io.BytesIO()
    np.save(file, VECTORS)
    dataset_id = sent(visit, pictures | {"vectors.npy": file.getvalue()})
    assert np.array_equal(features(visit, dataset_id), VECTORS)
    assert shows_colours(visit)
