"""`images.parquet` says what is wrong with a picture."""

import io

import pyarrow.parquet as pq

from datasets.collection import image_table
from datasets.pictures.image_stats import ImageStats, as_columns


def stats(**differences: object) -> ImageStats:
    common = {"width": 178, "height": 218, "size": 1, "media_type": "image/jpeg", "tile_width": 39, "tile_height": 48}
    seen = {"digest": "00" * 16, "fingerprint": "00" * 8, "sharpness": 0.5, "contrast": 40.0}
    return ImageStats(**(common | seen | differences))  # type: ignore[arg-type]


def written(known: dict[str, list[object]], count: int) -> list[list[str] | None]:
    file = io.BytesIO()
    names = [f"{row}.jpg" for row in range(count)]
    image_table.write(file, names, stats=known, members=[None] * count, metadata=())
    found: list[list[str] | None] = pq.read_table(file).column("quality").to_pylist()
    return found


def test_the_remarks_of_the_report_are_a_column() -> None:
    pictures = [stats(), stats(contrast=1.0), stats(sharpness=0.0), stats(width=20, truncated=True)]
    assert written(as_columns(pictures), 4) == [[], ["blank"], ["blurry"], ["truncated", "too_small"]]


def test_where_too_little_is_known_there_is_none() -> None:
    known = as_columns([stats(), stats()])
    known["contrast"][1] = None
    assert written(known, 2) == [[], None]
    assert written({}, 1) == [None]
