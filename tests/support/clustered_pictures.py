"""Pictures of three kinds that are told apart at a glance, and a table that says which kind each is of."""

import io

import numpy as np
from PIL import Image

from tests.support.pictures import encode, photograph

KINDS = ("garden", "meadow", "wood")


def pictures(each: int = 24) -> dict[str, bytes]:
    """Three photographs in many lights and cuts: what is of one photograph is alike."""
    random = np.random.default_rng(0)
    files = {}
    for number, kind in enumerate(KINDS):
        with Image.open(io.BytesIO(photograph(50 + number, (160, 160)))) as image:
            for k in range(each):
                left, top = random.integers(0, 24, 2)
                light = np.asarray(image.crop((left, top, left + 128, top + 128))) * random.uniform(0.8, 1.1)
                files[f"{kind}-{k:02d}.jpg"] = encode(Image.fromarray(light.clip(0, 255).astype(np.uint8)), "JPEG")
    return files


FILES = pictures()
"""By name."""
TABLE = "file,kind,age\n" + "".join(f"{name},{name.split('-')[0]},{k % 40}\n" for k, name in enumerate(FILES))
