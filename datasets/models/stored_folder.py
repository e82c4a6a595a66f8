"""A row for each folder in the object store (`datasets.storage`): which files it has, for all hosts.

The row is the truth: a file is there once the row says so, and a folder that is made anew has another prefix, under
which whoever was late with the old one writes nothing.
"""

import secrets
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Self

from django.db import models, transaction
from django.utils import timezone

from datasets.storage import local_copy
from datasets.storage.local_copy import Files, State, StoredFile
from datasets.storage.objects import StorageAway, store

DATASETS, COLLECTIONS, CATALOGUE = "datasets", "collections", "catalogue"
"""What names begin with: of uploads, of catalogues, and of what all catalogues have in common."""

QUERIES = "queries"
"""What keys of pictures to look for begin with. They belong to no folder."""


class NotStored(Exception):
    """The folder was deleted, made anew or taken over by another worker; nothing was stored."""


class StoredFolderQuerySet(models.QuerySet["StoredFolder"]):
    def renew(self, name: str) -> None:
        """Begin a folder of this name without files; what one of this name had goes."""
        old = self.filter(name=name).values_list("prefix", flat=True).first()
        fresh = {"prefix": f"{name}/{secrets.token_hex(6)}", "revision": secrets.token_hex(8), "files": {}}
        self.update_or_create(name=name, defaults=fresh)
        if old:
            transaction.on_commit(lambda: _remove(old))

    def discard(self, name: str) -> None:
        """Remove a folder, if it is there."""
        prefixes = list(self.filter(name=name).values_list("prefix", flat=True))
        self.filter(name=name).delete()
        for prefix in prefixes:
            transaction.on_commit(lambda prefix=prefix: _remove(prefix))  # type: ignore[misc]

    def update_copy(self, name: str, folder: Path, revision: str = "", leave: Collection[str] = ()) -> bool:
        """Bring this host's copy of a folder up to date, to be of this revision at least; but for those files that are
        to be left. False: there is no such folder. Raises `StorageAway`."""
        local_copy.note_use(folder)
        if revision and local_copy.state(folder).revision == revision:
            return True
        for is_last in (False, True):
            row = self.filter(name=name).first()
            if row is None:
                return False
            if local_copy.state(folder) == row.state:
                return True
            try:
                with local_copy.locked(folder):
                    # Another thread may have brought it further meanwhile.
                    row = self.filter(name=name).first()
                    if row is not None:
                        local_copy.update(folder, row.state, leave)
                return row is not None
            except FileNotFoundError:  # the row is another one meanwhile
                if is_last:
                    raise
        raise AssertionError("the second time returns or raises")

    def store(
        self,
        name: str,
        folder: Path,
        *,
        paths: Iterable[Path] | None = None,
        like: Iterable[str] = (),
        publish: Callable[[str], object] = lambda revision: True,
        is_whole: bool = False,
        leave: Collection[str] = (),
    ) -> str:
        """Store what this host has changed in a folder, or of these files of it. Returns the revision.

        `like` are names of folders that may have the same files, which are copied within the store. `publish` is told
        the revision in the transaction that makes the files known to others, and may refuse it. A folder that
        `is_whole` has all its files here; the store forgets the others. What is to be left is neither stored nor
        fetched. Raises `NotStored`, `StorageAway`.
        """
        while True:
            row = self._of(name)
            revision = secrets.token_hex(8)
            there = local_copy.contents(folder) if paths is None else list(paths)
            before = row.state.files
            found = local_copy.described(folder, before, there, revision)
            new = {path: file for path, file in found.items() if file.revision == revision}
            gone = before.keys() - found.keys() if is_whole else _removed(folder, row.state) if paths is None else set()
            if not gone and all(before.get(path) == file for path, file in found.items()):
                if local_copy.state(folder).revision:  # what was stored before may not have been noted
                    self.update_copy(name, folder, leave=leave)
                return row.revision
            _put(folder, row.prefix, new, self.filter(name__in=list(like)))
            with transaction.atomic():
                current = self._of(name, row.prefix, for_update=True)
                if not publish(revision):
                    raise NotStored(name)
                kept = current.state.files
                if any(path not in new and kept.get(path) != before.get(path) for path in found):
                    transaction.set_rollback(True)
                    continue  # what was there already is another one, or gone: look again
                files = {path: file for path, file in kept.items() if path not in gone} | found
                current.replace_files(files, revision)
                # Nothing is certain before: what failed must be found changed by who tries it again.
                transaction.on_commit(partial(_remove_replaced, kept, files, row.prefix), robust=True)
                transaction.on_commit(partial(self.update_copy, name, folder, leave=leave), robust=True)
            return revision

    def keep(self, name: str, is_kept: Callable[[str], bool]) -> str:
        """Remove all files of a folder but some. Returns the revision; empty where it is not there."""
        with transaction.atomic():
            row = self.select_for_update().filter(name=name).first()
            if row is None:
                return ""
            before = row.state.files
            kept = {path: file for path, file in before.items() if is_kept(path)}
            if len(kept) == len(before):
                return row.revision
            row.replace_files(kept, secrets.token_hex(8))
            transaction.on_commit(lambda: _remove_replaced(before, kept, row.prefix))
        return row.revision

    @contextmanager
    def edited(
        self,
        name: str,
        folder: Path,
        paths: Callable[[], Iterable[Path]] | None = None,
        leave: Collection[str] = (),
    ) -> Iterator["Edit"]:
        """Let no other host change the folder during the block, which changes files of it, and stores them at its end;
        but for those that are to be left as they are here.

        Raises `NotStored`, `StorageAway`.
        """
        with transaction.atomic():
            row = self._of(name, for_update=True)
            self.update_copy(name, folder, row.revision, leave)
            yield Edit(lambda: self.store(name, folder, paths=paths and paths(), leave=leave))

    def lock(self, name: str) -> None:
        """Let nobody else change this folder in the store until the transaction ends.

        Who changes a dataset's row, too, does so after this, or two would wait for each other."""
        self.select_for_update().filter(name=name).first()

    def _of(self, name: str, prefix: str = "", *, for_update: bool = False) -> "StoredFolder":
        """Raises `NotStored`."""
        rows = self.select_for_update() if for_update else self
        row = rows.filter(name=name, **({"prefix": prefix} if prefix else {})).first()
        if row is None:
            raise NotStored(name)
        return row

    def remove_unknown(self, age: timedelta) -> None:
        """Remove objects so old that no row speaks of: of folders that were deleted or made anew, and of revisions that
        nobody was told of. Raises `StorageAway`."""
        for kind in (DATASETS, COLLECTIONS, CATALOGUE, QUERIES):
            known = {
                row.state.key(path) for row in self.filter(name__startswith=kind).iterator() for path in row.state.files
            }
            oldest = timezone.now() - age
            left = [key for key, written in store().listed(kind) if key not in known and written < oldest]
            store().delete(left)

    def named(self, kind: str) -> Self:
        return self.filter(name__startswith=f"{kind}/")


