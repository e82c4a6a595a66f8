"""Features → an index on disk that proposes which rows may be near a question: an inverted file (Jégou, Douze & Schmid
2011; faiss's IVF) of quantised principal coordinates.

What it proposes is measured by `nearest_neighbours`.
"""

import hashlib
import json
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .extractors import Features
from .principal_axes import FeatureChunks
from .vector_files import replacing

logger = logging.getLogger(__name__)

FORMAT = 2
"""Version of the index on disk. One of another version is not used."""
_FILES = ("index.npz", "index.faiss")

LATER_ROWS = 5_000
"""So many rows may have come after an index. All of them are looked at: some milliseconds."""

_AXES = 256
"""Principal axes on which candidates are found. On fewer recall falls, on more the index grows."""
_PROBES, _CELLS_A_PROBE = 32, 64
"""Cells of the index that a question looks into: a 64th of them, and so many at least. Of the ten nearest among
10⁷ × 64 made-up rows, 99.4 % are found with 192 of 12,649 cells in 2.2 ms, 93 % with 32 in 1.3 ms; among 10⁶ × 1280,
99.6 % with 64 of 4,096, 99.2 % with 32 (`python -m benchmarks.scale_rows neighbours`)."""
_CELLS, _ROWS_A_CELL = 1024, 200
"""So many cells at most, and so many rows to each, where there are no more rows than that (204,800)."""
_CELLS_A_ROOT = 4
"""Of more rows, cells for each √n: the least of the 4 to 16 of faiss' guidelines ("Guidelines to choose an index"), for
learning and filling them takes most of the time. 4,000 cells of 10⁶ rows, 12,649 of 10⁷."""
_SAMPLE = 50_000
"""Rows from which axes and cells are learnt: 400 MB of ResNet50's."""
_LEARNT_A_CELL = 40
"""Rows at least from which a cell is learnt, on the axes alone. With fewer than 39 faiss warns
(`ClusteringParameters::min_points_per_centroid`)."""
SEED = 20210607


