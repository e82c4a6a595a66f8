"""Features of collections in PostgreSQL with pgvector, the database that SEARCH_URL names: written and removed.

wwzd_vectors            a row a collection: its version, the axes of its coordinates, the name of its table
wwzd_vectors_<digest>   a row a picture: `coordinates`, k principal ones as half floats, of which there is an index by
                        graphs (HNSW, Malkov & Yashunin 2018); `features`, `(d,) float32` as they are

A table is filled before it is named, so that a search finds a whole one or none.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from psycopg.sql import SQL, Identifier

from embeddings.extractors import Features
from embeddings.nearest_neighbours import EXACT_ROWS
from embeddings.neighbour_index import Directions
from embeddings.principal_axes import FeatureChunks

_LOCK = 20210607
"""Of PostgreSQL's advisory locks, the one that whoever fills tables holds."""
_CONNECT_SECONDS = 5
_REGISTRY = """
CREATE TABLE IF NOT EXISTS wwzd_vectors (
    collection text PRIMARY KEY,
    version text NOT NULL,
    name text NOT NULL,
    width integer NOT NULL,
    mean bytea NOT NULL,
    axes bytea NOT NULL
)
"""


@dataclass(frozen=True, kw_only=True)
class Table:
    """The features of one version of a collection."""

    name: str
    width: int
    """d"""
    directions: Directions


def connect(url: str) -> "psycopg.Connection[Any]":
    """Raises `psycopg.OperationalError`."""
    return psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_SECONDS)


def find(connection: "psycopg.Connection[Any]", collection: str, version: str) -> Table | None:
    """None where the database has no such collection, or another version of it."""
    try:
        found = connection.execute(
            "SELECT name, width, mean, axes FROM wwzd_vectors WHERE collection = %s AND version = %s",
            [collection, version],
        ).fetchone()
    except psycopg.errors.UndefinedTable:  # nothing has been filled
        return None
    if found is None:
        return None
    name, width, mean, axes = found
    directions = Directions(
        mean=np.frombuffer(mean, np.float32), axes=np.frombuffer(axes, np.float32).reshape(width, -1)
    )
    return Table(name=name, width=width, directions=directions)


def fill(
    url: str, collection: str, version: str, blocks: FeatureChunks, on_rows: Callable[[int], object] = lambda rows: None
) -> bool:
    """Write the `(n, d)` features of a collection, in place of another version of it. Returns whether there was
    anything to do. Raises `psycopg.Error`."""
    with _filling(url) as connection:
        if find(connection, collection, version) is not None:
            return False
        name = f"wwzd_vectors_{hashlib.sha256(f'{collection} {version}'.encode()).hexdigest()[:16]}"
        table = Table(name=name, width=blocks[0].shape[1], directions=Directions.of(blocks)[0])
        _create(connection, table)
        _copy(connection, table, blocks, on_rows)
        _index(connection, table, sum(len(block) for block in blocks))
        with connection.transaction():
            connection.execute("DELETE FROM wwzd_vectors WHERE collection = %s", [collection])
            directions = table.directions
            connection.execute(
                "INSERT INTO wwzd_vectors VALUES (%s, %s, %s, %s, %s, %s)",
                [collection, version, name, table.width, directions.mean.tobytes(), directions.axes.tobytes()],
            )
        _drop_unnamed(connection)
    return True


def keep_only(url: str, collections: Iterable[str]) -> list[str]:
    """Remove all other collections. Returns their ids. Raises `psycopg.Error`."""
    with _filling(url) as connection:
        removed = connection.execute(
            "DELETE FROM wwzd_vectors WHERE NOT collection = ANY(%s) RETURNING collection", [list(collections)]
        ).fetchall()
        _drop_unnamed(connection)
    return sorted(collection for (collection,) in removed)


@contextmanager
def _filling(url: str) -> Iterator["psycopg.Connection[Any]"]:
    """A connection with the tables that it needs, when nobody else fills any."""
    with connect(url) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        connection.execute(_REGISTRY)
        yield connection


def _create(connection: "psycopg.Connection[Any]", table: Table) -> None:
    name = Identifier(table.name)
    connection.execute(SQL("DROP TABLE IF EXISTS {}").format(name))  # of a filling that was killed
    coordinates = SQL("halfvec({})").format(table.directions.axes.shape[1])
    connection.execute(
        SQL("CREATE TABLE {} (row bigint PRIMARY KEY, coordinates {}, features bytea STORAGE EXTERNAL)").format(
            name, coordinates
        )
    )


def _copy(
    connection: "psycopg.Connection[Any]", table: Table, blocks: FeatureChunks, on_rows: Callable[[int], object]
) -> None:
    """By PostgreSQL's binary form of COPY, in which numbers as they lie in memory need no words."""
    axes, start = table.directions.axes.shape[1], 0
    with connection.cursor().copy(SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(Identifier(table.name))) as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        for block in blocks:
            copy.write(_tuples(start, block, table.directions.coordinates(block), axes))
            start += len(block)
            on_rows(len(block))
        copy.write(b"\xff\xff")


def _tuples(start: int, features: Features, coordinates: Features, axes: int) -> bytes:
    """Each field after its length: a number of 64 bits; a halfvec, of its dimensions, two bytes and numbers of 16 bits;
    float32 as they are."""
    width = features.shape[1]
    tuples = np.zeros(
        len(features),
        [
            ("fields", ">i2"),
            *(("row length", ">i4"), ("row", ">i8")),
            *(("coordinates length", ">i4"), ("dimensions", ">u2"), ("unused", ">u2"), ("coordinates", ">f2", axes)),
            *(("features length", ">i4"), ("features", "<f4", width)),
        ],
    )
    tuples["fields"], tuples["row length"] = 3, 8
    tuples["row"] = np.arange(start, start + len(features))
    tuples["coordinates length"], tuples["dimensions"], tuples["coordinates"] = 4 + 2 * axes, axes, coordinates
    tuples["features length"], tuples["features"] = 4 * width, features
    return tuples.tobytes()


def _index(connection: "psycopg.Connection[Any]", table: Table, rows: int) -> None:
    """Of few rows none: they are all looked at."""
    if rows > EXACT_ROWS:
        statement = SQL("CREATE INDEX ON {} USING hnsw (coordinates halfvec_l2_ops)")
        connection.execute(statement.format(Identifier(table.name)))
    connection.execute(SQL("ANALYZE {}").format(Identifier(table.name)))


def _drop_unnamed(connection: "psycopg.Connection[Any]") -> None:
    """Tables of versions that are gone, and of fillings that were killed."""
    found = connection.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'wwzd\\_vectors\\_%' AND relnamespace ="
        " current_schema()::regnamespace AND relname NOT IN (SELECT name FROM wwzd_vectors)"
    ).fetchall()
    for (name,) in found:
        connection.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier(name)))
