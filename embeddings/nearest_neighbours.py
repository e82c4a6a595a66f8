"""Features → who is near whom, by cosine: exactly among few, by an index on disk among many.

Whatever proposes the candidates, similarities are computed from the float32 features themselves, and ties go to the
lower row: the same question always has the same answer, whatever else is asked.
"""

import hashlib
import json
import logging
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .extractors import Features
from .principal_axes import FeatureChunks
from .vector_files import replacing

logger = logging.getLogger(__name__)

FORMAT = 2
"""Version of the index on disk. One of another version is not used."""
_FILES = ("index.npz", "index.faiss")

EXACT_ROWS = 5_000
"""Up to here every row is looked at: some milliseconds."""

_AXES = 256
"""Principal axes on which candidates are found. On fewer recall falls, on more the index grows."""
_PROBES = 32
"""Cells of the index that a question looks into."""
_CANDIDATES, _LEAST_CANDIDATES = 10, 200
"""For each neighbour wanted, how many are proposed for the exact measurement, and how many at least."""
_CELLS, _ROWS_A_CELL = 1024, 200
"""At most so many, and so many rows to each."""
_SAMPLE = 50_000
"""Rows from which axes and cells are learnt: 400 MB of ResNet50's."""
_SEED = 20210607
_BLOCK = 1000
"""Rows that are compared with others at once."""


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    """The nearest rows, the nearest first."""

    rows: NDArray[np.int64]
    similarities: NDArray[np.float32]
    """Cosines: 1 for the same direction."""


class NeighbourSearch:
    """Finds the rows of `(n, d)` features, given in blocks, that are nearest to a picture."""

    def __init__(self, blocks: FeatureChunks, folder: Path | None = None) -> None:
        """`folder` holds an index that `build` made of the same blocks or of the first rows of them, or none."""
        # Plain views: of a memory map, every row that is taken would be an object of its own kind.
        self._blocks = [np.asarray(block) for block in blocks]
        self._starts: list[int] = np.cumsum([0, *(len(block) for block in self._blocks)]).tolist()
        self._count = self._starts[-1]
        self._index: Index | None = None
        if folder is not None and self._count > EXACT_ROWS:
            self._index = Index.open(folder, (self._count, self._blocks[0].shape[1]))

    def vector(self, row: int) -> NDArray[np.float32]:
        """`(d,)`"""
        block = bisect_right(self._starts, row) - 1
        found: NDArray[np.float32] = self._blocks[block][row - self._starts[block]]
        return found

    def vectors(self, rows: Iterable[int]) -> Features:
        """`(m, d)`"""
        return np.stack([self.vector(row) for row in rows])

    def nearest(self, query: NDArray[np.float32], count: int, *, without: int | None = None) -> SearchResult:
        """At most `count` rows nearest to the `(d,)` features of a picture; `without` names a row to leave out."""
        wanted = count + (without is not None)
        if self._index is not None:
            proposed = self._index.candidates(query, max(_CANDIDATES * wanted, _LEAST_CANDIDATES))
            rows = np.concatenate([proposed, np.arange(self._index.count, self._count)])
            close = self.vectors(rows)
            similarities = _cosines(close, query)
        else:
            rows = np.arange(self._count)
            similarities = np.concatenate([_cosines(block, query) for block in self._blocks])
        if without is not None:
            keep = rows != without
            rows, similarities = rows[keep], similarities[keep]
        order = np.lexsort((rows, -similarities))[:count]
        return SearchResult(rows=rows[order], similarities=similarities[order])


