"""The catalogues in the object store: what one host builds, installs or is told goes there, and all others follow.

collections/<id>   a catalogue's folder
catalogue          what belongs to all of them: which one is installed, metadata, names of clusters, saved views

Each host has copies, whose tilemaps, features and index are fetched when they are first needed. It looks for changes
every two seconds.
"""

import fcntl
import json
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from datasets.collection.folder import CollectionFolder, discard
from datasets.errors import Conflict, NotFound
from datasets.models import CATALOGUE, COLLECTIONS, NotStored, StoredFolder
from datasets.storage import local_copy
from datasets.storage.objects import is_used, store

from . import installed_catalogue, publication

EVERY_SECONDS = 2.0
_POINTER = "catalogue.json"
_followed: set[str] = set()
"""Names of the folders of which this process has brought copies up to date: of those, what is not there any more was
removed here."""


def follow(data: Path) -> None:
    """Take up what other hosts have changed; not while this one changes something. Raises `StorageAway`."""
    if is_used():
        with _alone(data, wait=False) as is_alone:
            if is_alone:
                _follow(data)


def _follow(data: Path) -> None:
    stored = dict(StoredFolder.objects.named(COLLECTIONS).values_list("name", "revision"))
    root = StoredFolder.objects.filter(name=CATALOGUE).first()
    if root is None:
        return
    for name, revision in stored.items():
        StoredFolder.objects.update_copy(name, data / name, revision)
        if CollectionFolder(path=data / name).manifest_path.exists():  # else it is still being stored
            _followed.add(name)
    if local_copy.state(data).revision != root.revision:
        _prepare_installed(data, root)
        StoredFolder.objects.update_copy(CATALOGUE, data, root.revision)
    for folder in installed_catalogue.collections(data):
        if _is_copy(folder) and _name_of(folder) not in stored:
            discard(folder.path)


def is_latest(data: Path) -> bool:
    """Whether this host has what the others have shared, and their installed catalogue's models."""
    root = StoredFolder.objects.filter(name=CATALOGUE).first()
    return root is None or local_copy.state(data).revision == root.revision


def begin(data: Path) -> None:
    """At a server's start: follow the others, or be the first whose catalogues are stored. Raises `StorageAway`."""
    if is_used() and not StoredFolder.objects.filter(name=CATALOGUE).exists():
        with _alone(data):
            _share(data)
    follow(data)


def _share(data: Path) -> None:
    """Store what this host has changed."""
    here = [folder for folder in installed_catalogue.collections(data) if folder.manifest_path.exists()]
    for folder in here:
        store_collection(folder)
    _begin(CATALOGUE)
    # Another host's pointer is followed once its catalogue is here.
    StoredFolder.objects.store(CATALOGUE, data, paths=_common(data), leave=[_POINTER])
    _link_models(data, installed_catalogue.installed_folder(data))
    for name in _followed - set(map(_name_of, here)):
        StoredFolder.objects.discard(name)
        _followed.remove(name)


@contextmanager
def changing(data: Path, *, wait: bool = True) -> Iterator[None]:
    """Change catalogues on this host during the block, and on the others after it.

    Raises `StorageAway`, and without `wait` `Conflict` where another process of this host changes them."""
    if not is_used():
        yield
        return
    with _alone(data, wait=wait) as is_alone:
        if not is_alone:
            raise Conflict("Another catalogue is just being stored or fetched on this server: try again later.")
        _follow(data)
        yield
        try:
            _share(data)
        except NotStored as error:
            sentence = "Another server has removed a catalogue while this one stored it: do it again."
            raise NotFound(sentence, code="catalogue-replaced") from error


@contextmanager
def _alone(data: Path, *, wait: bool = True) -> Iterator[bool]:
    """Let no other process or thread of this host follow or change catalogues during the block, if none does so."""
    with (data / ".stored.changing").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def store_collection(folder: CollectionFolder) -> None:
    """Store what was changed in a catalogue's folder, where there is a store. Raises `StorageAway`, and `NotStored` for
    a copy of what another host has removed."""
    if is_used():
        _begin_collection(folder)
        StoredFolder.objects.store(_name_of(folder), folder.path, is_whole=not _is_copy(folder))


def editing(data: Path) -> AbstractContextManager[None]:
    """Let no other host change what belongs to all catalogues during the block, which changes some of it; not which one
    is installed: that another one is here may be known before all of it is stored."""
    if is_used():
        _begin(CATALOGUE)
    return _editing(CATALOGUE, data, lambda: _beside_pointer(data), leave=[_POINTER])


def editing_collection(folder: CollectionFolder) -> AbstractContextManager[None]:
    """The same for a catalogue's own folder. Raises `NotFound` where another host has removed it."""
    if is_used():
        _begin_collection(folder)
    return _editing(_name_of(folder), folder.path)


@contextmanager
def _editing(
    name: str, folder: Path, paths: Callable[[], list[Path]] | None = None, leave: Collection[str] = ()
) -> Iterator[None]:
    if not is_used():
        yield
        return
    try:
        with StoredFolder.objects.edited(name, folder, paths, leave) as edit:
            yield
            edit.store()
    except NotStored:
        raise NotFound("This catalogue has just been removed by another server.", code="catalogue-missing") from None


def _name_of(folder: CollectionFolder) -> str:
    """What a catalogue's folder is called in the store."""
    return f"{COLLECTIONS}/{folder.path.name}"


def _is_copy(folder: CollectionFolder) -> bool:
    """Whether the store has it, or had it until another host removed it."""
    return bool(local_copy.state(folder.path).revision)


def _begin_collection(folder: CollectionFolder) -> None:
    """Unless another host has removed it; a database that has nothing at all is a new one."""
    if not _is_copy(folder) or not StoredFolder.objects.filter(name=CATALOGUE).exists():
        _begin(_name_of(folder))


def _begin(name: str) -> None:
    if not StoredFolder.objects.filter(name=name).exists():
        StoredFolder.objects.renew(name)


def _common(data: Path) -> list[Path]:
    return [path for path in (data / _POINTER, *_beside_pointer(data)) if path.exists()]


def _beside_pointer(data: Path) -> list[Path]:
    folder = data / "collections"
    return [path for ending in ("json", "parquet") for path in folder.glob(f"[!.]*.{ending}")]


def _prepare_installed(data: Path, root: StoredFolder) -> None:
    """Before another catalogue is the installed one: uploads are placed in its space."""
    state = root.state
    if _POINTER not in state.files:
        return
    with store().open(state.key(_POINTER)) as file:
        installed = json.loads(file.read())["id"]
    _link_models(data, CollectionFolder(path=data / "collections" / installed))


def _link_models(data: Path, folder: CollectionFolder) -> None:
    if installed_catalogue.is_built(folder):
        publication.link_models(data, folder)
