"""Uploads that come in parts: a folder for each, with the bytes that have come and what is known of them.

The size of the file is the offset at which the upload goes on. Bytes are appended as they come, so that after a kill
nothing has to be put right. The kernel's lock on a file (flock) admits one writer, and ends with the process that
holds it.
"""

import fcntl
import logging
import os
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.utils import timezone

from datasets.errors import (
    ApiError,
    Conflict,
    Gone,
    Locked,
    NotFound,
    TooLarge,
    Unavailable,
    UploadsFull,
    UploadTooLarge,
)
from embeddings.vector_files import replacing

from . import disk_space

logger = logging.getLogger(__name__)

_ID = re.compile("[0-9a-f]{32}")
_FACTS, _CONTENT, _LOCK = "facts.json", "content", "lock"
_PIECE = 2**18
"""Bytes that are read at a time: so many may be lost when the process is killed."""
# Each holds a thread as long as its client sends: the other threads stay free for other calls.
_RECEIVING = threading.BoundedSemaphore(max(1, settings.THREADS // 2))
_TURN_SECONDS = 0.25


@dataclass(frozen=True, kw_only=True)
class PartialUpload:
    """What is known of one upload."""

    id: str
    length: int
    """Bytes of the whole archive."""
    name: str
    """Of the archive."""
    limit: int | None = None
    """The most pictures that its dataset may have; None for the usual number."""
    metadata: str = ""
    """What the client said of it, as it came (`Upload-Metadata`)."""
    dataset: str = ""
    """The id of the dataset that was made of it; empty before."""
    problem: dict[str, Any] = field(default_factory=dict)
    """Why it was refused, as `ApiError.as_dict` has it; empty if it was not."""

    @property
    def folder(self) -> Path:
        return uploads_folder() / self.id

    @property
    def content(self) -> Path:
        """The bytes that have come; not there once it is decided what becomes of the upload."""
        return self.folder / _CONTENT

    @property
    def is_decided(self) -> bool:
        """Whether it has become a dataset or was refused."""
        return bool(self.dataset or self.problem)

    @property
    def offset(self) -> int:
        """How many bytes have come. Raises `NotFound`."""
        if self.is_decided:
            return self.length
        try:
            return self.content.stat().st_size
        except FileNotFoundError:
            # Decided or deleted since it was read.
            return find(self.id).length

    @property
    def is_complete(self) -> bool:
        return self.offset == self.length

    @property
    def expires_at(self) -> datetime:
        return _last_change(self.folder) + _lifetime()

    @property
    def error(self) -> ApiError | None:
        """Why it was refused."""
        return ApiError.of(self.problem) if self.problem else None

    def append(self, offset: int, read: Callable[[int], bytes], length: int | None = None) -> int:
        """Append what `read` gives, until it gives no more. The upload is locked. Returns how many bytes there are now.

        `offset` is where the client goes on, and `length` how much it will send, if it says so. Raises `Conflict`
        where another number of bytes is there, `TooLarge` for more than was announced, `DiskFull`.
        """
        size = self.offset
        if offset != size:
            raise Conflict(f"The server has {size} bytes of it: go on from there.", code="offset-conflict", offset=size)
        if length is not None:
            self._refuse_more_than_announced(size + length)
            disk_space.check(length)
        if self.is_decided:
            return size
        with self.content.open("ab") as file:
            try:
                while piece := read(_PIECE):
                    self._refuse_more_than_announced(size + len(piece))
                    if not os.fstat(file.fileno()).st_nlink:
                        raise NotFound("This upload has just been deleted.", code="upload-unknown")
                    file.write(piece)
                    file.flush()
                    size += len(piece)
            finally:
                os.fsync(file.fileno())
        return size

    def decide(self, *, dataset: str = "", refused: ApiError | None = None) -> "PartialUpload":
        """Keep what has become of it, and remove the bytes. The upload is locked. Raises `NotFound` if it is gone."""
        decided = replace(self, dataset=dataset, problem=refused.as_dict() if refused else {})
        if not self.folder.exists():
            raise NotFound("This upload has just been deleted.", code="upload-unknown")
        decided._save()
        self.content.unlink(missing_ok=True)
        return decided

    def _refuse_more_than_announced(self, size: int) -> None:
        if size > self.length:
            raise TooLarge(f"The upload was announced with {self.length} bytes, and this would make it {size}.")

    def _save(self) -> None:
        with replacing(self.folder / _FACTS) as file:
            file.write(orjson.dumps(asdict(self)))


def uploads_folder() -> Path:
    data: Path = settings.DATA_DIR
    return data / "partial"


def create(*, length: int, name: str, limit: int | None, metadata: str = "") -> PartialUpload:
    """Begin an upload. Raises `TooLarge`, `DiskFull`, `UploadsFull`."""
    if length > settings.MAX_UPLOAD_MB * 2**20:
        raise UploadTooLarge(settings.MAX_UPLOAD_MB)
    disk_space.check(length)
    folder = uploads_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _has_room() and not (delete_expired() and _has_room()):
        raise UploadsFull(settings.MAX_PARTIAL_UPLOADS)
    upload = PartialUpload(id=secrets.token_hex(16), length=length, name=name, limit=limit, metadata=metadata)
    upload.folder.mkdir(mode=0o700)
    for filename in (_LOCK, _CONTENT):
        (upload.folder / filename).touch(mode=0o600)
    upload._save()  # last: without it the others do not count
    return upload


def find(upload_id: str) -> PartialUpload:
    """The upload of this id. Raises `NotFound`, and `Gone` for one that has expired."""
    path = uploads_folder() / upload_id / _FACTS
    try:
        if not _ID.fullmatch(upload_id):
            raise FileNotFoundError
        upload = PartialUpload(**orjson.loads(path.read_bytes()))
        if upload.expires_at > timezone.now():
            return upload
    except FileNotFoundError:
        raise NotFound("There is no upload of this id.", code="upload-unknown") from None
    delete(upload)
    raise Gone("This upload was not finished in time: begin it anew.", code="upload-expired")


@contextmanager
def locked(upload_id: str) -> Iterator[PartialUpload]:
    """The upload of this id as it is now, with nobody else changing it. Raises `Locked`, `NotFound`, `Gone`."""
    upload = find(upload_id)
    try:
        handle = os.open(upload.folder / _LOCK, os.O_RDWR)
    except FileNotFoundError:
        raise NotFound("This upload has just been deleted.", code="upload-unknown") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Locked("Another request works on this upload. Try again in a moment.") from None
        yield find(upload_id)
    finally:
        os.close(handle)


@contextmanager
def receiving() -> Iterator[None]:
    """Hold one of the few places for receiving parts. Raises `Unavailable`."""
    if not _RECEIVING.acquire(timeout=_TURN_SECONDS):
        raise Unavailable("Too many uploads are being received. Go on in a while.")
    try:
        yield
    finally:
        _RECEIVING.release()


def delete(upload: PartialUpload) -> None:
    """Remove all of it; who is just sending to it is told so."""
    (upload.folder / _FACTS).unlink(missing_ok=True)
    shutil.rmtree(upload.folder, ignore_errors=True)


def delete_expired() -> int:
    """Remove what nothing has come of for as long as uploads are kept. Returns the number of uploads."""
    folder = uploads_folder()
    expired = []
    for found in folder.iterdir() if folder.exists() else []:
        try:
            if _last_change(found) + _lifetime() <= timezone.now():
                expired.append(found)
        except FileNotFoundError:
            continue  # it has just been deleted
    for found in expired:
        shutil.rmtree(found, ignore_errors=True)
    if expired:
        logger.info("deleted unfinished uploads", extra={"facts": {"uploads": len(expired)}})
    return len(expired)


def _has_room() -> bool:
    """Whether one more upload may be unfinished."""
    return sum((found / _CONTENT).exists() for found in uploads_folder().iterdir()) < settings.MAX_PARTIAL_UPLOADS


def _last_change(folder: Path) -> datetime:
    """When something last came. Raises `FileNotFoundError`."""
    latest = max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    return datetime.fromtimestamp(latest, UTC)


def _lifetime() -> timedelta:
    return timedelta(hours=settings.UPLOAD_HOURS)
