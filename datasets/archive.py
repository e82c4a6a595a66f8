"""A ZIP, whatever it holds → its top-level pictures by name, each read into memory on demand.

Nothing is ever unpacked to a path that the archive names, and nothing that a header says is believed beyond what the
limits allow.
"""

import bz2
import copy
import io
import mimetypes
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import IO, NamedTuple

from .errors import Refusal

# Methods whose decompressors need little memory. LZMA's dictionary may be asked to take gigabytes.
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}
_ENCRYPTED = 0x1
METADATA = ("metadata.csv", "metadata.json")
"""What the file that says something of the pictures is called, in any case of letters; the first one counts."""
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
# Python's own table, without the operating system's: the same archive is judged alike on every machine.
_TYPES = mimetypes.MimeTypes()
_DIRECTORY_BYTES_A_MEMBER = 512
# Of what is passed over: an archive may have 100,000 entries, with names as long as it likes.
_LISTED, _LONGEST_NAME = 10_000, 255

# A page of one colour shrinks a thousandfold and is harmless; a ratio says something about large members only.
_RATIO_MATTERS_FROM = 32 * 2**20


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an archive may ask of the server."""

    members: int = 100_000
    """Entries of any kind."""
    member_bytes: int = 256 * 2**20
    """One picture, unpacked."""
    total_bytes: int = 8 * 2**30
    """All pictures together, unpacked."""
    ratio: int = 200
    """Unpacked to packed size of one large member."""


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A file that should have been a picture, and why it is none."""

    name: str
    reason: str
    kind: str = field(default="unreadable", compare=False)
    """What the import report calls it."""

    def told(self) -> dict[str, str]:
        return {"name": self.name, "reason": self.reason}


class Member(NamedTuple):
    """Where a file lies in a ZIP: enough to read it again without the directory, of perhaps 200,000 entries."""

    offset: int
    """Of its local header."""
    packed: int
    """Bytes."""
    size: int
    """Bytes, unpacked."""
    method: int
    crc: int

    @classmethod
    def of(cls, entry: zipfile.ZipInfo) -> "Member":
        return cls(entry.header_offset, entry.compress_size, entry.file_size, entry.compress_type, entry.CRC)

    def read(self, file: IO[bytes]) -> bytes:
        """The file's bytes, never more than were declared. Raises `MemberError` where the ZIP is another by now."""
        try:
            file.seek(self.offset)
            header = file.read(_LOCAL_HEADER.size)
            signature, *_, name, extra = _LOCAL_HEADER.unpack(header)
            if signature != b"PK\x03\x04":
                raise zipfile.BadZipFile("Bad magic number for file header")
            if self.packed > self.size * 1.02 + 2**16:
                raise zipfile.BadZipFile("packed to more than its size")
            file.seek(name + extra, io.SEEK_CUR)
            packed = file.read(self.packed)
            if self.method == zipfile.ZIP_DEFLATED:
                content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, self.size)
            elif self.method == zipfile.ZIP_BZIP2:
                content = bz2.BZ2Decompressor().decompress(packed, self.size)
            else:
                content = packed
            if zlib.crc32(content) != self.crc:
                raise zipfile.BadZipFile("Bad CRC-32")
        except Exception as error:  # each module has its own
            raise MemberError(f"damaged in the ZIP: {str(error) or type(error).__name__}") from error
        return content


class MemberError(Exception):
    """One member cannot be read; the message says why. The others can."""


class OverLimit(MemberError):
    """One member asks for more than the limits allow."""


