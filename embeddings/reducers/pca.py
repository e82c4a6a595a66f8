"""PCA: the first three principal coordinates of standardised features."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from embeddings.alignment import RigidMotion
from embeddings.extractors import Features
from embeddings.principal_axes import Standardizer
from embeddings.vector_files import Vectors

from .base import (
    STANDARDIZER_ARRAYS,
    first_three_columns,
    first_three_shares,
    load_arrays,
    save_arrays,
    standardizer_arrays,
    standardizer_of,
)
from .snapshots import OnMove


@dataclass(frozen=True, kw_only=True)
class Pca:
    """The first three principal coordinates."""

    name: ClassVar[str] = "pca"
    standardizer: Standardizer

    @classmethod
    def fit(
        cls,
        standardizer: Standardizer,
        coordinates: NDArray[np.float32],
        *,
        seed: int,
        on_move: OnMove | None = None,
    ) -> tuple[Self, Vectors]:
        first = Standardizer(
            mean=standardizer.mean,
            scale=standardizer.scale,
            axes=np.ascontiguousarray(standardizer.axes[:, :3]),
            variance_ratio=standardizer.variance_ratio[:3],
        )
        return cls(standardizer=first), first_three_columns(coordinates)

    def transform(self, features: Features) -> Vectors:
        return first_three_columns(self.standardizer.project(features))

    def place_many(self, coordinates: NDArray[np.float32]) -> Vectors:
        return first_three_columns(coordinates)

    def turned_onto(self, places: Vectors, fixed: Vectors) -> tuple[Self, Vectors]:
        """About the origin, which is the mean picture; the axes are no more those of the greatest variance then."""
        motion = RigidMotion.onto(places[: len(fixed)], fixed, keep_origin=True)
        width = self.standardizer.axes.shape[1]
        if width < 3:  # of three pictures or fewer: the missing axes are zeros, which no turn may fill
            return self, places
        axes = np.ascontiguousarray(self.standardizer.axes @ motion.turn)
        return replace(self, standardizer=replace(self.standardizer, axes=axes)), motion(places)

    def explained_variance(self) -> list[float]:
        return first_three_shares(self.standardizer)

    def save(self, path: Path) -> None:
        save_arrays(path, self.name, standardizer_arrays(self.standardizer))

    @classmethod
    def load(cls, path: Path) -> Self:
        return cls(standardizer=standardizer_of(load_arrays(path, cls.name, *STANDARDIZER_ARRAYS)))
