"""A folder whose files lie in the store, and the copy of it that this host has.

`.stored.json` in the folder says which files the store has: path → SHA-256, size, time of change, and the revision that
brought it. A file that differs from that in size or time has been changed here; one that is not there is fetched, small
ones with the others (`update`), and those that not everybody needs when they are opened (`fetched`). Times go along, so
what depends on them, as ETags do, is the same on every host.

Objects never change: each revision has keys of its own, so who is late with one, or removes what it replaced, touches
nothing of another one.
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from embeddings.vector_files import replacing

from .objects import is_used, store

STATE = ".stored.json"
_LOCK = ".stored.lock"
_FORMAT = 1
_NOTED_EVERY_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file as the store has it."""

    digest: str
    """SHA-256."""
    size: int
    changed: int
    """Nanoseconds since 1970."""
    revision: str
    """Of the folder, which brought it: in its key."""

    def is_that(self, path: Path) -> bool:
        """Whether the file that lies here is it."""
        stat = _stat(path)
        return stat is not None and (stat.st_size, stat.st_mtime_ns) == (self.size, self.changed)


Files = Mapping[str, StoredFile]
"""By path in the folder."""


@dataclass(frozen=True, kw_only=True)
class State:
    """What the store had when this host last looked."""

    prefix: str = ""
    """What the keys of its objects begin with; another one for a folder that was made anew."""
    revision: str = ""
    """Another one whenever the files are others."""
    files: Files = field(default_factory=dict)

    def key(self, path: str) -> str:
        """Of the object with the file of this path."""
        return key(self.prefix, self.files[path].revision, path)


def key(prefix: str, revision: str, path: str) -> str:
    return f"{prefix}/{revision}/{path}"


def as_json(files: Files) -> dict[str, list[str | int]]:
    return {path: [file.digest, file.size, file.changed, file.revision] for path, file in files.items()}


def of_json(content: Mapping[str, list[Any]]) -> dict[str, StoredFile]:
    return {
        path: StoredFile(digest=digest, size=size, changed=changed, revision=revision)
        for path, (digest, size, changed, revision) in content.items()
    }


def state(folder: Path) -> State:
    """Empty where the folder is not there, or not from the store."""
    stat = _stat(folder / STATE)
    return _read(folder / STATE, stat.st_mtime_ns, stat.st_ino) if stat else State()


@lru_cache(maxsize=64)
def _read(path: Path, changed: int, inode: int) -> State:
    try:
        content = json.loads(path.read_bytes())
        if content["format"] == _FORMAT:
            return State(prefix=content["prefix"], revision=content["revision"], files=of_json(content["files"]))
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        pass
    return State()


def _write_state(folder: Path, new: State) -> None:
    content = {"format": _FORMAT, "prefix": new.prefix, "revision": new.revision, "files": as_json(new.files)}
    with replacing(folder / STATE) as file:
        file.write(json.dumps(content).encode())


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let no other thread or process of this host bring the folder up to date meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def note_use(folder: Path) -> None:
    """Keep this copy for a while."""
    with suppress(FileNotFoundError):
        if time.time() - (folder / _LOCK).stat().st_mtime > _NOTED_EVERY_SECONDS:
            os.utime(folder / _LOCK)


def last_used(folder: Path) -> float:
    """Seconds since 1970. Raises `FileNotFoundError`."""
    lock = _stat(folder / _LOCK)
    return max(folder.stat().st_mtime, lock.st_mtime if lock else 0.0)


def update(folder: Path, new: State, leave: Collection[str] = ()) -> None:
    """Make the folder what the store has: what is outdated goes, what everybody needs is fetched; but for those files
    that are to be left as they are. It is locked. What was changed here, and not in the store, is still to be stored.

    Where one is left that is outdated, the folder keeps its revision: it is not up to date. Raises
    `FileNotFoundError` where the store has other files meanwhile.
    """
    old = state(folder)
    for path in old.files.keys() - new.files.keys() - set(leave):
        (folder / path).unlink(missing_ok=True)
    for path, file in new.files.items():
        is_changed_here = old.files.get(path) == file and (folder / path).exists()
        if path in leave or is_changed_here or file.is_that(folder / path):
            continue
        if is_fetched_at_need(path):
            (folder / path).unlink(missing_ok=True)
        else:
            _fetch(folder / path, new.key(path), file)
    outdated = {path for path in leave if old.files.get(path) != new.files.get(path)}
    outdated -= {path for path in outdated & new.files.keys() if new.files[path].is_that(folder / path)}
    if outdated:
        files = {path: file for path, file in new.files.items() if path not in outdated}
        files |= {path: old.files[path] for path in outdated if path in old.files}
        new = State(prefix=new.prefix, revision=old.revision, files=files)
    _write_state(folder, new)


