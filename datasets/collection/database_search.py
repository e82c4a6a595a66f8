"""Neighbours among the pictures of a collection whose features are in the database that SEARCH_URL names.

The database proposes rows. They are measured as those of the index on disk are, from the same float32, so that it makes
no difference which of both a host uses.
"""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import psycopg
from django.conf import settings
from numpy.typing import NDArray
from psycopg.sql import SQL, Identifier

from datasets.errors import SearchDatabaseAway
from embeddings.extractors import Features
from embeddings.nearest_neighbours import NeighbourSearch, SearchResult, candidates, cosines_to, ranked

from . import vector_tables
from .vector_tables import Table

T = TypeVar("T")

_MOST_CANDIDATES = 1000
"""pgvector's limit of `hnsw.ef_search`."""
_STATEMENT_SECONDS = 20
"""As long as a client waits for the worker."""
_MOST_KNOWN = 16

_of_thread = threading.local()
_known: dict[tuple[str, str, str], Table] = {}
"""Tables by the database, the collection and its version."""


class DatabaseSearch:
    """Finds the rows that are nearest to a picture, by a table of them."""

    def __init__(self, table: Table, local: NeighbourSearch | None) -> None:
        """`local` has the features themselves, where they are at hand."""
        self._table = table
        self._local = local

    def vector(self, row: int) -> NDArray[np.float32]:
        if self._local is not None:
            return self._local.vector(row)
        vector: NDArray[np.float32] = self._vectors([row])[1][0]
        return vector

    def nearest(self, query: NDArray[np.float32], count: int, *, without: int | None = None) -> SearchResult:
        wanted = min(candidates(count + (without is not None)), _MOST_CANDIDATES)
        proposed = _ask(lambda connection: self._proposed(connection, query, wanted))
        if self._local is not None:
            rows, close = np.array(proposed), self._local.vectors(proposed)
        else:
            rows, close = self._vectors(proposed)
        return ranked(rows, cosines_to(query, close), count, without)

    def _proposed(self, connection: "psycopg.Connection[Any]", query: NDArray[np.float32], count: int) -> list[int]:
        place = f"[{','.join(map(str, self._table.directions.coordinates(query[None])[0].tolist()))}]"
        statement = SQL("SELECT row FROM {} ORDER BY coordinates <-> %s::halfvec LIMIT %s")
        with connection.transaction():
            connection.execute(SQL("SET LOCAL hnsw.ef_search = {}").format(count))
            found = connection.execute(statement.format(Identifier(self._table.name)), [place, count]).fetchall()
        return sorted(row for (row,) in found)

    def _vectors(self, rows: list[int]) -> tuple[NDArray[np.int64], Features]:
        """The rows in ascending order, and their `(m, d)` features."""
        statement = SQL("SELECT row, features FROM {} WHERE row = ANY(%s) ORDER BY row").format(
            Identifier(self._table.name)
        )
        found = _ask(lambda connection: connection.execute(statement, [rows], binary=True).fetchall())
        features = np.frombuffer(b"".join(features for _, features in found), np.float32)
        return np.array([row for row, _ in found], np.int64), features.reshape(-1, self._table.width)


def find(collection: str, version: str, local: NeighbourSearch | None) -> DatabaseSearch | None:
    """None where the database has no table of it. Raises `SearchDatabaseAway`."""
    key = settings.SEARCH_URL, collection, version
    table = _known.get(key) or _ask(lambda connection: vector_tables.find(connection, collection, version))
    if table is None:
        return None
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    _known[key] = table
    return DatabaseSearch(table, local)


def _ask(question: "Callable[[psycopg.Connection[Any]], T]") -> T:
    """By this thread's connection, or by another one where that broke. Raises `SearchDatabaseAway`."""
    connection = getattr(_of_thread, "connection", None)
    try:
        return question(connection or _connected())
    except psycopg.errors.UndefinedTable as error:  # it was replaced by that of another version
        _known.clear()
        raise SearchDatabaseAway() from error
    except psycopg.OperationalError as error:
        _of_thread.connection = None
        if connection is None or isinstance(error, psycopg.errors.QueryCanceled):
            raise SearchDatabaseAway() from error
        connection.close()
    return _ask(question)


def _connected() -> "psycopg.Connection[Any]":
    connection = vector_tables.connect(settings.SEARCH_URL)
    connection.execute(f"SET statement_timeout = '{_STATEMENT_SECONDS}s'")
    _of_thread.connection = connection
    return connection
