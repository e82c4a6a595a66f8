"""What the calls have in common: the busy rule, and what they read from a request."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import TooManyFilesSent
from django.core.files.uploadedfile import UploadedFile
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets.api.http import renderers, responses
from datasets.api.http.chunked_bodies import FORM_BYTES, BoundedBody
from datasets.collection.base import Collection
from datasets.collection.uploaded import Upload
from datasets.errors import ApiError, NotFound, TooLarge, UploadTooLarge
from datasets.models import Dataset, Status
from datasets.uploads import busy_flag, disk_space
from embeddings.reducers import REDUCERS

# How much of a refused upload is read and thrown away, so that the client is still there to read the answer.
_DRAIN_BYTES = 256 * 2**20
_CHUNK = 2**20


class UploadView(APIView):
    """A call that takes a file: one that is refused before it was read is read all the same."""

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        if response.status_code >= 400 and request.method == "POST":
            drain(request)
        return super().finalize_response(request, response, *args, **kwargs)


class ContractView(UploadView):
    """A call of the contract: answers 503 while the server is busy with an upload that someone waits for."""

    def is_under_busy_rule(self, request: Request) -> bool:
        return True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.is_under_busy_rule(request):
            busy_flag.refuse_if_up()


def check_reducer(name: str) -> None:
    if name not in REDUCERS:
        known = " and ".join(REDUCERS)
        raise ApiError(
            f"There is no reducer “{name[:40]}”; known are {known}.", code="parameter-invalid", name="reducer"
        )


def dataset_with(dataset_id: str, result: str) -> Dataset:
    """A dataset that one result, such as `tilemap` or `pca`, may be read of; others may still be computed."""
    dataset = Dataset.objects.known(dataset_id)
    if not dataset.has_result(result):
        raise dataset.not_there()
    return dataset


def cache_control_of(found: Collection) -> str:
    return responses.DATASET if isinstance(found, Upload) else responses.CATALOGUE


def cache_control_while(dataset: Dataset) -> str:
    """What is read before all is done may be computed anew, should the rest fail."""
    return responses.DATASET if dataset.status == Status.READY else responses.UNFINISHED


def cached_json(
    request: Request,
    found: Collection,
    key: str,
    make: Callable[[], Any],
    *,
    small: bool = False,
    cache_control: str | None = None,
) -> HttpResponseBase:
    """Send what is made of a collection once and kept as JSON; the options are those of `responses.cached_response`."""
    answer = responses.cached_response(
        f"{found.cache_key}-{key}",
        lambda: [renderers.dumps(make())],
        cache_control=cache_control or cache_control_of(found),
        small=small,
    )
    return responses.send(request, answer)


@contextmanager
def unless_deleted(found: Collection | Dataset) -> Iterator[None]:
    """Refuse plainly where the files went between the look at the row and the look at them."""
    try:
        yield
    except FileNotFoundError:
        dataset = found.dataset if isinstance(found, Upload) else found
        if isinstance(dataset, Dataset) and Dataset.objects.ready().filter(pk=dataset.pk).exists():
            raise
        raise NotFound("This dataset has just been deleted.", code="dataset-deleted") from None


def uploaded_file(
    request: Request, instruction: str = "Send the ZIP as a multipart form with one file field named “file”."
) -> "UploadedFile[bytes]":
    """The one file that a form must have. Raises `ApiError`, `TooLarge`."""
    files = uploaded_files(request, instruction)
    if len(files) > 1:
        raise ApiError(
            f"The form has {len(files)} fields named “file”, and one is taken: send one file at a time.",
            code="several-files",
            count=len(files),
        )
    return files[0]


def uploaded_files(
    request: Request,
    instruction: str = "Send a ZIP, or pictures, as a multipart form with file fields named “file”.",
) -> "list[UploadedFile[bytes]]":
    """The files that a form must have one of at least. Raises `ApiError`, `TooLarge`."""
    limit = settings.MAX_UPLOAD_MB * 2**20
    length = request.META.get("CONTENT_LENGTH") or "0"
    files: list[UploadedFile[bytes]] = []
    is_over = length.isdecimal() and int(length) > limit + FORM_BYTES
    if not is_over:
        body = request._request._stream
        disk_space.check(0 if isinstance(body, BoundedBody) else int(length) if length.isdecimal() else 0)
        files = _files(request)
        if isinstance(body, BoundedBody):
            is_over = body.is_over
            if body.is_broken:
                raise ApiError("The upload broke off, or its chunks are damaged: send it again.", code="upload-broken")
    if is_over:
        raise UploadTooLarge(settings.MAX_UPLOAD_MB)
    if not files:
        raise ApiError(instruction, code="no-file")
    return files


def _files(request: Request) -> "list[UploadedFile[bytes]]":
    try:
        files: list[UploadedFile[bytes]] = request.FILES.getlist("file")
        return files
    except TooManyFilesSent:
        most = settings.DATA_UPLOAD_MAX_NUMBER_FILES
        raise TooLarge(f"The form has more than {most} files: send so many as one ZIP.") from None
    except Exception:
        # Django closes those that are complete; the one that was being written would lie there until it is collected.
        for handler in request._request.upload_handlers:
            handler.upload_interrupted()
        raise


def drain(request: Request) -> None:
    """Read what is left of a body, and throw it away."""
    stream: IO[bytes] = request._request._stream
    if isinstance(stream, BoundedBody):
        stream = stream.source
    try:
        for _ in range(_DRAIN_BYTES // _CHUNK):
            if not stream.read(_CHUNK):
                return
    except Exception:  # the client is gone, or the parser has the body already: nobody is left to be polite to
        return
