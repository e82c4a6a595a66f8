"""The clusters of a collection: kept in one file of its folder, read by level, and as a column of the table each.

On the wire and in the table clusters are numbered from 1 and named by texts, so that nobody takes them for a quantity.
"""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from embeddings.clusters import LEAST_PICTURES as LEAST_PICTURES
from embeddings.clusters import VERSION, Level, find
from embeddings.principal_axes import FeatureChunks
from embeddings.vector_files import replacing

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1
_ARRAYS = ("labels", "sizes", "medoids", "parents")


@dataclass(frozen=True, kw_only=True)
class Clusters:
    """Of n pictures."""

    levels: tuple[Level, ...]
    """The coarsest first; none of a collection with too few pictures."""

    @classmethod
    def find(cls, blocks: FeatureChunks, on_step: Callable[[str], object] = lambda step: None) -> Self:
        """In `(n, d)` features; `on_step` is told what begins."""
        return cls(levels=tuple(find(blocks, on_step)))

    def grown(self, rows: NDArray[np.int64]) -> Self:
        """With more pictures, of which `(m, k)` rows are the nearest of those before: on each level a picture is of the
        cluster that most of them are of, of the nearest one's where two have as many. The clusters keep their ids."""
        return replace(self, levels=tuple(_grown(level, rows) for level in self.levels))

    def save(self, path: Path) -> None:
        """One `.npz`, without pickles."""
        arrays = {f"{name}-{k}": getattr(level, name) for k, level in enumerate(self.levels) for name in _ARRAYS}
        with replacing(path) as file:
            np.savez(
                file,
                format=np.int64(FORMAT),
                version=np.int64(VERSION),
                levels=np.int64(len(self.levels)),
                **arrays,
            )

    @classmethod
    def load(cls, path: Path, total: int) -> Self | None:
        """What `save` wrote of so many pictures; None where there is nothing, or something else."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                if arrays["format"] != FORMAT or arrays["version"] != VERSION:
                    return None
                levels = tuple(
                    Level(**{name: arrays[f"{name}-{k}"] for name in _ARRAYS}) for k in range(int(arrays["levels"]))
                )
        except Exception:  # NumPy, zipfile and the file system each fail in their own way
            return None
        return cls(levels=levels) if all(len(level.labels) == total for level in levels) else None

    def column(self, level: int) -> "pa.Array":
        """`(n,)` texts: each picture's cluster on a level, null for one between clusters."""
        import pyarrow as pa

        found = self.levels[level]
        names = pa.array([str(number + 1) for number in range(len(found.sizes))], pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(found.labels, mask=found.labels < 0), names).cast(pa.string())


def _grown(level: Level, rows: NDArray[np.int64]) -> Level:
    labels = [_most_frequent(level.labels[nearest]) for nearest in rows]
    sizes = level.sizes + np.bincount(np.array(labels, np.int32) + 1, minlength=len(level.sizes) + 1)[1:]
    return replace(level, labels=np.concatenate([level.labels, labels], dtype=np.int32), sizes=sizes.astype(np.int32))


def _most_frequent(labels: NDArray[np.int32]) -> int:
    """The first of those that occur most often."""
    values, first, counts = np.unique(labels, return_index=True, return_counts=True)
    return int(values[np.lexsort((first, -counts))[0]])


class ClusterColumns:
    """Clusters as columns of the table, a level each."""

    def __init__(self, clusters: Clusters, prefix: str, taken: Set[str]) -> None:
        """Under `prefix` and the level's name, but for columns whose names are taken."""
        import pyarrow as pa

        names = [prefix + field_name(level) for level in range(len(clusters.levels))]
        self._clusters = clusters
        self._levels = {name: level for level, name in enumerate(names) if name not in taken}
        self.types: dict[str, pa.DataType] = dict.fromkeys(self._levels, pa.string())

    def read(self, names: Sequence[str]) -> "dict[str, pa.Array]":
        return {name: self._clusters.column(self._levels[name]) for name in names}


def field_name(level: int) -> str:
    """What the column of a level is called among the fields: `cluster`, `cluster.2`, `cluster.3`."""
    return "cluster" if level == 0 else f"cluster.{level + 1}"


def is_current(path: Path) -> bool:
    """Whether there are clusters as this version finds them."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return bool(arrays["format"] == FORMAT and arrays["version"] == VERSION)
    except Exception:  # as in `Clusters.load`
        return False


def read(path: Path, total: int) -> Clusters | None:
    """The same as `Clusters.load`, kept by the process while the file does not change."""
    try:
        return _read(path, total, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=8)
def _read(path: Path, total: int, version: int) -> Clusters | None:
    return Clusters.load(path, total)
