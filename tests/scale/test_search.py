"""SEARCH_URL: neighbours by PostgreSQL with pgvector, the same as by the features themselves."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request

import numpy as np
import pytest
from pytest_django import Settings

from benchmarks.inputs import continuum
from datasets.errors import SearchDatabaseAway
from embeddings.nearest_neighbours import NeighbourSearch
from tests.support.paths import ROOT
from tests.support.pictures import photograph, zipped
from tests.support.postgresql import Server
from tests.support.service import Answer, Service

pytestmark = pytest.mark.scale

psycopg = pytest.importorskip("psycopg", reason="it comes with: make test-scale")

PICTURES = 30
ROWS, WIDTH = 6_000, 96


@pytest.fixture
def address(scaled: dict[str, str]) -> str:
    """Of a new database."""
    return scaled["DATABASE_URL"]


@pytest.fixture
def service(tmp_path: Path, address: str) -> Iterator[Service]:
    running = Service(tmp_path / "data", {"SEARCH_URL": address}).start()
    yield running
    running.stop()


def filled(service: Service, *arguments: str) -> str:
    command = [sys.executable, "manage.py", "fill_search", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=service.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def without_features(service: Service) -> tuple[str, Any]:
    """An upload whose features are in the database alone, and what they were."""
    answer = service.upload(zipped({f"{k:02d}.jpg": photograph(k) for k in range(PICTURES)}))
    assert answer.status == 200, answer.body
    dataset = answer.body.decode()
    assert f"{dataset}: {PICTURES} pictures\n" in filled(service, dataset)
    (path,) = service.data.glob(f"datasets/**/{dataset}/**/features.npy")
    features = np.load(path)
    path.unlink()
    return dataset, features


def neighbours(service: Service, dataset: str, row: int, count: int) -> Answer:
    return service.get(f"/dataset/{dataset}/images/{row}/neighbors?k={count}")


def test_a_host_without_features_finds_the_same_neighbours(service: Service) -> None:
    dataset, features = without_features(service)
    exact = NeighbourSearch([features])
    for row in range(PICTURES):
        answer = neighbours(service, dataset, row, 10)
        assert answer.status == 200, answer.body
        found = [(each["index"], each["similarity"]) for each in answer.json()["neighbors"]]
        wanted = exact.nearest(features[row], 10, without=row)
        similarities = [round(each, 6) for each in wanted.similarities.tolist()]
        assert found == list(zip(wanted.rows.tolist(), similarities, strict=True))
    again = service.upload(photograph(7), "7.jpg", path=f"/search?in={dataset}&k=3")
    assert again.status == 200, again.body
    assert again.json()["neighbors"][0] == {"index": 7, "name": "07.jpg", "similarity": 1.0, "in": dataset}
    assert len(again.json()["umap"]) == 3


def test_a_database_that_is_away_is_said_and_comes_back(service: Service, database_server: Server) -> None:
    dataset, _ = without_features(service)
    assert neighbours(service, dataset, 0, 5).status == 200
    database_server.stop()
    try:
        for row in (1, 2):
            away = neighbours(service, dataset, row, 5)
            assert away.status == 503
            assert away.json()["type"] == "urn:wwzd:error:search-database-away"
            assert away.headers["Retry-After"] == "5"
        assert service.get(f"/dataset/{dataset}/features/umap").status == 200
        picture = service.upload(photograph(7), "7.jpg", path=f"/search?in={dataset}&k=3")
        assert picture.status == 503
        assert picture.json()["type"] == "urn:wwzd:error:search-database-away"
    finally:
        database_server.start()
    for row in (1, 2):
        assert neighbours(service, dataset, row, 5).status == 200


def test_the_command_fills_what_is_new_and_removes_what_is_gone(service: Service, address: str) -> None:
    dataset, _ = without_features(service)
    assert "as before" not in filled(service, "--least", "1000")
    assert len(tables(address)) == 1
    assert service.send(Request(service.url(f"/dataset/{dataset}"), method="DELETE")).status == 204
    assert filled(service) == f"{dataset}: removed\n"
    assert tables(address) == []
    command = [sys.executable, "manage.py", "fill_search", dataset]
    done = subprocess.run(command, cwd=ROOT, env=service.environment(), capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == f"CommandError: {dataset}: There is no dataset of this id.\n"


def tables(address: str) -> list[str]:
    with psycopg.connect(address) as connection:
        found = connection.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^wwzd_vectors_'")
        return [name for (name,) in found.fetchall()]


# Many rows, by the modules themselves.


@pytest.fixture(scope="module")
def features() -> Any:
    return continuum(ROWS, WIDTH)[0]


@pytest.fixture
def searched(address: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address, as this process has it."""
    from datasets.collection import database_search

    settings.SEARCH_URL = address
    of_thread = threading.local()
    monkeypatch.setattr(database_search, "_of_thread", of_thread)
    yield address
    of_thread.connection.close()


