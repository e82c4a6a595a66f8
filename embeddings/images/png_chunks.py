"""PNG bytes → the same picture without what Pillow stumbles over, and what its chunks say of its colours."""

import struct
import zlib
from dataclasses import dataclass

from . import icc_profiles
from .errors import SlowImage

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_NEEDED = {b"tRNS", b"eXIf"}
"""Chunks that decide how the picture looks, beside the critical ones and those that are read here."""
_COLOUR = {b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"}
_LARGEST_PROFILE = 4 * 2**20
_MOST_CHUNKS = 200_000
_GAMMA_OF_SRGB = (45_000, 46_000)
"""Values of gAMA that writers mean sRGB's curve by, which is no power."""


@dataclass(frozen=True, kw_only=True)
class Png:
    """A PNG as it can be given to Pillow."""

    data: bytes
    """The file itself where nothing was in the way."""
    colour: dict[bytes, bytes]
    """Sound chunks that tell of colours, by their type."""

    def profile(self) -> bytes | None:
        """The ICC profile of its colours: by cICP, else iCCP, else sRGB, else gAMA and cHRM, as PNG 3 says."""
        if (code_points := self.colour.get(b"cICP")) and len(code_points) == 4 and not code_points[2]:
            try:
                return icc_profiles.of_code_points(code_points[0], code_points[1])
            except ValueError:
                pass
        if (packed := self.colour.get(b"iCCP")) and (profile := _unpacked(packed)):
            return profile
        if b"sRGB" in self.colour or not self.colour.keys() & {b"gAMA", b"cHRM"}:
            return None
        return self._calibrated()

    def _calibrated(self) -> bytes | None:
        gamma, chromaticities = None, None
        try:
            if b"gAMA" in self.colour:
                (value,) = struct.unpack(">I", self.colour[b"gAMA"])
                gamma = None if _GAMMA_OF_SRGB[0] <= value <= _GAMMA_OF_SRGB[1] else value / 100_000
            if b"cHRM" in self.colour:
                chromaticities = tuple(value / 100_000 for value in struct.unpack(">8I", self.colour[b"cHRM"]))
            return icc_profiles.of_gamma(gamma, chromaticities)
        except (struct.error, ValueError):
            return None


def read_png(data: bytes) -> Png:
    """Walk through the chunks, and leave out those that do not decide how the picture looks, or are damaged.

    Pillow gives up on a wrong checksum or a long text, which browsers pass over. What is wrong with a critical chunk is
    left for it to find. Raises `SlowImage`.
    """
    colour: dict[bytes, bytes] = {}
    kept: list[bytes] = [SIGNATURE]
    in_the_way = False
    offset = len(SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        length, kind = int.from_bytes(data[offset : offset + 4], "big"), data[offset + 4 : offset + 8]
        end = offset + 12 + length
        if len(kind) < 4 or end > len(data):
            kept.append(data[offset:])
            break
        is_needed = kind in _NEEDED
        if kind[:1].islower():  # ancillary
            is_sound = zlib.crc32(data[offset + 4 : end - 4]) == int.from_bytes(data[end - 4 : end], "big")
            if is_sound and kind in _COLOUR:
                colour.setdefault(kind, data[offset + 8 : end - 4])
            is_needed &= is_sound
        else:
            is_needed = True
        if is_needed:
            kept.append(data[offset:end])
        in_the_way |= not is_needed
        offset = end
        if kind == b"IEND":
            break
    else:
        raise SlowImage(f"it takes too long to decode: it is cut into more than {_MOST_CHUNKS} chunks")
    return Png(data=b"".join(kept) if in_the_way else data, colour=colour)


def _unpacked(chunk: bytes) -> bytes | None:
    """The profile in an iCCP chunk: name, zero, method, zlib stream."""
    _, _, packed = chunk.partition(b"\0")
    inflate = zlib.decompressobj()
    try:
        profile = inflate.decompress(packed[1:], _LARGEST_PROFILE)
    except zlib.error:
        return None
    return profile if inflate.eof else None
