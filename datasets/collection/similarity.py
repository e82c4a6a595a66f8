"""Which pictures of a catalogue are copies, and which are like no other: measured once, after it was built, and stored.

Among 200,000 pictures that takes most of a minute: nobody who asks could wait for it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from embeddings import nearest_neighbours
from embeddings.extractors import Features
from embeddings.principal_axes import FeatureChunks
from embeddings.vector_files import replacing

FORMAT = 1
BITS = 10
"""In which the fingerprints of copies may differ: of 64, and two different faces differ in about 25."""
NEIGHBOURS = 10
"""So many of the nearest others tell how lonely a picture is."""

Pair = tuple[int, int, float]
"""Two rows, the lower one first, and their cosine."""


@dataclass(frozen=True, kw_only=True)
class SimilarityTables:
    """Of n pictures."""

    near: NDArray[np.int32]
    """`(m, 2)` rows i < j of which one is among the nearest of the other, and whose fingerprints nearly agree."""
    cosines: NDArray[np.float32]
    """`(m,)`"""
    equal: NDArray[np.int32]
    """`(e, 2)` the first row with a file, and each later one with the same."""
    outlier_scores: NDArray[np.float32]
    """`(n,)`"""

    @classmethod
    def measure(
        cls, blocks: FeatureChunks, fingerprints: NDArray[np.uint64], digests: Iterable[str | None], index: Path
    ) -> Self:
        """Of features and facts of the same pictures; `fingerprints` are empty where they are not known."""
        rows, similarities = nearest_neighbours.nearest_of_all(blocks, NEIGHBOURS, index)
        near, cosines = _near_of(np.arange(len(rows)), rows, similarities, fingerprints)
        return cls(
            near=near,
            cosines=cosines,
            equal=np.array(equal(digests), np.int32).reshape(-1, 2),
            outlier_scores=nearest_neighbours.outlier_scores(similarities),
        )

    def grown(
        self,
        rows: NDArray[np.int64],
        similarities: Features,
        fingerprints: NDArray[np.uint64],
        equal_rows: Iterable[tuple[int, int]],
    ) -> Self:
        """With more pictures, of which `(m, k)` rows and cosines are the nearest of all; `fingerprints` are of all.

        What was measured of the others stays."""
        count = len(self.outlier_scores)
        near, cosines = _near_of(np.arange(count, count + len(rows)), rows, similarities, fingerprints)
        more = np.array(list(equal_rows), np.int32).reshape(-1, 2)
        return replace(
            self,
            near=np.concatenate([self.near, near]),
            cosines=np.concatenate([self.cosines, cosines]),
            equal=np.concatenate([self.equal, more]),
            outlier_scores=np.concatenate(
                [self.outlier_scores, nearest_neighbours.outlier_scores(similarities)], dtype=np.float32
            ),
        )

    def pairs(self, threshold: float) -> list[Pair]:
        """Those at least so similar, the likest first."""
        order = np.lexsort((self.near[:, 1], self.near[:, 0], -self.cosines))
        order = order[self.cosines[order] >= threshold]
        first, second = self.near[order].T.tolist()
        return list(zip(first, second, self.cosines[order].tolist(), strict=True))

    def save(self, path: Path) -> None:
        with replacing(path) as file:
            np.savez(
                file,
                format=np.int64(FORMAT),
                near=self.near,
                cosines=self.cosines,
                equal=self.equal,
                loneliness=self.outlier_scores,  # the name in files of this format
            )

    @classmethod
    def load(cls, path: Path, total: int) -> Self | None:
        """What `save` has left of so many pictures; None where there is nothing, or something else."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                if arrays["format"] != FORMAT or len(arrays["loneliness"]) != total:
                    return None
                pairs = {name: arrays[name] for name in ("near", "cosines", "equal")}
                return cls(**pairs, outlier_scores=arrays["loneliness"])
        except Exception:  # NumPy, zipfile and zlib each fail in their own way on a damaged file
            return None


def _near_of(
    of: NDArray[np.int64], rows: NDArray[np.int64], similarities: Features, fingerprints: NDArray[np.uint64]
) -> tuple[NDArray[np.int32], Features]:
    """Rows `(m,)` and the `(m, k)` nearest of each → pairs that may be copies, and their cosines."""
    first, second = np.repeat(of, rows.shape[1]), rows.ravel()
    pairs = np.stack([np.minimum(first, second), np.maximum(first, second)], axis=1)
    pairs, kept = np.unique(pairs, axis=0, return_index=True)
    cosines = similarities.ravel()[kept]
    if len(fingerprints):
        agree = np.bitwise_count(fingerprints[pairs[:, 0]] ^ fingerprints[pairs[:, 1]]) <= BITS
    else:
        agree = cosines >= UNSEEN
    return pairs[agree].astype(np.int32), cosines[agree]


THRESHOLD = 0.9
"""Cosine from which two pictures may be one, saved anew: of 100 different faces the two likest have 0.89."""

UNSEEN = 0.8
"""Least cosine of pairs that are kept where fingerprints are not known: else nearly all are."""


def near(features: Features, fingerprints: NDArray[np.uint64], threshold: float) -> list[Pair]:
    """Rows `(i, j, cosine)`, i < j, that show the same, the likest first.

    The network alone takes two pictures of one thing for the same, and a fingerprint alone two of the same layout: only
    together do they mean a copy that was scaled, cropped a little or saved anew.
    """
    if not len(fingerprints):
        return nearest_neighbours.pairs(features, threshold)
    # Fingerprints first: comparing them costs next to nothing, and leaves few pairs of features to compare.
    apart = np.bitwise_count(fingerprints[:, None] ^ fingerprints[None])
    first, second = np.nonzero(np.triu(apart <= BITS, 1))
    if len(first) > 10 * len(features):  # as of scans, which are all white with a line or two
        alike = set(zip(first.tolist(), second.tolist(), strict=True))
        return [pair for pair in nearest_neighbours.pairs(features, threshold) if pair[:2] in alike]
    cosines = nearest_neighbours.cosines(features[first], features[second])
    order = np.lexsort((second, first, -cosines))
    return [(int(first[k]), int(second[k]), float(cosines[k])) for k in order if cosines[k] >= threshold]


def fingerprints_of(written: Sequence[str | None]) -> NDArray[np.uint64]:
    """Hexadecimal digits → `(n,)`; empty where any is not known."""
    known = [int(each, 16) for each in written if each is not None]
    return np.array(known if len(known) == len(written) else [], np.uint64)


def equal(digests: Iterable[str | None]) -> list[tuple[int, int]]:
    """Pairs `(first, later)` of rows whose files are equal."""
    first: dict[str, int] = {}
    pairs = []
    for row, digest in enumerate(digests):
        if digest is not None and first.setdefault(digest, row) != row:
            pairs.append((first[digest], row))
    return pairs
