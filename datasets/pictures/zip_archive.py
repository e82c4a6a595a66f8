"""A ZIP, whatever it holds → its pictures by name, each read into memory on demand.

The pictures are those at its top level, or, where there are none, those of the only folder that has any. Nothing is
ever unpacked to a path that the archive names, and nothing that a header says is believed beyond what the limits allow.
"""

import bz2
import io
import struct
import threading
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any, NamedTuple

from datasets.errors import ApiError, TooLarge

from . import zip_directory, zip_layout, zip_names
from .projector import folder, unused
from .projector.folder import ProjectorFolder
from .zip_directory import Entry
from .zip_layout import Located, may_be_picture, named_as_picture

__all__ = ["Archive", "Limits", "Member", "MemberError", "OverLimit", "Skipped", "may_be_picture", "named_as_picture"]

# Methods whose decompressors need little memory. LZMA's dictionary may be asked to take gigabytes.
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}
METADATA = zip_layout.METADATA
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
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

    def as_dict(self) -> dict[str, str]:
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
            return self._unpacked(self._packed(file))
        except Exception as error:  # each module has its own
            raise _damaged(error) from error

    def beginning(self, file: IO[bytes]) -> bytes:
        """Its first bytes, unchecked; none where it cannot be read."""
        return self._start(file, 2**16, 64)

    def head(self, file: IO[bytes], most: int) -> bytes:
        """Its first `most` bytes, or fewer, unchecked; none where they cannot be had for little work."""
        if self.method == zipfile.ZIP_BZIP2:  # which is unpacked in blocks of nearly a megabyte
            return b""
        return self._start(file, most + most // 64 + 2**10, most)

    def _start(self, file: IO[bytes], packed: int, size: int) -> bytes:
        part = self._replace(packed=min(self.packed, packed), size=min(self.size, size))
        try:
            return part._content(part._packed(file))
        except Exception:  # as above
            return b""

    def read_under(self, lock: threading.Lock, file: IO[bytes]) -> bytes:
        """The same from a file that several threads read; they unpack side by side."""
        try:
            with lock:
                packed = self._packed(file)
            return self._unpacked(packed)
        except Exception as error:  # as above
            raise _damaged(error) from error

    def _packed(self, file: IO[bytes]) -> bytes:
        file.seek(self.offset)
        header = file.read(_LOCAL_HEADER.size)
        signature, *_, name, extra = _LOCAL_HEADER.unpack(header)
        if signature != zip_directory.LOCAL_SIGNATURE:
            raise zipfile.BadZipFile("Bad magic number for file header")
        share, more = zip_directory.MOST_OVERHEAD
        if self.packed > self.size * share + more:
            raise zipfile.BadZipFile("packed to more than its size")
        file.seek(name + extra, io.SEEK_CUR)
        return file.read(self.packed)

    def _unpacked(self, packed: bytes) -> bytes:
        content = self._content(packed)
        if zlib.crc32(content) != self.crc:
            raise zipfile.BadZipFile("Bad CRC-32")
        return content

    def _content(self, packed: bytes) -> bytes:
        most = max(self.size, 1)  # 0 would be no limit
        if self.method == zipfile.ZIP_DEFLATED:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, most)
        if self.method == zipfile.ZIP_BZIP2:
            return bz2.BZ2Decompressor().decompress(packed, most)
        return packed[: self.size]


class MemberError(Exception):
    """One member cannot be read; the message says why. The others can."""


class OverLimit(MemberError):
    """One member asks for more than the limits allow."""


