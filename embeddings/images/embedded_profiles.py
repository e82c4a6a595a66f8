"""An opened picture → the ICC profile of its colours, wherever its format keeps it, or the profile of its numbers."""

import struct

from PIL import Image

from . import icc_profiles

_HEAD = 2**16
"""Bytes in which the boxes of ISO formats and JPEG 2000 are looked for."""
_BMP_V5, _BMP_V4 = 124, 108
_TRANSFERS_OF_SRGB = {1, 6, 14, 15}
"""Transfer characteristics of video: AVIF's encoders state them for sRGB's pictures, and screens show both alike."""


def profile_of(image: Image.Image, data: bytes) -> bytes | None:
    """Of any format but PNG; None where nothing is said, or it cannot be understood."""
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes) and profile:
        return profile
    try:
        if image.format in {"AVIF", "HEIF", "JPEG2000"}:
            return of_boxes(data, image.format)
        if image.format == "BMP":
            return of_bmp(data)
    except (struct.error, ValueError, IndexError):
        pass
    return None


def of_boxes(data: bytes, form: str) -> bytes | None:
    """What the first `colr` box of an AVIF, HEIF or JPEG 2000 holds, or stands for. Raises as `struct` does."""
    offset = data.find(b"colr", 0, _HEAD)
    if offset < 4:
        return None
    (length,) = struct.unpack_from(">I", data, offset - 4)
    if form == "JPEG2000":  # ISO/IEC 15444-1: method 2 (or 3, of JPX) is an ICC profile
        return data[offset + 7 : offset - 4 + length] if data[offset + 4] in (2, 3) else None
    if data[offset + 4 : offset + 8] in (b"prof", b"rICC"):
        return data[offset + 8 : offset - 4 + length]
    return _of_nclx(data)


def _of_nclx(data: bytes) -> bytes | None:
    """ISO/IEC 23008-12: a `colr` box of type `nclx` holds ITU-T H.273's code points."""
    offset = data.find(b"colrnclx", 0, _HEAD)
    if offset < 0:
        return None
    primaries, transfer = struct.unpack_from(">2H", data, offset + 8)
    # What is left open means sRGB (ISO/IEC 23000-22, 7.3.6.4).
    primaries = 1 if primaries == 2 else primaries
    transfer = 13 if transfer == 2 or transfer in _TRANSFERS_OF_SRGB else transfer
    return icc_profiles.of_code_points(primaries, transfer)


def of_bmp(data: bytes) -> bytes | None:
    """Version 4 and 5 headers: calibrated primaries and gammas, or an embedded profile."""
    (size,) = struct.unpack_from("<I", data, 14)
    if size < _BMP_V4:
        return None
    (kind,) = struct.unpack_from("<I", data, 14 + 56)
    if kind == int.from_bytes(b"MBED", "big") and size >= _BMP_V5:
        offset, length = struct.unpack_from("<2I", data, 14 + 112)
        return data[14 + offset : 14 + offset + length]
    if kind == 0:  # calibrated: XYZ of red, green and blue as 2.30 numbers, then gammas as 16.16
        ends = [value / 2**30 for value in struct.unpack_from("<9I", data, 14 + 60)]
        gammas = [value / 2**16 for value in struct.unpack_from("<3I", data, 14 + 96)]
        if min(gammas) > 0 and all(sum(ends[k : k + 3]) > 0 for k in (0, 3, 6)):
            red, green, blue = (
                tuple(value / sum(ends[k : k + 3]) for value in ends[k : k + 2]) for k in (0, 3, 6)
            )  # fmt: skip
            white = [sum(ends[k::3]) for k in range(3)]
            about = (white[0] / sum(white), white[1] / sum(white), *red, *green, *blue)
            return icc_profiles.of_gamma(1 / (sum(gammas) / 3), about)
    return None
