"""Errors that a client is told of: a sentence for people, a kind, and a code for programs.

The class of an error is its kind; `datasets.api.http.exception_handler` maps kinds to HTTP statuses. A code may be more
specific than the kind. Codes are stable: programs decide by them and pages translate them, whatever becomes of the
sentence.
"""

from collections.abc import Mapping
from typing import Any

URN = "urn:wwzd:error:"
"""What stands before a code in `type` of RFC 9457."""

KINDS = {
    "bad-request": "The request cannot be understood.",
    "not-authenticated": "The call takes a token, and none was sent.",
    "authentication-failed": "The token is not known.",
    "permission-denied": "This is not allowed.",
    "not-found": "There is no such thing.",
    "method-not-allowed": "The call does not have this method.",
    "conflict": "It does not go together with what is there.",
    "gone": "It was there and is not any more.",
    "locked": "Another request works on it.",
    "precondition-failed": "What the client has a part of is not here any more.",
    "too-large": "It is over a limit.",
    "unsupported-media-type": "The body is of another type than the call takes.",
    "parse-error": "The body cannot be read.",
    "range-not-satisfiable": "There are no such bytes.",
    "throttled": "Too many requests of one client.",
    "server-error": "The server failed; its log says why.",
    "unavailable": "It will work later.",
    "database-away": "The database cannot be reached; it will work later.",
    "database-locked": "Another process keeps the database locked; it will work later.",
    "storage-away": "The object store that has the files cannot be reached; it will work later.",
    "search-database-away": "The database of neighbours cannot be reached; it will work later.",
    "disk-full": "The server's disk is full; nothing was stored.",
    "read-only": "The server's data folder cannot be written to; nothing was stored.",
    "busy": "The server works on an upload that a client waits for.",
    "queue-full": "As many uploads wait as may (`limit`).",
    "no-worker": "No worker runs.",
    "worker-died": "The worker died on it.",
    "parameter-invalid": "A parameter (`name`) has a value that it does not take.",
    "no-file": "The form has no file.",
    "several-files": "The form has several files (`count`) where one is taken.",
    "upload-broken": "The upload broke off, or its chunks are damaged.",
    "upload-too-large": "The upload is over the limit (`limit`, MiB).",
    "upload-unknown": "There is no unfinished upload of this id.",
    "upload-expired": "The upload was not finished in time.",
    "offset-conflict": "The server has another number of the upload's bytes (`offset`).",
    "uploads-full": "As many uploads are unfinished as may be (`limit`).",
    "tus-version": "The call takes the header `Tus-Resumable: 1.0.0`.",
    "no-rest": "All pictures of the archive have been taken.",
    "no-zip": "The file is not a ZIP archive, or only a part of one.",
    "zip-empty": "The ZIP has no pictures at its top level.",
    "zip-folders": "The ZIP has its pictures (`count`) in folders.",
    "zip-overlaps": "Files in the ZIP share bytes.",
    "zip-too-large": "The ZIP unpacks to more than the limit (`limit`).",
    "zip-entries": "The ZIP has more entries than the limit (`limit`).",
    "none-readable": "Not one of the ZIP's pictures (`count`) can be read; the first (`name`) says why.",
    "vectors-unreadable": "The ZIP's file of vectors (`name`) cannot be used; the sentence says why.",
    "vectors-unmatched": "The ZIP's vectors do not fit its pictures: `count` rows, or a picture without one (`name`).",
    "projector-config": "A file of the ZIP (`name`), the Embedding Projector's configuration, cannot be used.",
    "projector-file": "The Embedding Projector's configuration names a file (`name`) that the ZIP does not have.",
    "projector-count": "The Embedding Projector's metadata has not as many rows as its vectors (`count`).",
    "projector-sprite": "The Embedding Projector's sprite is missing, unreadable or too small for `count` pictures.",
    "own-vectors": "Pictures with vectors of their own and the network's cannot be compared, or put together.",
    "space-gone": "What placed the pictures is not at hand any more: no others can be placed among them.",
    "catalogue-not-built": "The catalogue came without what pictures are added to: features, names, fitted models.",
    "catalogue-replaced": "The catalogue has been replaced or removed meanwhile.",
    "too-many-parts": "Pictures were added as often (`count`) as they may be.",
    "collection-full": "The collection has as many pictures (`limit`) as it may.",
    "picture-unreadable": "The picture cannot be read.",
    "picture-too-large": "The picture is over the limit (`limit`, MiB).",
    "dataset-unknown": "There is no dataset of this id.",
    "dataset-not-ready": "The dataset is not ready yet.",
    "dataset-failed": "The dataset could not be computed.",
    "dataset-deleted": "The dataset has been deleted meanwhile.",
    "catalogue-missing": "No catalogue is installed.",
    "picture-unknown": "There is no picture of this number.",
    "original-missing": "The picture's own file was not kept, or is gone; there is its thumbnail.",
    "features-missing": "The network's features are not at hand, so nothing can be compared.",
    "not-comparable": "The pictures were computed with another network, weights or precision.",
    "no-text-search": "The network that computed these pictures takes no texts, or is not at hand here.",
    "text-unreadable": "The text has no words that the network knows.",
    "text-too-long": "The text has more words, parts of words and marks than the network reads (`limit`).",
    "kin-missing": "Copies and outliers of this catalogue have not been looked for.",
    "clusters-missing": "The clusters of this collection have not been computed.",
    "cluster-unknown": "There is no cluster of this level and number.",
    "report-missing": "It is not known what became of the files of this catalogue's source.",
    "tilemap-missing": "The tilemap has not been built, or is damaged.",
    "export-too-large": "One file may not have so many pictures (`limit`); a window may.",
    "range-unknown": "There is no range of this number.",
    "layout-unknown": "There is no layout of this name (`name`).",
    "layout-not-ready": "The layout waits, is being computed, or could not be.",
    "point-tiles-missing": "There are no point tiles of this layout (`name`), or not these any more.",
    "layouts-full": "There are as many further layouts of these pictures as may (`limit`).",
    "field-unknown": "There is no field of this name (`name`).",
}
"""Code → what it means. The values in backquotes stand under `params`."""


