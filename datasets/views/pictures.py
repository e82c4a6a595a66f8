"""Pictures and names, of an upload or of the catalogue: which picture is row k, its file, a thumbnail of it."""

from pathlib import Path
from urllib.parse import quote

import numpy as np
from django.conf import settings
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.views import APIView

from datasets import collection, ranges, report, thumbnails
from datasets.collection import Collection, Upload
from datasets.errors import NotThere
from datasets.http import answers, renderers
from datasets.metadata import Table
from datasets.models import Dataset, Status
from embeddings.images import media_type

from . import filters, parameters
from .base import unless_deleted

_PAGE, _LONGEST_PAGE = 100, 1000
_FEW_ROWS = 150
"""Whose JSON is about a kilobyte."""


class Images(APIView):
    """Names, sizes and metadata, page by page: of all pictures, or of those whose metadata are as asked for."""

    def get(self, request: Request, identity: str | None = None) -> HttpResponseBase:
        found = collection.find(identity)
        offset = parameters.whole(request, "offset", 0, most=10**12 - 1)
        limit = parameters.whole(request, "limit", _PAGE, least=1, most=_LONGEST_PAGE)
        wanted = filters.wanted(request, "offset", "limit")
        chosen = found.select(wanted.fields, wanted.search)
        rows = [int(row) for row in chosen[offset : offset + limit]]

        def render() -> list[bytes]:
            table = found.metadata()
            images = [_told(found, table, row) for row in rows]
            return [renderers.dumps({"images": images, "total": len(chosen), "fields": table.fields()})]

        answer = answers.made(
            f"{found.place}-images-{found.metadata_version}-{offset}-{limit}-{wanted.key}",
            render,
            cache_control=cache_control(found),
            small=len(rows) <= 10,
        )
        return answers.send(request, answer)


class Rows(APIView):
    """The rows of all pictures that are as asked for, and nothing else of them."""

    def get(self, request: Request, identity: str | None = None) -> HttpResponseBase:
        found = collection.find(identity)
        wanted = filters.wanted(request)
        rows = found.select(wanted.fields, wanted.search)
        answer = answers.made(
            f"{found.place}-rows-{found.metadata_version}-{wanted.key}",
            lambda: [renderers.dumps({"rows": np.asarray(rows, np.int64), "total": len(rows)})],
            cache_control=cache_control(found),
            small=len(rows) <= _FEW_ROWS,
        )
        return answers.send(request, answer)


class Fields(APIView):
    """What the metadata are: each field's type, and how its values are spread."""

    def get(self, request: Request, identity: str | None = None) -> HttpResponseBase:
        found = collection.find(identity)
        answer = answers.made(
            f"{found.place}-fields-{found.metadata_version}",
            lambda: [
                renderers.dumps(
                    {
                        "fields": [column.summary() for column in found.metadata().columns.values()],
                        "total": found.total,
                    }
                )
            ],
            cache_control=cache_control(found),
            small=False,
        )
        return answers.send(request, answer)


class Field(APIView):
    """One field of all pictures, by row."""

    def get(self, request: Request, name: str, identity: str | None = None) -> HttpResponseBase:
        found = collection.find(identity)
        table = found.metadata()
        if name not in table.columns:
            raise NotThere(table.unknown(name))
        answer = answers.made(
            f"{found.place}-field-{found.metadata_version}-{answers.fingerprint(name.encode())}",
            lambda: [renderers.dumps(table.columns[name].whole())],
            cache_control=cache_control(found),
            small=False,
        )
        return answers.send(request, answer)


class Image(APIView):
    """One picture's file as it came."""

    def get(self, request: Request, index: str, identity: str | None = None) -> HttpResponseBase:
        found = collection.find(identity)
        row = found.row(index)
        data = found.read(row)
        (name,) = found.names([row])
        facts = found.facts(row)
        answer = answers.content(
            data,
            facts.digest if facts else answers.fingerprint(data),
            media_type=facts.media_type if facts else media_type(data),
            cache_control=cache_control(found),
        )
        response = answers.send(request, answer)
        response["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(name, safe='')}"
        return response


class Thumbnail(APIView):
    """One picture, small."""

    def get(self, request: Request, index: str, identity: str | None = None) -> HttpResponseBase:
        found = collection.find(identity)
        row = found.row(index)
        size = parameters.whole(request, "size", thumbnails.DEFAULT, least=8, most=thumbnails.LARGEST)
        wanted = "webp" if "image/webp" in request.headers.get("Accept", "") else "jpeg"
        form = parameters.one_of(request, "format", thumbnails.FORMATS, wanted)
        limit = settings.MAX_MEGAPIXELS * 1_000_000
        answer = answers.made(
            f"{found.place}-thumbnails/{row}-{size}-{form}",
            lambda: [thumbnails.thumbnail(found, row, size=size, form=form, max_pixels=limit)],
            cache_control=cache_control(found),
            small=False,
            media_type=thumbnails.FORMATS[form],
            packed=True,
            negotiated=True,
        )
        return answers.send(request, answer)


class Manifest(APIView):
    """Where each picture lies in a tilemap."""

    def get(self, request: Request, identity: str | None = None, number: str = "0") -> HttpResponseBase:
        found = collection.find(identity)
        sheet = ranges.parse(number, found.total)
        answer = answers.made(
            f"{found.place}-manifest-{sheet}",
            lambda: [renderers.dumps(thumbnails.manifest(found.sheet(sheet), sheet * ranges.SIZE))],
            cache_control=cache_control(found),
            small=False,
        )
        return answers.send(request, answer)


class Report(APIView):
    """What became of each file of the archive; of an upload that failed, as far as it got."""

    def get(self, request: Request, identity: str) -> HttpResponseBase:
        dataset = Dataset.objects.known(identity)
        is_ready = dataset.status == Status.READY
        if not is_ready and not dataset.has("report"):
            raise NotThere(dataset.why_not_there)
        stored = dataset.report
        answer = answers.made(
            f"{Upload(dataset).place}-report",
            lambda: [Path(stored.path).read_bytes() if stored else renderers.dumps(report.of_older(dataset))],
            # What did not succeed may do so when it is sent again.
            cache_control=answers.DATASET if is_ready else answers.UNFINISHED,
            small=False,
        )
        with unless_deleted(dataset):
            return answers.send(request, answer)


def cache_control(found: Collection) -> str:
    return answers.DATASET if isinstance(found, Upload) else answers.CATALOGUE


def _told(found: Collection, table: Table, row: int) -> dict[str, object]:
    (name,) = found.names([row])
    facts = found.facts(row)
    return {
        "index": row,
        "name": name,
        "width": facts.width if facts else None,
        "height": facts.height if facts else None,
        "bytes": facts.size if facts else None,
        "metadata": table.row(row),
    }
