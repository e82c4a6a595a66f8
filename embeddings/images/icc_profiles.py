"""Primaries and a tone curve, as PNG, AVIF and BMP state them in numbers → an ICC profile, which says the same."""

import struct
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]
Chromaticities = tuple[float, float, float, float, float, float, float, float]
"""x and y of white, red, green and blue."""

_D65 = (0.3127, 0.3290)
SRGB_PRIMARIES: Chromaticities = (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
# ITU-T H.273, table 2.
_PRIMARIES: dict[int, Chromaticities] = {
    1: SRGB_PRIMARIES,
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
_POINTS = 4096
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_D50 = np.array([0.9642, 1.0, 0.8249])
_WHITE_NITS = 203.0
"""Of diffuse white in HDR pictures (ITU-R BT.2408)."""
_KNEE = 0.6


def of_gamma(gamma: float | None, chromaticities: Chromaticities | None) -> bytes:
    """The profile of values encoded by a power (`encoded = linear ** gamma`), or by sRGB's curve where it is None.

    Raises `ValueError` for numbers that describe no colours.
    """
    if gamma is not None and not 0.1 <= gamma <= 10:
        raise ValueError("a gamma out of all bounds")
    return _profile(chromaticities or SRGB_PRIMARIES, None if gamma is None else round(1 / gamma, 5))


def of_code_points(primaries: int, transfer: int) -> bytes:
    """The profile of ITU-T H.273's code points. HDR is brought into range: whites stay, what is brighter is bent.

    Raises `ValueError` for code points that say nothing.
    """
    if primaries not in _PRIMARIES or transfer not in _TRANSFERS:
        raise ValueError("unspecified or unknown code points")
    return _profile(_PRIMARIES[primaries], transfer)


@lru_cache(64)
def _profile(chromaticities: Chromaticities, curve: float | int | None) -> bytes:
    """`curve`: an exponent if it is a float, a code point of H.273 if it is an int, sRGB's if it is None."""
    encoded = np.linspace(0, 1, _POINTS)
    code_point = 13 if curve is None else curve
    linear = encoded**curve if isinstance(curve, float) else _TRANSFERS[int(code_point)](encoded)
    table = np.round(np.clip(linear, 0, 1) * 65535).astype(">u2").tobytes()
    matrix = _to_d50(chromaticities)
    tone = b"curv" + struct.pack(">II", 0, _POINTS) + table
    colours = [b"XYZ " + struct.pack(">I3i", 0, *(round(v * 65536) for v in column)) for column in matrix.T]
    white = b"XYZ " + struct.pack(">I3i", 0, *(round(v * 65536) for v in _D50))
    text = b"desc" + struct.pack(">II", 0, 5) + b"made\0" + bytes(78)
    parts = {b"desc": text, b"wtpt": white, b"rXYZ": colours[0], b"gXYZ": colours[1], b"bXYZ": colours[2]}
    start = 128 + 4 + 12 * 8
    directory, body = b"", b""
    for name, part in [*parts.items(), (b"rTRC", tone)]:
        directory += name + struct.pack(">II", start + len(body), len(part))
        body += part + bytes(-len(part) % 4)
    shared = struct.pack(">II", start + len(body) - len(tone) - (-len(tone) % 4), len(tone))
    directory += b"gTRC" + shared + b"bTRC" + shared
    header = struct.pack(">I4sI4s4s4s12s4s", start + len(body), bytes(4), 0x02400000, b"mntr", b"RGB ", b"XYZ ",
                         struct.pack(">6H", 2000, 1, 1, 0, 0, 0), b"acsp")  # fmt: skip
    header += bytes(28) + struct.pack(">3i", *(round(v * 65536) for v in _D50))
    return header.ljust(128, b"\0") + struct.pack(">I", 8) + directory + body


def _to_d50(chromaticities: Chromaticities) -> NDArray[np.float64]:
    """Linear RGB → XYZ under D50, the profile connection space. Raises `ValueError`."""
    xy = np.array(chromaticities).reshape(4, 2)
    if not (np.isfinite(xy).all() and (xy[:, 1] > 1e-3).all() and (np.abs(xy) < 2).all()):
        raise ValueError("chromaticities of no colour")
    xyz = np.stack([xy[:, 0] / xy[:, 1], np.ones(4), (1 - xy.sum(axis=1)) / xy[:, 1]])
    white, primaries = xyz[:, 0], xyz[:, 1:]
    try:
        matrix = primaries * np.linalg.solve(primaries, white)
        cone = (_BRADFORD @ _D50) / (_BRADFORD @ white)
        adapted = np.linalg.inv(_BRADFORD) @ np.diag(cone) @ _BRADFORD @ matrix
    except np.linalg.LinAlgError as error:
        raise ValueError("primaries on one line") from error
    if not np.isfinite(adapted).all() or np.abs(adapted).max() > 30_000:
        raise ValueError("chromaticities of no colour")
    return np.asarray(adapted)


def _bent(linear: Curve) -> Curve:
    """Diffuse white at 1 → into 0 … 1: as it is up to the knee, all that is brighter ever closer to 1."""
    over = np.maximum(linear - _KNEE, 0)
    return np.asarray(np.minimum(linear, _KNEE) + (1 - _KNEE) * (1 - np.exp(-over / (1 - _KNEE))))


def _pq(encoded: Curve) -> Curve:
    root = encoded ** (32 / 2523)
    nits = 10_000 * (np.maximum(root - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * root)) ** (16384 / 2610)
    return _bent(nits / _WHITE_NITS)


def _hlg(encoded: Curve) -> Curve:
    scene = np.where(encoded <= 0.5, encoded**2 / 3, (np.exp((encoded - 0.55991073) / 0.17883277) + 0.28466892) / 12)
    return _bent(scene**1.2 * (1000 / _WHITE_NITS))


def _bt709(encoded: Curve) -> Curve:
    return np.where(encoded < 0.081, encoded / 4.5, ((encoded + 0.099) / 1.099) ** (1 / 0.45))


def _srgb(encoded: Curve) -> Curve:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


# ITU-T H.273, table 3.
_TRANSFERS: dict[int, Callable[[Curve], Curve]] = {
    1: _bt709,
    4: lambda encoded: encoded**2.2,
    5: lambda encoded: encoded**2.8,
    6: _bt709,
    7: _bt709,
    8: lambda encoded: encoded,
    13: _srgb,
    14: _bt709,
    15: _bt709,
    16: _pq,
    17: lambda encoded: encoded**2.6 * (52.37 / 48),
    18: _hlg,
}