class ApiError(Exception):
    """What a client asked for cannot be done; of this class itself, because of the request. `str()` is the sentence."""

    kind: str = "bad-request"
    """A code of `KINDS` that `datasets.api.http.exception_handler` has a status for."""
    code: str = ""
    """A code of `KINDS`; the kind, where it is empty."""
    retry_after: int | None = None
    """Seconds after which it may be possible."""

    def __init__(self, sentence: str, *, kind: str = "", code: str = "", about: str = "", **params: str | int) -> None:
        super().__init__(sentence)
        self.kind = kind or self.kind
        self.code = code or self.code or self.kind
        self.about = about
        """The address of a longer description, if there is one."""
        self.params: dict[str, Any] = params
        """The values in the sentence, for clients that translate it."""

    def as_dict(self) -> dict[str, Any]:
        """What `of` makes it of again, for the queue and for files."""
        return {"error": str(self), "kind": self.kind, "code": self.code, "params": self.params}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "ApiError":
        return ApiError(stored["error"], kind=stored["kind"], code=stored["code"], **stored["params"])


class NotFound(ApiError):
    """What was asked for does not exist."""

    kind = "not-found"


class Conflict(ApiError):
    """It does not go together with what is there."""

    kind = "conflict"


class Gone(ApiError):
    """It existed, and does not any more."""

    kind = "gone"


class PreconditionFailed(ApiError):
    """The client's copy is not of what is here now."""

    kind = "precondition-failed"


class Locked(ApiError):
    """Another request works on it."""

    kind = "locked"
    retry_after = 1


class TooLarge(ApiError):
    """What a client sent is over a limit."""

    kind = "too-large"


class UploadTooLarge(TooLarge):
    """An archive is over the limit, in MiB."""

    code = "upload-too-large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The upload is larger than the limit of {limit} MiB.", limit=limit)


class ServerError(ApiError):
    """The server or its worker failed."""

    kind = "server-error"


class Unavailable(ApiError):
    """Something that will work later."""

    kind = "unavailable"
    retry_after = 10


class EngineAway(Unavailable):
    """A database or a store that is needed restarts, cannot be reached, or is kept by another process."""


class DatabaseAway(EngineAway):
    """The database's."""

    code = "database-away"
    retry_after = 5

    def __init__(self) -> None:
        super().__init__("The database cannot be reached. Try again in a moment.")


class DatabaseLocked(EngineAway):
    """SQLite's: another process, such as a copying tool or a shell, has had it for longer than is waited."""

    code = "database-locked"
    retry_after = 5

    def __init__(self) -> None:
        super().__init__("Another process keeps the database locked. Try again in a moment.")


class StorageAway(EngineAway):
    """The object store's."""

    code = "storage-away"
    retry_after = 5

    def __init__(self) -> None:
        super().__init__("The object store that has the files cannot be reached. Try again in a moment.")


class SearchDatabaseAway(Unavailable):
    """The database of neighbours restarts, or cannot be reached."""

    code = "search-database-away"
    retry_after = 5

    def __init__(self) -> None:
        super().__init__("The database of neighbours cannot be reached. Try again in a moment.")


class Busy(ApiError):
    """A synchronous upload is under way. The sentence is the old server's, word for word."""

    kind = "busy"
    retry_after = 5

    def __init__(self) -> None:
        super().__init__("Server is busy, please wait")


class QueueFull(ApiError):
    """As many uploads wait as may."""

    kind = "queue-full"
    retry_after = 30

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} uploads are waiting already, and no more may. Send it again later.", limit=limit)


class UploadsFull(ApiError):
    """As many uploads are unfinished as may be."""

    kind = "queue-full"
    code = "uploads-full"
    retry_after = 60

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} uploads are unfinished, and no more may be. Send it again later.", limit=limit)


class DiskFull(ApiError):
    """There is no room for what a client sends, or for what is made of it."""

    kind = "disk-full"
    retry_after = 60

    def __init__(self) -> None:
        super().__init__("The server's disk is full: nothing was stored. Try again later.")


class ReadOnlyData(ApiError):
    """The data folder cannot be written to."""

    kind = "read-only"
    retry_after = 60

    def __init__(self) -> None:
        super().__init__("The server's data can only be read at the moment: nothing was stored. Try again later.")