def blocks(features: Any) -> list[Any]:
    return [features[start : start + 1000] for start in range(0, len(features), 1000)]


def test_the_index_finds_nearly_all_of_many_and_measures_them_exactly(features: Any, searched: str) -> None:
    from datasets.collection import database_search, vector_tables

    assert database_search.find("many", "1", None) is None
    counted: list[int] = []
    assert vector_tables.fill(searched, "many", "1", blocks(features), counted.append)
    assert sum(counted) == ROWS
    assert not vector_tables.fill(searched, "many", "1", blocks(features))
    exact = NeighbourSearch(blocks(features))
    remote, beside = (database_search.find("many", "1", local) for local in (None, exact))
    assert remote is not None
    assert beside is not None
    with psycopg.connect(searched) as connection:
        plan = connection.execute(
            f"EXPLAIN SELECT row FROM {tables(searched)[0]} ORDER BY coordinates <-> (SELECT coordinates FROM"
            f" {tables(searched)[0]} WHERE row = 7) LIMIT 200"
        ).fetchall()
    assert "_coordinates_idx" in str(plan)
    hits = 0
    for row in range(0, ROWS, 60):
        np.testing.assert_array_equal(remote.vector(row), features[row])
        wanted = exact.nearest(features[row], 10, without=row)
        found, other = (each.nearest(features[row], 10, without=row) for each in (remote, beside))
        np.testing.assert_array_equal(found.rows, other.rows)
        np.testing.assert_array_equal(found.similarities, other.similarities)
        assert len(found.rows) == 10
        known = dict(zip(wanted.rows.tolist(), wanted.similarities.tolist(), strict=True))
        for place, similarity in zip(found.rows.tolist(), found.similarities.tolist(), strict=True):
            assert similarity == pytest.approx(known.get(place, similarity), abs=2e-6)
        hits += len(set(known) & set(found.rows.tolist()))
    assert hits / 1000 >= 0.98
    assert len(remote.nearest(features[0], 100, without=0).rows) == 100


def test_another_version_takes_the_place_of_the_one_before(features: Any, searched: str) -> None:
    from datasets.collection import database_search, vector_tables

    vector_tables.fill(searched, "one", "1", [features[:500]])
    vector_tables.fill(searched, "two", "1", [features[500:600]])
    old = database_search.find("one", "1", None)
    assert old is not None
    before = set(tables(searched))
    with psycopg.connect(searched, autocommit=True) as connection:  # of a filling that was killed
        connection.execute("CREATE TABLE wwzd_vectors_0123456789abcdef (row bigint)")
    vector_tables.fill(searched, "one", "2", [features[1000:1700]])
    assert len(set(tables(searched)) & before) == 1
    assert len(tables(searched)) == 2
    with pytest.raises(SearchDatabaseAway):
        old.nearest(features[0], 5)
    assert database_search.find("one", "1", None) is None
    new = database_search.find("one", "2", None)
    assert new is not None
    np.testing.assert_array_equal(new.vector(650), features[1650])
    wanted = NeighbourSearch([features[1000:1700]]).nearest(features[0], 5)
    np.testing.assert_array_equal(new.nearest(features[0], 5).rows, wanted.rows)
    assert vector_tables.keep_only(searched, ["two"]) == ["one"]
    assert len(tables(searched)) == 1
