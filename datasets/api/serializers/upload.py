"""An upload that comes in parts → what the interface says about it."""

from typing import Any

from django.urls import reverse
from rest_framework import serializers

from datasets.api.http import exception_handler
from datasets.api.openapi.parameters import ID_PATTERN
from datasets.errors import ApiError
from datasets.uploads.partial_upload import PartialUpload

from .fields import as_it_is, natural, url
from .problem import ProblemSerializer

RECEIVING, COMPLETE, ACCEPTED, REFUSED = "receiving", "complete", "accepted", "refused"
STATES = (RECEIVING, COMPLETE, ACCEPTED, REFUSED)


class UploadLinksSerializer(serializers.Serializer[Any]):
    """Where more is told."""

    self = url()
    dataset = url(required=False, help_text="The dataset that was made of it.")


class UploadSerializer(serializers.Serializer[Any]):
    """How far an upload that comes in parts is."""

    id = serializers.RegexField(ID_PATTERN)
    name = serializers.CharField(help_text="The archive's.")
    state = serializers.ChoiceField(
        STATES,
        help_text="receiving: bytes are missing. complete: all have come, and it is checked, or cannot be taken now, "
        "as `problem` says: ask again. accepted: it is the dataset. refused: `problem` says why.",
    )
    offset = natural(help_text="Bytes that have come.")
    length = natural(help_text="Bytes of the whole archive.")
    expires_at = serializers.CharField(help_text="When it is deleted, if nothing comes before.")
    dataset = serializers.RegexField(ID_PATTERN, allow_null=True, help_text="The dataset's id, once it is accepted.")
    error = serializers.CharField(allow_null=True, help_text="Why it is refused, or cannot be taken now.")
    problem = as_it_is(ProblemSerializer, allow_null=True, help_text="The same, as an error would say it.")
    links = UploadLinksSerializer()


def upload_facts(upload: PartialUpload, error: ApiError | None) -> dict[str, Any]:
    """What `UploadSerializer` shows."""
    links = {"self": reverse("upload", args=[upload.id])}
    if upload.dataset:
        links["dataset"] = reverse("dataset", args=[upload.dataset])
    return {
        "id": upload.id,
        "name": upload.name,
        "state": _state(upload),
        "offset": upload.offset,
        "length": upload.length,
        "expires_at": upload.expires_at.isoformat(),
        "dataset": upload.dataset or None,
        "error": str(error) if error else None,
        "problem": exception_handler.problem_of(error) if error else None,
        "links": links,
    }


def _state(upload: PartialUpload) -> str:
    if upload.dataset:
        return ACCEPTED
    if upload.problem:
        return REFUSED
    return COMPLETE if upload.is_complete else RECEIVING
