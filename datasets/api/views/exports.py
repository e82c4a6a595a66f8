"""A whole collection as one file."""

from collections.abc import Callable, Iterator
from functools import partial

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from datasets.api import export
from datasets.api.http import responses
from datasets.api.openapi import BINARY, NO_DATASET, ChoiceParameter, Reply
from datasets.catalogue.collection import CatalogueCollection
from datasets.collection.uploaded import Upload
from datasets.errors import ApiError
from datasets.search import collections

FORMATS = {"zip": export.everything, "projector": export.projector}
FORMAT = ChoiceParameter("format", FORMATS, "Which of the two.", "zip")
_REPLIES: dict[int, Reply | str] = {
    200: Reply("The ZIP.", {"application/zip": BINARY}, headers=["Content-Disposition", "ETag", "Cache-Control"]),
    304: Reply("What the client has still holds.", headers=["ETag", "Cache-Control"]),
    412: "This has changed since.",
}


class Export(APIView):
    """All that is known of an upload, or of a catalogue by its id, in one ZIP.

    Names, sizes, metadata, features, vectors, tilemap, report, and a manifest that says what is what. `projector`: a
    folder for TensorBoard's Embedding Projector, of uploads. Of a catalogue: names, sizes, metadata, vectors, report
    and a manifest. Streamed; without ranges.
    """

    @extend_schema(
        operation_id="export_dataset",
        tags=["datasets"],
        parameters=[FORMAT],
        responses=_REPLIES | {400: "There is no format “tar”; known are zip, projector.", 404: NO_DATASET},
    )
    def get(self, request: Request, dataset_id: str) -> HttpResponseBase:
        found = collections.find(dataset_id)
        form = FORMAT.read(request)
        if isinstance(found, CatalogueCollection):
            if form != "zip":
                raise ApiError("Of a catalogue there is the format zip alone.", code="parameter-invalid", name="format")
            return _streamed(request, found, form, partial(export.catalogue, found), f"{found.id}.zip")
        assert isinstance(found, Upload)
        suffix = "" if form == "zip" else f"-{form}"
        return _streamed(request, found, form, partial(FORMATS[form], found), f"{found.dataset.hash}{suffix}.zip")


class CatalogueExport(APIView):
    """What is known of the catalogue's pictures, in one ZIP.

    Names, sizes, metadata, vectors, report, and a manifest that says what is what; neither features nor pictures, which
    would be gigabytes. Streamed; without ranges.
    """

    @extend_schema(
        operation_id="export_catalogue",
        tags=["catalogue"],
        responses=_REPLIES | {404: "No catalogue is installed."},
    )
    def get(self, request: Request) -> HttpResponseBase:
        found = collections.installed()
        return _streamed(request, found, "zip", partial(export.catalogue, found), "catalogue.zip")


def _streamed(
    request: Request, found: Upload | CatalogueCollection, form: str, pieces: Callable[[], Iterator[bytes]], name: str
) -> HttpResponseBase:
    """The first bytes leave before the last are made."""
    headers = {
        "Content-Type": "application/zip",
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": responses.MAY_CHANGE,
    }
    return responses.stream(request, pieces, export.version(found, form), headers)
