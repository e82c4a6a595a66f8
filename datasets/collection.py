"""The pictures behind the vectors, by row: names, facts, files, tiles; of an upload, or of the installed catalogue.

Both consist of sheets of up to 1000 pictures, one to a tilemap. What an old server's data folder does not tell (names,
sizes, the files themselves) is None or refused, never made up; only a name falls back to the row's number.
"""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import orjson
from django.conf import settings
from numpy.typing import NDArray

from embeddings.features import Features
from embeddings.neighbours import Finder
from embeddings.reducers import REDUCERS, ModelError, Reducer
from embeddings.vectors import BadVectors, load

from . import compute, metadata, ranges
from .archive import Archive, MemberError
from .build import Work
from .catalogue import Catalogue, identify, tilemap_path
from .errors import NotThere, Refusal
from .facts import Facts
from .kin import Kin
from .metadata import Table
from .models import Dataset
from .names import Names
from .sheet import Sheet

_ROW = re.compile(r"[0-9]{1,12}")
_THUMBNAIL = "Its thumbnail can still be had."


class Collection(ABC):
    """Pictures by row."""

    place: str
    """Where answers made of it are kept; another place whenever they would be others."""
    total: int
    name: str

    @abstractmethod
    def sheet(self, number: int) -> Sheet:
        """The sheet of the rows 1000 · number …"""

    network: str
    """What its features were computed with: those of equal networks can be compared. Empty where it is not known."""

    @property
    @abstractmethod
    def metadata_path(self) -> Path:
        """Where its metadata lie, if there are any."""

    def metadata(self) -> Table:
        return metadata.stored(self.metadata_path, self.total)

    @property
    def metadata_version(self) -> str:
        """Another one whenever the metadata may be others."""
        path = self.metadata_path
        return f"{path.stat().st_mtime_ns:x}" if path.is_file() else "none"

    @abstractmethod
    def finder(self) -> Finder:
        """Finds neighbours among its pictures. Raises `NotThere` where the features are not at hand."""

    @abstractmethod
    def read(self, row: int) -> bytes:
        """A picture's file as it came. Raises `Refusal` (404, 410)."""

    def row(self, text: str) -> int:
        """A row's number from what a client wrote. Raises `Refusal` (400) or `NotThere` (404)."""
        if not _ROW.fullmatch(text):
            raise Refusal(f"“{text[:40]}” is no picture: pictures are numbered from 0.")
        if int(text) >= self.total:
            known = f"the last one is {self.total - 1}" if self.total else "there is none at all"
            raise NotThere(f"There is no picture {int(text)}: {known}.")
        return int(text)

    @property
    @abstractmethod
    def all_names(self) -> Names:
        """Of all its pictures."""

    def names(self, rows: Iterable[int]) -> list[str]:
        every = self.all_names
        return [every[row] for row in rows]

    def select(self, fields: Mapping[str, Iterable[str]], search: str) -> Sequence[int] | NDArray[np.int64]:
        """Ascending rows that have, for every field, one of the values, and whose names contain what is searched for.

        Raises `Refusal` (400).
        """
        if search:
            rows = self.all_names.containing(search)
            return np.intersect1d(rows, self.metadata().select(fields), assume_unique=True) if fields else rows
        return self.metadata().select(fields) if fields else range(self.total)

    def facts(self, row: int) -> Facts | None:
        return self.sheet(row // ranges.SIZE).facts(row % ranges.SIZE)


class Upload(Collection):
    """Of a ready dataset."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        # An id that was deleted and sent again is computed anew.
        computed = dataset.finished_at or dataset.started_at
        self.place = f"dataset/{dataset.hash}/{computed:%Y%m%d%H%M%S%f}"
        self.total = dataset.count
        self.name = dataset.name
        self.network = dataset.network

    @property
    def metadata_path(self) -> Path:
        return self.dataset.folder / "metadata.npz"

    def finder(self) -> Finder:
        return Finder([self.features()])

    def features(self) -> Features:
        """`(n, d) float32`, memory-mapped."""
        try:
            # As a plain array: that of a memory map is of a kind of its own.
            return np.asarray(np.load(self.dataset.features.path, mmap_mode="r", allow_pickle=False))
        except FileNotFoundError:
            raise NotThere("The features of this dataset are gone.") from None

    def reducers(self) -> dict[str, Reducer]:
        """Those that were fitted on its pictures; none for a dataset of another space, or of an older version."""
        try:
            return {name: kind.load(self.dataset.folder / f"{name}.npz") for name, kind in REDUCERS.items()}
        except ModelError:
            return {}

    @property
    def space(self) -> str | None:
        """The identity of the catalogue's space that it was placed in, if it was."""
        columns = _columns(Path(self.dataset.pictures.path), self.place) if self.dataset.pictures else {}
        return cast(str | None, columns.get("space"))

    @cached_property
    def all_names(self) -> Names:
        return Names.of(self.dataset.names)

    def sheet(self, number: int) -> Sheet:
        columns = _columns(Path(self.dataset.pictures.path), self.place) if self.dataset.pictures else {}
        return Sheet(names=self.dataset.names, columns=columns, tilemap=Path(self.dataset.tilemap.path))

    def read(self, row: int) -> bytes:
        if not self.dataset.archive:
            raise Refusal(f"The archive with this picture was not kept. {_THUMBNAIL}", 410)
        member = self.sheet(0).member(row)
        try:
            with self.dataset.archive.open("rb") as file:
                if member is None:  # computed by an older version
                    return Archive(file, compute.limits()).read(self.dataset.names[row])
                return member.read(file)
        except FileNotFoundError:
            raise Refusal(f"The archive with this picture is gone. {_THUMBNAIL}", 410) from None
        except (MemberError, KeyError) as error:
            raise NotThere(f"This picture cannot be read from its archive any more. {_THUMBNAIL}") from error


class Installed(Collection):
    """Of the catalogue."""

    def __init__(self, catalogue: Catalogue, data: Path) -> None:
        self.catalogue = catalogue
        self.vectors_folder = data / "vectors"
        self.work = _work(data, catalogue.identity)
        self.total = catalogue.total
        self.name = catalogue.name
        self.network = self.work.network if self.work else ""
        # The records come a moment after the vectors, and go with `data/catalogue/`.
        self.place = f"catalogue/{catalogue.identity}/{'named' if self.work else 'bare'}"

    @property
    def metadata_path(self) -> Path:
        # Beside the vectors, and named as they are: an old server's catalogue has no other folder.
        return self.vectors_folder / f"metadata-{self.catalogue.identity}.npz"

    def finder(self) -> Finder:
        if self.work is None:
            raise NotThere(
                "The features of this catalogue are not at hand: neighbours can be found once it has been built here."
            )
        return _finder(self.work, self.catalogue.identity, self.work.index_version)

    def kin(self) -> Kin:
        """Its copies and outliers. Raises `NotThere` where they have not been looked for."""
        found = _kin(self.work, self.catalogue.identity, self.total) if self.work else None
        if found is None:
            raise NotThere(
                "Copies and outliers of this catalogue have not been looked for: where it was built here, "
                "`manage.py fit_reducers` does it."
            )
        return found

    @property
    def all_names(self) -> Names:
        return _names(self.work, self.catalogue.identity) if self.work else _numbers(self.total)

    def sheet(self, number: int) -> Sheet:
        tilemap = tilemap_path(self.catalogue.folder, number)
        if self.work is None:
            first = number * ranges.SIZE
            names = self.names(range(first, min(first + ranges.SIZE, self.total)))
            return Sheet(names=names, columns={}, tilemap=tilemap)
        record = _record(self.work.folder, self.catalogue.identity, number)
        return Sheet(names=record["names"], columns=record.get("facts", {}), tilemap=tilemap)

    def read(self, row: int) -> bytes:
        source = self.work.card.get("pictures") if self.work else None
        if not source:
            raise NotThere(f"The pictures of this catalogue are not at hand here. {_THUMBNAIL}")
        sheet, index = self.sheet(row // ranges.SIZE), row % ranges.SIZE
        member = sheet.member(index)
        try:
            if member is None:
                return (Path(source) / sheet.names[index]).read_bytes()
            with Path(source).open("rb") as file:
                return member.read(file)
        except (OSError, MemberError) as error:  # moved, changed or damaged since
            raise NotThere(f"This picture is not where the catalogue was built from any more. {_THUMBNAIL}") from error


def find(identity: str | None) -> Collection:
    """The upload of this id, or the catalogue for None. Raises `NotThere`."""
    return installed() if identity is None else upload(identity)


def upload(identity: str) -> Upload:
    """Raises `NotThere` where there is no such dataset, or none that is ready."""
    return Upload(Dataset.objects.readable(identity))


def installed() -> Installed:
    """Raises `NotThere` where no catalogue is installed."""
    catalogue = compute.shelf().catalogue()
    if not catalogue.total:
        raise NotThere("No catalogue is installed.")
    return Installed(catalogue, settings.DATA_DIR)


@lru_cache(maxsize=64)
def _columns(path: Path, place: str) -> Mapping[str, Sequence[Any]]:
    """An upload's facts; `place` tells one computation of it from the next."""
    try:
        columns: dict[str, Any] = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return columns


@lru_cache(maxsize=1)
def _finder(work: Work, identity: str, index: int) -> Finder:
    return Finder(work.blocks(), work.neighbours if index else None)


def _work(data: Path, identity: str) -> Work | None:
    """The installed build, if the installed vectors are its own: others may have been imported since."""
    folder = data / "catalogue"
    try:
        version = (folder / "source.json").stat().st_mtime_ns
        return _checked(folder, version, identity)
    except (OSError, BadVectors, json.JSONDecodeError):
        return None


@lru_cache(maxsize=4)
def _checked(folder: Path, version: int, identity: str) -> Work | None:
    fitted = {reducer: load(folder / "fitted" / f"{reducer}.npy") for reducer in REDUCERS}
    return Work(folder=folder) if identify(fitted) == identity else None


def _kin(work: Work, identity: str, total: int) -> Kin | None:
    try:
        return _kin_of(work, identity, total, work.kin_path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=1)
def _kin_of(work: Work, identity: str, total: int, version: int) -> Kin | None:
    return work.kin(total)


@lru_cache(maxsize=1)
def _names(work: Work, identity: str) -> Names:
    return work.names()


@lru_cache(maxsize=1)
def _numbers(total: int) -> Names:
    """What pictures are called whose names an old server did not leave."""
    return Names.of(f"{row:06d}" for row in range(total))


@lru_cache(maxsize=64)
def _record(folder: Path, identity: str, number: int) -> dict[str, Any]:
    record: dict[str, Any] = orjson.loads((folder / f"{ranges.range_id(number)}.json").read_bytes())
    return record
