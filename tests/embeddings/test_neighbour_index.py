"""The index on disk: how many cells it has, and that those which were built otherwise are read."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.inputs import continuum
from embeddings import neighbour_index
from embeddings.nearest_neighbours import NeighbourSearch
from embeddings.neighbour_index import Index, cells_of


@pytest.mark.parametrize(
    ("rows", "cells"),
    [
        (1, 1),
        (5_001, 25),
        (202_599, 1_012),
        (204_800, 1_024),
        (204_801, 1_810),
        (1_000_000, 4_000),
        (10_000_000, 12_649),
        (1_000_000_000, 126_491),
    ],
)
def test_cells_grow_with_the_rows(rows: int, cells: int) -> None:
    assert cells_of(rows) == cells


def test_an_index_of_many_cells_finds_nearly_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of more than 204,800 rows: the cells are learnt from more rows than the axes."""
    monkeypatch.setattr(neighbour_index, "_CELLS", 4)
    monkeypatch.setattr(neighbour_index, "_SAMPLE", 2_000)
    assert recall(tmp_path) >= 0.95
    found = Index.open(tmp_path, (20_000, 96))
    assert found is not None
    assert found.cells.nlist == 565


def test_an_index_of_as_few_cells_as_it_had_before_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbour_index, "cells_of", lambda rows: 12)
    assert recall(tmp_path) >= 0.99
    found = Index.open(tmp_path, (20_000, 96))
    assert found is not None
    assert found.cells.nlist == 12


def recall(folder: Path) -> float:
    """Share of the true ten nearest that are found by the index that is built there."""
    features = continuum(20_000, 96)[0]
    blocks = [features[start : start + 1000] for start in range(0, len(features), 1000)]
    neighbour_index.build(blocks, folder)
    exact, indexed = NeighbourSearch(blocks), NeighbourSearch(blocks, folder)
    rows = range(0, len(features), 100)
    both = [[each.nearest(features[row], 10, without=row).rows for each in (exact, indexed)] for row in rows]
    return float(np.mean([np.isin(found, wanted).mean() for wanted, found in both]))
