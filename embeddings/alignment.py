"""Two layouts of the same pictures → the rigid motion that brings the one as near to the other as it can (Procrustes).

Distances within a layout stay what they are: it is turned, mirrored and moved, never scaled.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from .vector_files import Vectors


@dataclass(frozen=True, kw_only=True)
class RigidMotion:
    """x → x · turn + shift."""

    turn: NDArray[np.float32]
    """`(d, d)`, orthogonal."""
    shift: NDArray[np.float32]
    """`(d,)`"""

    @classmethod
    def onto(cls, moving: Vectors, fixed: Vectors, *, keep_origin: bool = False) -> Self:
        """Of `(n, d)` rows onto as many others, by least squares; `keep_origin`: a turn about the origin alone."""
        from scipy.linalg import orthogonal_procrustes

        moving, fixed = moving.astype(np.float64), fixed.astype(np.float64)
        width = moving.shape[1]
        centres = (np.zeros(width), np.zeros(width)) if keep_origin else (moving.mean(axis=0), fixed.mean(axis=0))
        turn, _ = orthogonal_procrustes(moving - centres[0], fixed - centres[1])
        return cls(turn=turn.astype(np.float32), shift=(centres[1] - centres[0] @ turn).astype(np.float32))

    def __call__(self, places: Vectors) -> Vectors:
        moved: Vectors = (places @ self.turn + self.shift).astype(np.float32)
        return moved