class Archive:
    """An opened ZIP. Raises `ApiError` where nothing in it can be used."""

    def __init__(self, file: IO[bytes], limits: Limits, fault: ApiError | None = None) -> None:
        """`fault` is what is wrong with the Embedding Projector's folder that it is, where that is known already."""
        self._file, self._limits = file, limits
        self._lock = threading.Lock()
        located = [entry for entry in self._located() if not entry.is_folder]
        self.fault = fault
        """Why the configuration of the Embedding Projector in it is not used, where it has other pictures."""
        self.projector, located, aside = self._projector(located)
        """The folder of the Embedding Projector, if it is one: then its cells are the pictures, and must be cut out."""
        layout = zip_layout.Layout() if self.projector else zip_layout.laid_out(located, self._begins_as_picture)
        if self.fault and not zip_layout.has_pictures(layout, self._begins_as_picture):
            raise self.fault
        self.sent: dict[str, Any] = {}
        """What is told of the Embedding Projector's folder that it was made of, if it was."""
        self.folder = layout.folder
        """Whose pictures are taken, where that is not the top level; else empty."""
        self.in_folders = layout.elsewhere
        """How many pictures lie in folders and are not taken."""
        self.replaced = [
            Skipped(name=name, reason="another file of the same name comes later", kind="replaced")
            for name in layout.replaced
        ]
        """Files that another one of the same name replaced, as it would when unpacked."""
        self.lost = [
            Skipped(name=f"entry {number}", reason="its entry in the ZIP's directory is damaged")
            for number in range(1, min(self._lost, _LISTED) + 1)
        ]
        """Files that the ZIP counts and whose names cannot be found any more."""
        self.left = [
            Skipped(name=name[:_LONGEST_NAME], reason=reason, kind="passed_over")
            for name, reason in layout.left[:_LISTED]
        ]
        """The first thousands of files that are no pictures, are hidden or lie in folders, each with its reason."""
        self.left += [
            Skipped(name=path[:_LONGEST_NAME], reason=reason, kind="projector") for path, reason in aside[:_LISTED]
        ]
        self.ignored = len(layout.left) + len(aside)
        """How many there are."""
        self.metadata = layout.metadata[0] if layout.metadata else None
        """The file that says something of the pictures, if there is one."""
        self.vectors = layout.vectors[0] if layout.vectors else None
        """The file of vectors that take the place of the network's, if there is one."""
        self.picture_vectors = {f"{name}/vector": name for name in layout.picture_vectors}
        """Files with one vector each → the pictures that they are of."""
        self._names = sorted(layout.pictures)
        self._entries = layout.pictures | dict(filter(None, [layout.metadata, layout.vectors]))
        self._entries |= {file: layout.picture_vectors[name] for file, name in self.picture_vectors.items()}
        if self.projector:
            self._entries = {file.path: file.entry for file in located}
            self._names = [f"{row:06d}" for row in range(self.projector.rows)]
            self.vectors, self.metadata = self.projector.tensors, self.projector.metadata
        elif not layout.pictures:
            code = "zip-folders" if layout.elsewhere else "zip-empty"
            raise ApiError(zip_layout.nothing_found(layout), code=code, count=layout.elsewhere)
        pictures = self.projector.pictures if self.projector else layout.pictures
        if sum(min(self._entries[name].size, limits.member_bytes) for name in pictures) > limits.total_bytes:
            limit = _size(limits.total_bytes)
            raise TooLarge(f"The ZIP unpacks to more than the limit of {limit}.", code="zip-too-large", limit=limit)

    def rename(self, names: Mapping[str, str]) -> None:
        """Call the files of metadata and of vectors as they were called where they come from."""
        self.metadata, self.vectors = (file and names.get(file, file) for file in (self.metadata, self.vectors))
        self._entries |= {names[file]: entry for file, entry in self._entries.items() if file in names}

    @property
    def names(self) -> list[str]:
        """Names of what may be pictures, without folders, sorted."""
        return list(self._names)

    def read(self, name: str) -> bytes:
        """One member's bytes. Several threads may read. Raises `MemberError`."""
        entry = self._entries[name]
        limit = self._limits.member_bytes
        if entry.flags & zip_directory.ENCRYPTED:
            raise MemberError("it is encrypted")
        if entry.method not in _METHODS:
            raise MemberError("it is compressed by a method that is not read here; use deflate")
        if entry.size > limit:
            raise OverLimit(f"too large: {_size(entry.size)} is over the limit of {_size(limit)}")
        if entry.size > max(_RATIO_MATTERS_FROM, self._limits.ratio * max(entry.packed, 1)):
            raise OverLimit(f"it unpacks to more than {self._limits.ratio} times its packed size")
        return self.member(name).read_under(self._lock, self._file)

    def head(self, name: str, most: int) -> bytes:
        """One member's first `most` bytes, or fewer, unchecked; none where they cannot be had for little work."""
        entry = self._entries.get(name)
        if entry is None or entry.flags & zip_directory.ENCRYPTED or entry.method not in _METHODS:
            return b""
        with self._lock:
            return self.member(name).head(self._file, most)

    def size(self, name: str) -> int:
        """Bytes that one says to have, unpacked."""
        return self._entries[name].size

    def member(self, name: str) -> Member:
        """Where one lies."""
        return _member(self._entries[name])

    def _located(self) -> list[Located]:
        try:
            directory = zip_directory.read(self._file, self._limits.members)
        except zip_directory.TooManyEntries as error:
            raise TooLarge(str(error), code="zip-entries", limit=self._limits.members) from error
        except Exception as error:  # foreign bytes fail in a dozen ways
            raise ApiError(
                "The file is not a ZIP archive, or it was cut off on its way here.", code="no-zip"
            ) from error
        self._lost = directory.lost
        if zip_directory.overlap(self._file, directory.entries):
            sentence = "Files in the ZIP overlap: it would unpack to more than it holds. Pack the pictures anew."
            raise ApiError(sentence, code="zip-overlaps")
        names = zip_names.decoded(directory.entries)
        return [zip_layout.located(name, entry) for name, entry in zip(names, directory.entries, strict=True)]

    def _projector(self, located: list[Located]) -> tuple[ProjectorFolder | None, list[Located], list[tuple[str, str]]]:
        """The projector's folder, if it is one; the files of a ZIP, if it is none; and what is set aside of those."""
        config = folder.config_among(located)
        if config is None:
            return None, located, []
        self._entries = {file.path: file.entry for file in located}
        files = folder.Files(located, self.read, self.size, self._limits.members)
        if self.fault is None:
            try:
                return folder.opened(config, files), located, []
            except MemberError as error:
                self.fault = folder.unreadable(config.path, error)
            except ApiError as error:
                self.fault = error
        rest = unused.rest(located, config, files, self.fault)
        return None, rest.files, rest.aside

    def _begins_as_picture(self, entry: Entry) -> bool:
        readable = not entry.flags & zip_directory.ENCRYPTED and entry.method in _METHODS
        return readable and zip_layout.begins_as_picture(_member(entry).beginning(self._file))


def _member(entry: Entry) -> Member:
    return Member(entry.offset, entry.packed, entry.size, entry.method, entry.crc)


def _damaged(error: Exception) -> MemberError:
    return MemberError(f"damaged in the ZIP: {str(error) or type(error).__name__}")


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
