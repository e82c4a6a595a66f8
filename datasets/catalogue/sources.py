"""Where a catalogue's pictures come from: a folder, or a ZIP, of any size."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from zipfile import BadZipFile, ZipFile, ZipInfo

from datasets.pictures.zip_archive import Member, MemberError, may_be_picture


class SourceError(Exception):
    """A source cannot be used; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Files by name, sorted, each read on demand from several threads."""

    label: str
    """What it is, in words."""
    names: list[str]
    read: Callable[[str], bytes]
    """One file's bytes. Raises `MemberError`."""
    location: str
    """The path of the folder or the ZIP; empty where it lies nowhere."""
    member: Callable[[str], Member | None] = lambda name: None
    """Where a file lies in the ZIP."""


class OpenSource:
    """Opens a folder or a ZIP that its owner trusts: no limits, and a ZIP's pictures may lie in a folder of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = ExitStack()

    def __enter__(self) -> Source:
        path = self._path
        if path.is_dir():
            return _folder(path)
        if not path.exists():
            raise SourceError(f"there is no folder or ZIP {path}")
        try:
            archive = self._stack.enter_context(ZipFile(path))
        except (BadZipFile, OSError) as error:
            raise SourceError(f"{path} is neither a folder nor a ZIP: {error}") from error
        return _zip(path, archive)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def _folder(path: Path) -> Source:
    names = sorted(
        entry.name
        for entry in path.iterdir()
        if not entry.name.startswith(".") and may_be_picture(entry.name) and entry.is_file()
    )
    if not names:
        inside = next((entry.name for entry in sorted(path.iterdir()) if entry.is_dir()), None)
        hint = f"; name the folder inside it, such as {path / inside}" if inside else ""
        raise SourceError(f"{path} holds no pictures{hint}")

    def read(name: str) -> bytes:
        try:
            return (path / name).read_bytes()
        except OSError as error:
            raise MemberError(f"it cannot be read: {error.strerror}") from error

    return Source(label=str(path), names=names, read=read, location=str(path.resolve()))


def _zip(path: Path, archive: ZipFile) -> Source:
    folders: dict[str, dict[str, ZipInfo]] = {}
    for entry in archive.infolist():
        folder, _, name = entry.filename.rpartition("/")
        if name and not name.startswith(".") and "__MACOSX" not in folder and may_be_picture(name):
            folders.setdefault(folder, {})[name] = entry
    if not folders:
        raise SourceError(f"{path} holds no pictures")
    # CelebA's own archive keeps its pictures in a folder; with several, the fullest one is the collection.
    folder = max(sorted(folders), key=lambda name: len(folders[name]))
    entries = folders[folder]

    def read(name: str) -> bytes:
        try:
            return archive.read(entries[name])
        except Exception as error:  # zipfile and zlib raise a dozen types for a damaged or encrypted member
            raise MemberError(f"it cannot be read from the ZIP: {error}") from error

    return Source(
        label=f"{path}/{folder}".rstrip("/"),
        names=sorted(entries),
        read=read,
        location=str(path.resolve()),
        member=lambda name: Member.of(entries[name]),
    )
