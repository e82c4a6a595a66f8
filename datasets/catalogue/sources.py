"""Where a catalogue's pictures come from: a folder, a ZIP or an s3:// prefix, of any size."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from zipfile import BadZipFile, ZipFile, ZipInfo

from datasets.pictures import s3_objects
from datasets.pictures.extraction import DECODERS
from datasets.pictures.zip_archive import Member, MemberError, Skipped, may_be_picture

_FOLDER = "it is a folder"


class SourceError(Exception):
    """A source cannot be used; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Files by name, sorted by code points, each read on demand from several threads."""

    label: str
    """What it is, in words."""
    names: list[str]
    read: Callable[[str], bytes]
    """One file's bytes. Raises `MemberError`."""
    location: str
    """The path of the folder or the ZIP, or the s3:// address; empty where it lies nowhere."""
    title: str = ""
    """What to call a catalogue of it."""
    member: Callable[[str], Member | None] = lambda name: None
    """Where a file lies in the ZIP."""
    left: list[Skipped] = field(default_factory=list)
    """What is not looked at, sorted by name, and why."""
    threads: int = DECODERS
    """How many files to read and decode at once."""


class OpenSource:
    """Opens what its owner trusts: no limits, and a ZIP's pictures may lie in a folder of it."""

    def __init__(self, address: Path | str) -> None:
        """A path, or s3://bucket/prefix."""
        self._address = address
        self._stack = ExitStack()

    def __enter__(self) -> Source:
        if str(self._address).startswith(s3_objects.SCHEME):
            return _bucket(str(self._address).rstrip("/"))
        path = Path(self._address)
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
    names: list[str] = []
    left: list[Skipped] = []
    for entry in path.iterdir():
        if reason := _why_not(entry.name) or _why_no_file(entry):
            left.append(_left(entry.name, reason))
        else:
            names.append(entry.name)
    if not names:
        inside = next((entry.name for entry in sorted(path.iterdir()) if entry.is_dir()), None)
        hint = f"; name the folder inside it, such as {path / inside}" if inside else ""
        raise SourceError(f"{path} holds no pictures{hint}")

    def read(name: str) -> bytes:
        try:
            return (path / name).read_bytes()
        except OSError as error:
            raise MemberError(f"it cannot be read: {error.strerror}") from error

    return Source(
        label=str(path),
        names=sorted(names),
        read=read,
        location=str(path.resolve()),
        title=path.resolve().stem,
        left=sorted(left, key=_name),
    )


def _zip(path: Path, archive: ZipFile) -> Source:
    folders: dict[str, dict[str, ZipInfo]] = {}
    left: list[Skipped] = []
    for entry in archive.infolist():
        folder, _, name = entry.filename.rpartition("/")
        reason = "macOS added it" if "__MACOSX" in folder else _why_not(name) if name else None
        if reason:
            left.append(_left(entry.filename, reason))
        elif name:
            inside = folders.setdefault(folder, {})
            if name in inside:
                left.append(_left(entry.filename, "another file of the same name comes later", "replaced"))
            inside[name] = entry
    if not folders:
        raise SourceError(f"{path} holds no pictures")
    # CelebA's own archive keeps its pictures in a folder; with several, the fullest one is the collection.
    folder = max(sorted(folders), key=lambda name: len(folders[name]))
    entries = folders[folder]
    others = (entry for name, inside in folders.items() if name != folder for entry in inside.values())
    left += [_left(entry.filename, "it lies in a folder") for entry in others]

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
        title=path.resolve().stem,
        member=lambda name: Member.of(entries[name]),
        left=sorted(left, key=_name),
    )


def _bucket(address: str) -> Source:
    """As a folder of the same files: what lies deeper is not looked at, and the order is that of the names."""
    names: list[str] = []
    left: dict[str, Skipped] = {}
    try:
        for key in s3_objects.names(address):
            name, _, inside = key.partition("/")
            if reason := _why_not(name) or (inside and _FOLDER):
                left[name] = _left(name, reason)
            else:
                names.append(name)
    except s3_objects.S3Error as error:
        raise SourceError(str(error)) from error
    if not names:
        inner = next((name for name, skipped in sorted(left.items()) if skipped.reason == _FOLDER), None)
        hint = f"; name the folder inside it, such as {address}/{inner}" if inner else ""
        raise SourceError(f"{address} holds no pictures{hint}")

    return Source(
        label=address,
        names=sorted(names),
        read=bucket_reader(address),
        location=address,
        title=address.rpartition("/")[2],
        left=sorted(left.values(), key=_name),
        threads=DECODERS + s3_objects.CONNECTIONS,
    )


def bucket_reader(address: str) -> Callable[[str], bytes]:
    """Reads a file by its name. That raises `MemberError`, and `SourceError` where it is no fault of the file."""

    def read(name: str) -> bytes:
        try:
            return s3_objects.reader(address)(name)
        except s3_objects.S3Error as error:
            raise SourceError(f"{error}. The same command goes on where it was, once it can be read.") from error

    return read


def _why_not(name: str) -> str | None:
    """Why a file of this name is not looked at."""
    if name.startswith("."):
        return "it is hidden"
    return None if may_be_picture(name) else "its ending says that it is no picture"


def _why_no_file(entry: Path) -> str | None:
    if entry.is_file():
        return None
    return _FOLDER if entry.is_dir() else "it is no file"


def _left(name: str, reason: str, kind: str = "passed_over") -> Skipped:
    return Skipped(name=name, reason=reason, kind=kind)


def _name(skipped: Skipped) -> str:
    return skipped.name
