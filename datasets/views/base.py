"""What the calls have in common: the busy rule, and what they read from a request."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets import busy
from datasets.errors import NotThere, Refusal
from datasets.models import Dataset
from embeddings.reducers import REDUCERS

# How much of a refused upload is read and thrown away, so that the client is still there to read the answer.
_DRAIN_BYTES = 256 * 2**20
_CHUNK = 2**20


class ContractView(APIView):
    """A call of the contract: answers 503 while the server is busy with an upload that someone waits for."""

    def is_under_busy_rule(self, request: Request) -> bool:
        return True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.is_under_busy_rule(request):
            busy.refuse_if_up()

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        if response.status_code >= 400 and request.method == "POST":
            _drain(request)
        return super().finalize_response(request, response, *args, **kwargs)


def check_reducer(name: str) -> None:
    if name not in REDUCERS:
        raise Refusal(f"There is no reducer “{name[:40]}”; known are {' and '.join(REDUCERS)}.")


def dataset_with(identity: str, result: str) -> Dataset:
    """A dataset that one result, such as `tilemap` or `pca`, may be read of; others may still be computed."""
    dataset = Dataset.objects.known(identity)
    if not dataset.has(result):
        raise NotThere(dataset.why_not_there)
    return dataset


@contextmanager
def unless_deleted(dataset: Dataset) -> Iterator[None]:
    """Refuse plainly where the files went between the look at the row and the look at them."""
    try:
        yield
    except FileNotFoundError:
        if Dataset.objects.ready().filter(pk=dataset.pk).exists():
            raise
        raise NotThere("This dataset has just been deleted.") from None


def uploaded_file(
    request: Request, wanted: str = "Send the ZIP as a multipart form with one file field named “file”."
) -> "UploadedFile[bytes]":
    limit = settings.MAX_UPLOAD_MB * 2**20
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > limit + _CHUNK:
        raise Refusal(f"The upload is larger than the limit of {settings.MAX_UPLOAD_MB} MiB.", 413)
    file: UploadedFile[bytes] | None = request.FILES.get("file")
    if file is None:
        raise Refusal(wanted)
    return file


def _drain(request: Request) -> None:
    stream = request._request
    try:
        for _ in range(_DRAIN_BYTES // _CHUNK):
            if not stream.read(_CHUNK):
                return
    except Exception:  # the client is gone, or the parser has the body already: nobody is left to be polite to
        return