def is_fetched_at_need(path: str) -> bool:
    """Whether a file is large, or one of many, and not needed for each call."""
    first, _, rest = path.partition("/")
    if rest:
        return first in ("features", "tilemaps") or path.startswith("index/index.")
    return path.endswith(".zip") or path.startswith("features")


def fetched(path: Path) -> Path:
    """The same path; the file lies there now, if the store has it. Raises `StorageAway`."""
    if is_used() and not path.exists():
        folder, name, known = _owner(path)
        if known and (file := known.files.get(name)):
            with locked(folder):
                if not path.exists():
                    _fetch(path, known.key(name), file)
    return path


def fetch_all(folder: Path, pattern: str = "*") -> None:
    """Fetch all files of a pattern, such as `index/*`. Raises `FileNotFoundError`, `StorageAway`."""
    if is_used():
        for name in matching(folder, pattern):
            fetched(folder / name)


def matching(folder: Path, pattern: str) -> Files:
    """The files of a pattern that the store has of a folder."""
    return {name: file for name, file in state(folder).files.items() if fnmatch(name, pattern)}


def is_stored(path: Path) -> bool:
    """Whether a file is there, here or in the store."""
    return size_of(path) is not None


def size_of(path: Path) -> int | None:
    """Bytes of a file that is here or in the store; None where there is none."""
    if stat := _stat(path):
        return stat.st_size
    _, name, known = _owner(path) if is_used() else (path, "", None)
    file = known.files.get(name) if known else None
    return file.size if file else None


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file to read from: what lies here, else the object, of which only what is read is fetched.

    Raises `FileNotFoundError`, `StorageAway`.
    """
    _, name, known = _owner(path) if is_used() and not path.exists() else (path, "", None)
    there = known is not None and name in known.files
    with store().open(known.key(name)) if known and there else path.open("rb") as file:
        yield file


def described(folder: Path, known: Files, paths: Iterable[Path], revision: str) -> dict[str, StoredFile]:
    """These files as the store is to have them: those of a `known` content under the revision that brought it.

    Those that another host has changed are left out, where this one has its old copy of them.
    """
    found, copied = {}, state(folder).files
    for path in paths:
        name, stat = path.relative_to(folder).as_posix(), _stat(path)
        before = known.get(name)
        if stat is None:
            continue
        if before and before.is_that(path):
            found[name] = before
            continue
        if before and (mine := copied.get(name)) and mine != before and mine.is_that(path):
            continue
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        brought = before.revision if before and before.digest == digest else revision
        found[name] = StoredFile(digest=digest, size=stat.st_size, changed=stat.st_mtime_ns, revision=brought)
    return found


def contents(folder: Path) -> list[Path]:
    """All files of a folder but those that are being written, whose names begin with a dot."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(parent) / name for name in names if not name.startswith(".")]
    return sorted(found)


def remove_unknown(folder: Path) -> None:
    """Remove what the store does not have, as a process that was killed has left it."""
    known = state(folder).files
    for path in contents(folder):
        if path.relative_to(folder).as_posix() not in known:
            path.unlink(missing_ok=True)


def _fetch(path: Path, key: str, file: StoredFile) -> None:
    with replacing(path) as target:
        store().fetch(key, file.size, target)
        target.flush()
        os.utime(target.fileno(), ns=(file.changed, file.changed))


def _owner(path: Path) -> tuple[Path, str, State | None]:
    """The folder from the store that a path lies in, its name there, and what the store has; None if it is in none."""
    for folder in list(path.parents)[:3]:
        if (known := state(folder)).revision:
            return folder, path.relative_to(folder).as_posix(), known
    return path.parent, path.name, None


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