@dataclass(frozen=True, kw_only=True)
class Directions:
    """The principal axes of features that are scaled to length 1."""

    mean: NDArray[np.float32]
    axes: NDArray[np.float32]
    """`(d, k)`"""

    @classmethod
    def of(cls, blocks: FeatureChunks) -> tuple[Self, Features]:
        """Learnt from a sample, which is returned too."""
        from scipy.linalg import eigh

        count = sum(len(block) for block in blocks)
        sample = np.concatenate([block[:: max(1, -(-count // _SAMPLE))] for block in blocks])
        centred = unit(sample)
        mean, width = centred.mean(axis=0), centred.shape[1]
        centred -= mean
        _, vectors = eigh(centred.T @ centred, subset_by_index=[width - min(_AXES, width), width - 1])
        return cls(mean=mean, axes=np.ascontiguousarray(vectors[:, ::-1], dtype=np.float32)), sample

    def coordinates(self, features: Features) -> NDArray[np.float32]:
        """`(n, d)` → `(n, k)`, between which distances are nearly those of the directions."""
        found: NDArray[np.float32] = ((unit(features) - self.mean) @ self.axes).astype(np.float32)
        return found


@dataclass(frozen=True, kw_only=True)
class Index:
    """An inverted file of quantised coordinates (faiss), mapped from disk: proposes which rows may be near."""

    directions: Directions
    cells: Any
    """faiss's."""
    count: int
    """Rows that it knows: the first ones. Those that came later are all to be looked at."""

    @classmethod
    def open(cls, folder: Path, shape: tuple[int, int]) -> "Index | None":
        """What `build` left in `folder` of features of this shape, or of all of them but the last `LATER_ROWS` at most,
        read to the last byte: faiss believes all it reads.

        None where there is nothing, or something else; that it is damaged is logged.
        """
        try:
            manifest = json.loads((folder / "index.json").read_text())
            if manifest["format"] != FORMAT:
                return None
            if not _covers(manifest["shape"], shape):
                raise _Damaged(f"it was made of {manifest['shape']} features, and these are {list(shape)}")
            for name in _FILES:
                if _digest(folder / name) != manifest["digests"][name]:
                    raise _Damaged(f"{name} is not what was written")
            with np.load(folder / "index.npz", allow_pickle=False) as arrays:
                directions = Directions(mean=arrays["mean"], axes=arrays["axes"])
            faiss = _import_faiss()
            faiss.omp_set_num_threads(1)  # requests run beside each other; each needs one core for a millisecond or two
            cells = faiss.read_index(str(folder / "index.faiss"), faiss.IO_FLAG_MMAP_IFC)
        except FileNotFoundError:
            return None
        except (_Damaged, OSError, ValueError, LookupError, TypeError, RuntimeError) as error:
            logger.warning("the index in %s cannot be used (%s): `manage.py fit_reducers` makes it anew", folder, error)
            return None
        cells.nprobe = max(_PROBES, cells.nlist // _CELLS_A_PROBE)
        return cls(directions=directions, cells=cells, count=manifest["shape"][0])

    def candidates(self, query: NDArray[np.float32], count: int) -> NDArray[np.int64]:
        """At most `count` rows, in no order that matters."""
        _, rows = self.cells.search(self.directions.coordinates(query[None]), count)
        found: NDArray[np.int64] = rows[0][rows[0] >= 0]
        return found


def is_announced(folder: Path, shape: tuple[int, int]) -> bool:
    """Whether there is an index for features of this shape, by its card alone, which takes no time."""
    try:
        manifest = json.loads((folder / "index.json").read_text())
        return bool(manifest["format"] == FORMAT and _covers(manifest["shape"], shape))
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _covers(indexed: Sequence[int], shape: tuple[int, int]) -> bool:
    return indexed[1] == shape[1] and shape[0] - LATER_ROWS <= indexed[0] <= shape[0]


class _Damaged(Exception):
    """An index is not that of these features; the message says why."""


def build(blocks: FeatureChunks, folder: Path) -> None:
    """Make the index of `(n, d)` features for `Index.open`; the card that announces it comes last."""
    faiss = _import_faiss()
    (folder / "index.json").unlink(missing_ok=True)
    count, width = sum(len(block) for block in blocks), blocks[0].shape[1]
    directions, sample = Directions.of(blocks)
    cells = faiss.index_factory(directions.axes.shape[1], f"IVF{cells_of(count)},SQ8")
    cells.cp.seed = SEED
    learnt = directions.coordinates(sample)
    if (rows := _LEARNT_A_CELL * cells.nlist) > _SAMPLE:
        learnt = np.concatenate([directions.coordinates(block[:: max(1, count // rows)]) for block in blocks])
    cells.train(learnt)
    del sample, learnt
    for block in blocks:
        cells.add(directions.coordinates(block))
    with replacing(folder / "index.npz") as file:
        np.savez(file, mean=directions.mean, axes=directions.axes)
    with replacing(folder / "index.faiss") as file:
        faiss.write_index(cells, faiss.PyCallbackIOWriter(file.write))
    digests = {name: _digest(folder / name) for name in _FILES}
    with replacing(folder / "index.json") as file:
        file.write(json.dumps({"format": FORMAT, "shape": [count, width], "digests": digests}).encode())


def cells_of(rows: int) -> int:
    """How many cells the index of so many rows has."""
    if rows <= _CELLS * _ROWS_A_CELL:
        return max(1, rows // _ROWS_A_CELL)
    return int(_CELLS_A_ROOT * math.sqrt(rows))


def _digest(path: Path) -> str:
    """A tenth of a second for the index of 200,000 rows."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _import_faiss() -> Any:
    import faiss  # a fifth of a second, and half of what it has is unknown to its own type hints

    return faiss


def unit(features: Features) -> Features:
    """Scaled to length 1; a row of zeros stays so, near to nothing."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    scaled: Features = (features / np.where(lengths > 0, lengths, 1)).astype(np.float32, copy=False)
    return scaled