@dataclass(frozen=True)
class Edit:
    """Of a folder that nobody else changes meanwhile."""

    store: Callable[[], str]
    """Store what was changed. Returns the revision."""


class StoredFolder(models.Model):
    """One folder in the store."""

    name = models.CharField(max_length=80, unique=True, editable=False)
    prefix = models.CharField(max_length=100, editable=False)
    """What the keys of its objects begin with."""
    revision = models.CharField(max_length=16, editable=False)
    files = models.JSONField(default=dict, editable=False)
    """As `local_copy.as_json` has them."""
    changed_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = StoredFolderQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> State:
        return State(prefix=self.prefix, revision=self.revision, files=local_copy.of_json(self.files))

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.state.files.values())

    def replace_files(self, files: Files, revision: str) -> None:
        """Make these its files."""
        self.files, self.revision, self.changed_at = local_copy.as_json(files), revision, timezone.now()
        self.save(update_fields=["files", "revision", "changed_at"])


def _put(folder: Path, prefix: str, new: dict[str, StoredFile], like: StoredFolderQuerySet) -> None:
    """Store these files of a folder; those that another folder of the store has are copied there."""
    known = {
        (file.digest, file.size): row.state.key(path)
        for row in (like if new else like.none())
        for path, file in row.state.files.items()
    }
    target = {path: local_copy.key(prefix, file.revision, path) for path, file in new.items()}
    shared = {path: key for path, file in new.items() if (key := known.get((file.digest, file.size)))}
    try:
        store().copy((key, target[path]) for path, key in shared.items())
    except FileNotFoundError:  # that folder has just been deleted
        shared = {}
    store().put((target[path], folder / path) for path in new if path not in shared)


def _removed(folder: Path, known: State) -> set[str]:
    """The files that this host had a copy of and has removed. Of those that it fetches at need it cannot tell."""
    if local_copy.state(folder).revision != known.revision:
        return set()
    return {path for path in known.files if not local_copy.is_fetched_at_need(path) and not (folder / path).exists()}


def _remove_replaced(before: Files, after: Files, prefix: str) -> None:
    old = {local_copy.key(prefix, file.revision, path) for path, file in before.items()}
    left = old - {local_copy.key(prefix, file.revision, path) for path, file in after.items()}
    with suppress(StorageAway):  # they take room until the folder goes
        store().delete(left)


def _remove(prefix: str) -> None:
    with suppress(StorageAway):  # the next sweep finds it
        store().delete_below(prefix)
