"""A picture's ICC profile → its pixels in sRGB, by the relative colorimetric intent."""

import hashlib
import io
import threading
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms

_LARGEST_PROFILE = 4 * 2**20
_KEPT = 64
_CLASSES = {"mntr", "scnr", "prtr", "spac"}
_MODEL_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""A profile's colour model → Pillow's mode for it."""
_GREY_MODES = {"1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"}
_ALIKE = 3
"""Levels of 255 by which a profile may differ from sRGB and be taken for it: its makers' roundings differ by 2."""


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """From one profile's colours to sRGB's."""

    mode: str
    """Pillow's mode that it takes: `RGB`, `L` or `CMYK`."""
    transform: ImageCms.ImageCmsTransform
    """LittleCMS keeps its cache on the stack of the call, so threads may share it."""

    def apply(self, image: Image.Image) -> Image.Image:
        """An 8-bit picture (`RGB`, `RGBA`, `L`, `CMYK`) → `RGB`, or `RGBA` with its transparency as it was."""
        if self.mode == "L" and image.mode != "L":
            colours = image.getchannel(0)
        else:
            colours = image if image.mode == self.mode else image.convert(self.mode)
        converted = ImageCms.applyTransform(colours, self.transform)
        assert converted is not None  # it is None for changes in place
        if image.mode == "RGBA":
            converted.putalpha(image.getchannel("A"))
        return converted


_lock = threading.Lock()
_known: dict[bytes, Conversion | None] = {}


def conversion(profile: bytes | None, mode: str) -> Conversion | None:
    """How a picture of this Pillow mode comes to sRGB.

    None where there is nothing to do, or to be done: without a profile, with sRGB's or one that hardly differs from it,
    with one that is damaged, or made for another kind of picture.
    """
    if not profile or len(profile) > _LARGEST_PROFILE:
        return None
    key = hashlib.blake2b(profile, digest_size=16).digest()
    try:
        found = _known[key]
    except KeyError:
        found = _made(profile)
        with _lock:
            if len(_known) >= _KEPT:
                _known.clear()
            _known[key] = found
    if found is None or mode == "LAB":  # Pillow knows what LAB is
        return None
    if found.mode == "RGB":
        return None if mode == "CMYK" else found
    fits = mode in _GREY_MODES if found.mode == "L" else mode == "CMYK"
    return found if fits else None


def _made(profile: bytes) -> Conversion | None:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _MODEL_MODES[source.profile.xcolor_space.strip()]
        if source.profile.device_class.strip() not in _CLASSES:
            return None
        transform = ImageCms.buildTransform(
            source, ImageCms.createProfile("sRGB"), mode, "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC
        )
        made = Conversion(mode=mode, transform=transform)
        return None if mode != "CMYK" and _changes_little(made) else made
    except Exception:  # foreign bytes make LittleCMS and Pillow fail in many ways, and none may cost the picture
        return None


def _changes_little(conversion: Conversion) -> bool:
    probe = _PROBE.convert(conversion.mode)
    before, after = np.asarray(probe.convert("RGB"), np.int16), np.asarray(conversion.apply(probe), np.int16)
    return bool(np.abs(after - before).max() <= _ALIKE)


def _probe() -> Image.Image:
    """Every grey, and colours from all over the cube."""
    levels = np.arange(0, 256, 17).astype(np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    return Image.fromarray(np.concatenate([cube, greys])[None])


_PROBE = _probe()
