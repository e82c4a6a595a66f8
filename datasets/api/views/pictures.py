"""Pictures by row, of an upload or of the catalogue: the file, a thumbnail, the rectangle in the tilemap."""

from urllib.parse import quote

from django.conf import settings
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from PIL import Image as PillowImage
from rest_framework.request import Request
from rest_framework.views import APIView

from datasets.api.http import responses
from datasets.api.openapi import BINARY, NO_DATASET, ChoiceParameter, IntegerParameter, sent
from datasets.api.serializers.pictures import TilemapManifestSerializer
from datasets.api.serializers.report import ReportSerializer
from datasets.catalogue import report
from datasets.catalogue.collection import installed, is_id, of_id
from datasets.collection import thumbnails
from datasets.collection.uploaded import Upload
from datasets.models import Dataset, Status
from datasets.search import collections
from datasets.tilemaps import ranges
from embeddings.images.decoding import FORMATS, media_type

from .base import cache_control_of, cached_json, unless_deleted

NO_PICTURE = {
    400: "“x” is no picture: pictures are numbered from 0.",
    404: "There is no picture 300: the last one is 299.",
}
PillowImage.init()  # without it, Pillow knows the media types of what it has met already
_ORIGINALS = {PillowImage.MIME[form]: BINARY for form in FORMATS} | {"application/octet-stream": BINARY}

SIZE = IntegerParameter(
    "size",
    "Pixels of the square's side, rounded down to a multiple of 16; from 256 on, of 128; below 16, to 8.",
    thumbnails.DEFAULT,
    least=8,
    most=thumbnails.LARGEST,
)
FORMAT = ChoiceParameter("format", thumbnails.FORMATS, "WebP where `Accept` names it, else JPEG, if it is not said.")


class Image(APIView):
    """A picture's file as it came."""

    @extend_schema(
        operation_id="get_{collection}_image",
        tags=["pictures"],
        responses=sent("The file, under its own media type.", _ORIGINALS, headers=["Content-Disposition"])
        | NO_PICTURE
        | {410: "The archive with this picture was not kept. Its thumbnail can still be had."},
    )
    def get(self, request: Request, index: str, dataset_id: str | None = None) -> HttpResponseBase:
        found = collections.find(dataset_id)
        row = found.row(index)
        data = found.read(row)
        (name,) = found.names([row])
        facts = found.facts(row)
        answer = responses.content(
            data,
            facts.digest if facts else responses.fingerprint(data),
            media_type=facts.media_type if facts else media_type(data),
            cache_control=cache_control_of(found),
        )
        response = responses.send(request, answer)
        response["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(name, safe='')}"
        return response


class Thumbnail(APIView):
    """A picture, small.

    Fitted into a square, upright, never enlarged. Where its file is not at hand, it is the tile: 48 pixels.
    """

    @extend_schema(
        operation_id="get_{collection}_thumbnail",
        tags=["pictures"],
        parameters=[SIZE, FORMAT],
        responses=sent("The thumbnail.", dict.fromkeys(thumbnails.FORMATS.values(), BINARY), headers=["Vary"])
        | NO_PICTURE
        | {503: "Too many thumbnails are being made. Try again in a while."},
    )
    def get(self, request: Request, index: str, dataset_id: str | None = None) -> HttpResponseBase:
        found = collections.find(dataset_id)
        row = found.row(index)
        size = thumbnails.few(SIZE.read(request))
        is_webp_named = any((of.main_type, of.sub_type) == ("image", "webp") for of in request.accepted_types)
        form = FORMAT.read(request, "webp" if is_webp_named else "jpeg")
        limit = settings.MAX_MEGAPIXELS * 1_000_000
        answer = responses.cached_response(
            f"{found.cache_key}-thumbnails/{row}-{size}-{form}",
            lambda: [thumbnails.thumbnail(found, row, size=size, form=form, max_pixels=limit)],
            cache_control=cache_control_of(found),
            small=False,
            media_type=thumbnails.FORMATS[form],
            precompressed=True,
            negotiated=True,
            turn=thumbnails.turn,
        )
        return responses.send(request, answer)


MANIFEST_REPLIES = sent(
    "The places.",
    TilemapManifestSerializer,
    {
        "width": 500,
        "height": 5000,
        "cell": 50,
        "tiles": [{"index": 0, "name": "daisy-01.jpg", "cell": [0, 0, 50, 50], "picture": [1, 1, 48, 48]}],
    },
) | {400: "“x” is no range: a range is a number such as 0 or 007.", 404: NO_DATASET}


class Manifest(APIView):
    """Where each picture lies in a tilemap.

    Its cell, and its own rectangle inside, without the white around it.
    """

    @extend_schema(
        operation_id="get_{collection}_tilemap_manifest",
        tags=["pictures"],
        responses=MANIFEST_REPLIES,
    )
    def get(self, request: Request, dataset_id: str | None = None, number: str = "0") -> HttpResponseBase:
        found = collections.find(dataset_id)
        page = ranges.parse(number, found.total)
        return cached_json(
            request, found, f"manifest-{page}", lambda: thumbnails.manifest(found.page(page), page * ranges.SIZE)
        )


class Report(APIView):
    """What became of each file of an archive, or of a catalogue's source.

    A remark never costs a picture its row. Of an upload that failed, it is there as soon as its files had been read. Of
    a catalogue, 10,000 files are listed at most, those without a row first, and the others are counted.
    """

    @extend_schema(
        operation_id="get_{collection}_report",
        tags=["pictures"],
        responses=sent(
            "The report, in the order of names.",
            ReportSerializer,
            {
                "files": [
                    {
                        "name": "daisy-01.jpg",
                        "outcome": "row",
                        "index": 0,
                        "of": None,
                        "reason": "",
                        "remarks": [],
                    }
                ],
                "counts": {"row": 1},
                "rows": 1,
                "unlisted": 0,
                "metadata": None,
                "total": 1,
            },
        )
        | {404: NO_DATASET},
    )
    def get(self, request: Request, dataset_id: str | None = None) -> HttpResponseBase:
        if dataset_id is None or is_id(dataset_id):
            found = installed() if dataset_id is None else of_id(dataset_id)
            return cached_json(request, found, f"report-{report.version(found)}", lambda: report.read(found))
        dataset = Dataset.objects.known(dataset_id)
        is_ready = dataset.status == Status.READY
        if not is_ready and not dataset.has_result("report"):
            raise dataset.not_there()
        answer = responses.cached_response(
            f"{Upload(dataset).cache_key}-report",
            lambda: [dataset.path("report").read_bytes()],
            # What did not succeed may do so when it is sent again.
            cache_control=responses.DATASET if is_ready else responses.UNFINISHED,
            small=False,
        )
        with unless_deleted(dataset):
            return responses.send(request, answer)
