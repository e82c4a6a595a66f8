"""What colour management and the checks before decoding add to ordinary JPEGs: `python -m benchmarks.colour`.

Each row alternates the two ways, so that a busy machine slows both down alike; its figure is the median of the ratios.
"""

import io
import json
import statistics
import time
from collections.abc import Callable, Iterable

import numpy as np
import simplejpeg
from PIL import Image, ImageCms

from datasets.pictures.decoding_revision import decoding_revision
from datasets.pictures.image_stats import ImageStats
from datasets.pictures.zip_archive import Archive, Limits
from datasets.tilemaps.layout import tile
from embeddings.backbones import BACKBONES
from embeddings.images.decoding import Picture, crop, decode_picture
from tests.support import profiles
from tests.support.pictures import zipped

from . import inputs

REPEATS = 15
_NETWORK = BACKBONES["resnet50"]


def main() -> None:
    portraits, photographs = inputs.portraits(300), inputs.photographs(24)
    for what, files in (("300 portraits", portraits), ("24 photographs of 12 megapixels", photographs)):
        plain = list(files.values())
        report(f"{what}: decode, tile and crop, beside the bare decoder", plain, plain, bare, ours)
        for name, profile in (("sRGB", _srgb()), ("Display P3", profiles.rgb(profiles.P3))):
            report(f"{what} with a profile, {name}, beside none", plain, with_profile(plain, profile), ours, ours)
    archive = Archive(io.BytesIO(zipped(portraits)), Limits())
    started = time.perf_counter()
    decoding_revision(archive)
    print(json.dumps({"what": "looking for profiles in 300 portraits' heads, ms", "ours": _ms(started)}))


def report(
    what: str, first: list[bytes], second: list[bytes], one: Callable[[bytes], None], other: Callable[[bytes], None]
) -> None:
    ratios, times = [], []
    for _ in range(REPEATS):
        before, after = _timed(one, first), _timed(other, second)
        ratios.append(after / before)
        times.append(after)
    share = statistics.median(ratios) - 1
    print(json.dumps({"what": what, "added": f"{share:+.1%}", "ms": round(statistics.median(times) * 1e3)}), flush=True)


def bare(data: bytes) -> None:
    """As before there were profiles: libjpeg, EXIF, then the same tile, crop and facts."""
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        image.getexif().get(0x0112)
        least = _NETWORK.resize if min(image.size) >= _NETWORK.resize else 0
        rgb = np.ascontiguousarray(simplejpeg.decode_jpeg(data, "RGB", min_height=least, min_width=least))
        picture = Picture(rgb=rgb, width=image.width, height=image.height, media_type="image/jpeg")
    use(data, picture)


def ours(data: bytes) -> None:
    use(data, decode_picture(data, min_side=_NETWORK.resize, max_pixels=10**8))


def use(data: bytes, picture: Picture) -> None:
    small = tile(picture.rgb)
    crop(picture.rgb, resize=_NETWORK.resize, side=_NETWORK.side)
    ImageStats.of(data, picture, small)


def with_profile(files: Iterable[bytes], profile: bytes) -> list[bytes]:
    """The same coded pictures, with a profile in their headers."""
    content = b"ICC_PROFILE\0\1\1" + profile
    segment = b"\xff\xe2" + (len(content) + 2).to_bytes(2, "big") + content
    return [file[:2] + segment + file[2:] for file in files]


def _srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _timed(work: Callable[[bytes], None], files: list[bytes]) -> float:
    started = time.perf_counter()
    for file in files:
        work(file)
    return time.perf_counter() - started


def _ms(started: float) -> float:
    return round((time.perf_counter() - started) * 1e3, 1)


if __name__ == "__main__":
    main()
