"""ICC profiles made byte by byte, so that each one's right answer is known."""

import struct
from collections.abc import Sequence

_D50 = (0.9642, 1.0, 0.8249)
# Columns of red, green and blue under D50.
P3 = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
ADOBE = ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))
PROPHOTO = ((0.7977, 0.2880, 0.0), (0.1352, 0.7119, 0.0), (0.0313, 0.0001, 0.8249))
SRGB = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))


def rgb(columns: Sequence[Sequence[float]], gamma: float = 0.0) -> bytes:
    """A matrix profile; with sRGB's curve where `gamma` is 0."""
    curve = _srgb_curve() if gamma == 0 else _gamma(gamma)
    tags = {name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)}
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve))


def swapped() -> bytes:
    """sRGB with red and green exchanged."""
    return rgb((SRGB[1], SRGB[0], SRGB[2]))


def grey(gamma: float) -> bytes:
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": _gamma(gamma)})


def cmyk(corners: dict[tuple[int, int, int, int], tuple[float, float, float]]) -> bytes:
    """A press profile: L, a, b for some of the 16 corners of full and no ink; paper and black for the others."""
    table = bytearray()
    for c in (0, 1):
        for m in (0, 1):
            for y in (0, 1):
                for k in (0, 1):
                    light, a, b = corners.get((c, m, y, k), (0, 0, 0) if k else (100 - 25 * (c + m + y), 0, 0))
                    table += bytes([round(light * 2.55), round(a) + 128, round(b) + 128])
    identity = struct.pack(">9i", *(65536 * (k % 4 == 0) for k in range(9)))
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + bytes(range(256)) * 4 + table + bytes(range(256)) * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": lut, b"A2B1": lut})


def _profile(kind: bytes, model: bytes, space: bytes, tags: dict[bytes, bytes]) -> bytes:
    tags = {b"desc": b"desc" + struct.pack(">2I", 0, 5) + b"test\0" + bytes(78), b"wtpt": _xyz(_D50)} | tags
    directory, body = b"", b""
    for name, content in tags.items():
        directory += name + struct.pack(">2I", 132 + 12 * len(tags) + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    size = 132 + len(directory) + len(body)
    head = struct.pack(">I4xI4s4s4s", size, 0x02400000, kind, model, space) + struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
    head += b"acsp" + bytes(28) + struct.pack(">3i", *(round(65536 * value) for value in _D50))
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + directory + body


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ " + struct.pack(">I3i", 0, *(round(65536 * value) for value in values))


def _gamma(gamma: float) -> bytes:
    return b"curv" + struct.pack(">2IH", 0, 1, round(256 * gamma))


def _srgb_curve() -> bytes:
    encoded = [k / 1023 for k in range(1024)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in encoded]
    return b"curv" + struct.pack(">2I1024H", 0, 1024, *(round(65535 * v) for v in linear))