class Archive:
    """An opened ZIP. Raises `Refusal` (400, 413) where nothing in it can be used."""

    def __init__(self, file: IO[bytes], limits: Limits) -> None:
        self._limits = limits
        try:
            _check_directory(file, limits)
            self._zip = zipfile.ZipFile(file)
        except Refusal:
            raise
        except Exception as error:  # zipfile fails on foreign bytes in a dozen ways
            raise Refusal("The file is not a ZIP archive, or it was cut off on its way here.") from error
        files = [entry for entry in self._zip.infolist() if not entry.filename.endswith("/")]
        found: dict[str, zipfile.ZipInfo] = {}
        notes: dict[str, zipfile.ZipInfo] = {}
        self.replaced: list[Skipped] = []
        """Files that another one of the same name replaced, as it would when unpacked."""
        self.passed_over = 0
        """Files that are no pictures, are hidden or lie in folders."""
        self.left: list[Skipped] = []
        """The first thousands of them, each with its reason."""
        in_folders = 0
        for entry in files:
            name = _top_level_name(entry.filename)
            if name is None:
                self._leave(entry.filename, _why_not(entry.filename))
                in_folders += _lies_in_folder(entry.filename) and named_as_picture(entry.filename)
            elif may_be_picture(name):
                if name in found:
                    reason = "another file of the same name comes later"
                    self.replaced.append(Skipped(name=name, reason=reason, kind="replaced"))
                found[name] = entry
            elif name.lower() in METADATA:
                notes[name.lower()] = entry
            else:
                self._leave(name, "its ending says that it is no picture")
        self.passed_over = len(files) - len(found) - len(self.replaced)
        self.metadata = next((name for name in METADATA if name in notes), None)
        """The file that says something of the pictures, if there is one."""
        self.passed_over -= self.metadata is not None
        self._entries = dict(sorted(found.items())) | {name: notes[name] for name in [self.metadata] if name}
        if not found:
            raise Refusal(_nothing_found(in_folders))
        if sum(min(entry.file_size, limits.member_bytes) for entry in found.values()) > limits.total_bytes:
            raise Refusal(f"The ZIP unpacks to more than the limit of {_size(limits.total_bytes)}.", 413)

    @property
    def names(self) -> list[str]:
        """Names of what may be pictures, at the top level, sorted."""
        return [name for name in self._entries if name != self.metadata]

    def _leave(self, name: str, reason: str) -> None:
        if len(self.left) < _LISTED:
            self.left.append(Skipped(name=name[:_LONGEST_NAME], reason=reason, kind="passed_over"))

    def read(self, name: str) -> bytes:
        """One member's bytes. Raises `MemberError`."""
        entry = self._entries[name]
        limit = self._limits.member_bytes
        if entry.flag_bits & _ENCRYPTED:
            raise MemberError("it is encrypted")
        if entry.compress_type not in _METHODS:
            raise MemberError("it is compressed by a method that is not read here; use deflate")
        if entry.file_size > limit:
            raise OverLimit(f"too large: {_size(entry.file_size)} is over the limit of {_size(limit)}")
        if entry.file_size > max(_RATIO_MATTERS_FROM, self._limits.ratio * max(entry.compress_size, 1)):
            raise OverLimit(f"it unpacks to more than {self._limits.ratio} times its packed size")
        try:
            # Never more than was declared and allowed, whatever the compressed stream would give.
            if entry.compress_type == zipfile.ZIP_BZIP2:
                return self._read_bzip2(entry)
            with self._zip.open(entry) as member:
                return member.read(entry.file_size + 1)
        except Exception as error:  # as above
            raise MemberError(f"damaged in the ZIP: {str(error) or type(error).__name__}") from error

    def size(self, name: str) -> int:
        """Bytes that one says to have, unpacked."""
        return self._entries[name].file_size

    def member(self, name: str) -> Member:
        """Where one lies."""
        return Member.of(self._entries[name])

    def _read_bzip2(self, entry: zipfile.ZipInfo) -> bytes:
        """zipfile unpacks all that it has read of a bzip2 stream at once, and 4 KB of one can hold gigabytes."""
        packed = copy.copy(entry)
        packed.compress_type, packed.file_size = zipfile.ZIP_STORED, entry.compress_size
        packed.CRC = None  # type: ignore[assignment]  # of the packed bytes, which nobody has recorded
        with self._zip.open(packed) as member:
            content = bz2.BZ2Decompressor().decompress(member.read(self._limits.member_bytes), entry.file_size)
        if zlib.crc32(content) != entry.CRC:
            raise zipfile.BadZipFile("Bad CRC-32")
        return content


def named_as_picture(name: str) -> bool:
    """Whether the file's ending promises a picture."""
    return (_kind(name) or "").startswith("image/")


def may_be_picture(name: str) -> bool:
    """Not ruled out by its ending: pictures are known by their content, and some have no ending at all."""
    kind = _kind(name)
    return kind is None or kind.startswith("image/")


def _kind(name: str) -> str | None:
    return _TYPES.guess_type(name, strict=False)[0]


def _top_level_name(path: str) -> str | None:
    """The name of a visible file at the archive's top level, else `None`. Some Windows tools write backslashes."""
    name = path.replace("\\", "/").removeprefix("./")
    return None if "/" in name or name.startswith(".") or not name else name


def _why_not(path: str) -> str:
    path = path.replace("\\", "/").removeprefix("./")
    if "__MACOSX" in path:
        return "macOS added it"
    return "it lies in a folder" if "/" in path else "it is hidden"


def _lies_in_folder(path: str) -> bool:
    """Whether a visible file lies in a folder; macOS adds a folder `__MACOSX`, whose files only look like pictures."""
    folder, _, name = path.replace("\\", "/").rpartition("/")
    return bool(folder) and not name.startswith(".") and "__MACOSX" not in folder


def _check_directory(file: IO[bytes], limits: Limits) -> None:
    """Refuse a directory too large to be read, or of more entries than are worth making objects of."""
    end: list[int] | None = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    if end is None:
        return  # for zipfile to complain of
    size, location = end[5], end[9]
    if size > limits.members * _DIRECTORY_BYTES_A_MEMBER:
        raise Refusal(f"The ZIP's directory is too large; the limit is {limits.members} entries.", 413)
    # Counted, since the end record may understate them. A ZIP64's own end records (76 bytes) stand in between.
    file.seek(max(location - size - 76, 0))
    count = file.read(size + 76).count(b"PK\x01\x02")
    if count > limits.members:
        raise Refusal(f"The ZIP has {count} entries; the limit is {limits.members}.", 413)


def _nothing_found(in_folders: int) -> str:
    if in_folders:
        return (
            f"The ZIP has no pictures at its top level, but {in_folders} in folders: "
            "zip the pictures themselves, not the folder that holds them."
        )
    return "The ZIP has no pictures at its top level."


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