@dataclass(frozen=True, kw_only=True)
class Index:
    """An inverted file of quantised coordinates (faiss), mapped from disk: proposes which rows may be near."""

    mean: NDArray[np.float32]
    axes: NDArray[np.float32]
    """`(d, k)`"""
    cells: Any
    """faiss's."""
    count: int
    """Rows that it knows: the first ones. Those that came later are all to be looked at."""

    @classmethod
    def open(cls, folder: Path, shape: tuple[int, int]) -> "Index | None":
        """What `build` left in `folder` of features of this shape, or of all of them but the last `EXACT_ROWS` at most,
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
                mean, axes = arrays["mean"], arrays["axes"]
            faiss = _import_faiss()
            faiss.omp_set_num_threads(1)  # requests run beside each other; each needs one core for a millisecond or two
            cells = faiss.read_index(str(folder / "index.faiss"), faiss.IO_FLAG_MMAP_IFC)
        except FileNotFoundError:
            return None
        except (_Damaged, OSError, ValueError, LookupError, TypeError, RuntimeError) as error:
            logger.warning("the index in %s cannot be used (%s): `manage.py fit_reducers` makes it anew", folder, error)
            return None
        cells.nprobe = _PROBES
        return cls(mean=mean, axes=axes, cells=cells, count=manifest["shape"][0])

    def coordinates(self, features: Features) -> NDArray[np.float32]:
        """`(n, d)` → `(n, k)`, between which distances are nearly those of the directions."""
        found: NDArray[np.float32] = ((_unit(features) - self.mean) @ self.axes).astype(np.float32)
        return found

    def candidates(self, query: NDArray[np.float32], count: int) -> NDArray[np.int64]:
        """At most `count` rows, in no order that matters."""
        _, rows = self.cells.search(self.coordinates(query[None]), count)
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
    return indexed[1] == shape[1] and shape[0] - EXACT_ROWS <= indexed[0] <= shape[0]


class _Damaged(Exception):
    """An index is not that of these features; the message says why."""


def build(blocks: FeatureChunks, folder: Path) -> None:
    """Make the index of `(n, d)` features for `Index.open`; the card that announces it comes last."""
    from scipy.linalg import eigh

    faiss = _import_faiss()
    (folder / "index.json").unlink(missing_ok=True)
    sample = _unit(_spread(blocks, _SAMPLE))
    mean = sample.mean(axis=0)
    width = sample.shape[1]
    keep = min(_AXES, width)
    sample -= mean
    _, vectors = eigh(sample.T @ sample, subset_by_index=[width - keep, width - 1])
    axes = np.ascontiguousarray(vectors[:, ::-1], dtype=np.float32)
    count = sum(len(block) for block in blocks)
    cells = faiss.index_factory(keep, f"IVF{max(1, min(_CELLS, count // _ROWS_A_CELL))},SQ8")
    cells.cp.seed = _SEED
    cells.train(sample @ axes)
    for block in blocks:
        cells.add((_unit(block) - mean) @ axes)
    with replacing(folder / "index.npz") as file:
        np.savez(file, mean=mean, axes=axes)
    with replacing(folder / "index.faiss") as file:
        faiss.write_index(cells, faiss.PyCallbackIOWriter(file.write))
    digests = {name: _digest(folder / name) for name in _FILES}
    with replacing(folder / "index.json") as file:
        file.write(json.dumps({"format": FORMAT, "shape": [count, width], "digests": digests}).encode())


def build_if_missing(blocks: FeatureChunks, folder: Path, on_build: Callable[[], object] = lambda: None) -> None:
    """Make the index where there are so many rows that it is of use, and `folder` has none of them yet."""
    shape = sum(len(block) for block in blocks), blocks[0].shape[1]
    if shape[0] > EXACT_ROWS and Index.open(folder, shape) is None:
        on_build()
        build(blocks, folder)


def cosines(first: Features, second: Features) -> NDArray[np.float32]:
    """`(n,)` of row k of the one and row k of the other."""
    rounded: NDArray[np.float32] = np.round(np.einsum("ij,ij->i", _unit(first), _unit(second)), 6)
    return rounded


def pairs(features: Features, least: float) -> list[tuple[int, int, float]]:
    """Rows `(i, j, cosine)`, i < j, of at most some thousands that are at least so similar; the most similar first."""
    scaled = _unit(features)
    similarities = scaled @ scaled.T
    first, second = np.nonzero(np.triu(similarities >= least, 1))
    values = similarities[first, second]
    order = np.lexsort((second, first, -values))
    return [(int(first[k]), int(second[k]), float(values[k])) for k in order]


def nearest_of_all(blocks: FeatureChunks, count: int, folder: Path | None = None) -> tuple[NDArray[np.int64], Features]:
    """Each row's `count` nearest others → `(n, count)` rows and cosines, the nearest first; of n - 1, if that is less.

    Many rows, of which `folder` holds an index, are searched for in the cells around each: a few in a hundred are not
    the very nearest then. 202,599 × 2048 take 42 s on two cores, and a gigabyte of memory.
    """
    total = sum(len(block) for block in blocks)
    count = min(count, total - 1)
    index = Index.open(folder, (total, blocks[0].shape[1])) if folder is not None and total > EXACT_ROWS else None
    if index is not None:
        from .knn_graph import Cells

        cells = Cells.of(np.concatenate([index.coordinates(block) for block in blocks]), seed=_SEED)
        places, _ = cells.nearest(count + 1)
        candidates = np.empty((total, count), np.int64)
        candidates[cells.order] = cells.order[places[:, 1:]]
        return _measured(blocks, candidates)
    rows, similarities = [], []
    scaled = np.concatenate([_unit(block) for block in blocks])
    for start in range(0, total, _BLOCK):
        part = np.round(scaled[start : start + _BLOCK] @ scaled.T, 6)
        part[np.arange(len(part)), start + np.arange(len(part))] = -np.inf
        order = np.argsort(-part, axis=1, kind="stable")[:, :count]
        rows.append(order)
        similarities.append(np.take_along_axis(part, order, axis=1))
    return np.concatenate(rows), np.concatenate(similarities)


def _measured(blocks: FeatureChunks, candidates: NDArray[np.int64]) -> tuple[NDArray[np.int64], Features]:
    """The same rows sorted by their true cosines, and these."""
    finder = NeighbourSearch(blocks)
    similarities = np.empty(candidates.shape, np.float32)
    for start in range(0, len(candidates), _BLOCK):
        asked = candidates[start : start + _BLOCK]
        own = _unit(finder.vectors(range(start, start + len(asked))))
        for place in range(asked.shape[1]):
            others = finder.vectors(asked[:, place].tolist())
            similarities[start : start + _BLOCK, place] = cosines(own, others)
    order = np.lexsort((candidates, -similarities), axis=1)
    return np.take_along_axis(candidates, order, axis=1), np.take_along_axis(similarities, order, axis=1)


def outlier_scores(similarities: Features) -> NDArray[np.float32]:
    """`(n, k)` cosines of each row and its nearest others → `(n,)` mean distance (1 − cosine): high for one that is
    like no other; 0 where there are no others."""
    if not similarities.shape[1]:
        return np.zeros(len(similarities), np.float32)
    mean: NDArray[np.float32] = np.maximum(1 - similarities, 0).mean(axis=1)
    return mean


def _digest(path: Path) -> str:
    """A tenth of a second for the index of 200,000 rows."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _import_faiss() -> Any:
    import faiss  # a fifth of a second, and half of what it has is unknown to its own type hints

    return faiss


def _unit(features: Features) -> Features:
    """Scaled to length 1; a row of zeros stays so, near to nothing."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    scaled: Features = (features / np.where(lengths > 0, lengths, 1)).astype(np.float32, copy=False)
    return scaled


def _cosines(features: Features, query: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(features, axis=1) * np.linalg.norm(query)
    cosines = (features @ query) / np.where(lengths > 0, lengths, 1)
    # Six digits are what float32 sums agree on in any order: equal pictures come out equally near.
    rounded: NDArray[np.float32] = np.round(cosines, 6).astype(np.float32)
    return rounded


def _spread(blocks: Sequence[Features], count: int) -> Features:
    """At most `count` rows, evenly from the first block to the last."""
    share = max(1, -(-sum(len(block) for block in blocks) // count))
    return np.concatenate([block[::share] for block in blocks])
