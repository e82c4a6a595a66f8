"""A cloud of pictures as one file for other programs: a 3-D model, or a table with the pictures in it."""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from datasets.api.http import responses
from datasets.api.openapi import BINARY, NO_DATASET, ChoiceParameter, IntegerParameter, Reply, sent
from datasets.api.picture_table import picture_table
from datasets.collection.base import Collection
from datasets.collection.cloud_model import LARGEST, check_size, cloud_model
from datasets.errors import NotFound
from datasets.search import collections
from datasets.tilemaps import ranges
from embeddings.reducers import REDUCERS
from embeddings.vector_files import Vectors, load

LAYOUT = ChoiceParameter("layout", REDUCERS, "Where the pictures lie.", "umap")
OFFSET = IntegerParameter("offset", "A window: after so many pictures.", 0, most=10**9)
LIMIT = IntegerParameter(
    "limit",
    f"A window: so many pictures at most; all by default, where they are no more than {LARGEST}.",
    least=1,
    most=10**9,
)
PARAMETERS = [LAYOUT, OFFSET, LIMIT]
GLB, PARQUET = "model/gltf-binary", "application/vnd.apache.parquet"
_FORMAT = 1
"""To be raised with every change of the bytes that these files consist of."""


def _replies(description: str, media_type: str) -> dict[int, Reply | str]:
    found = sent(description, {media_type: BINARY}, headers=("Content-Disposition",))
    return found | {
        400: f"One file has {LARGEST:,} pictures at most, not 202,599: ask for a window (offset, limit) of them.",
        404: NO_DATASET,
    }


class Model(APIView):
    """The cloud of pictures as a 3-D model.

    A GLB (glTF 2.0) for Blender, headsets and browsers: a quad for each picture, with the tilemaps as textures, without
    light (`KHR_materials_unlit`). The quads face +Z. The node `cloud` brings 95 % of the pictures within a metre of the
    origin; the vertices below it are in the layout's own numbers. Mesh `007` has the pictures from 7000 on, four
    vertices each; `extras.first` and `extras.count` say which.
    """

    @extend_schema(
        operation_id="export_{collection}_model",
        tags=["export"],
        parameters=PARAMETERS,
        responses=_replies("The model.", GLB),
    )
    def get(self, request: Request, dataset_id: str | None = None) -> HttpResponseBase:
        layout = LAYOUT.read(request)
        # The model holds the collection's name.
        render = partial(cloud_model, layout=layout)
        return _sent(request, dataset_id, "glb", GLB, render, lambda found: found.name)


class PictureTable(APIView):
    """The cloud as Parquet with the pictures in it.

    A row a picture: `index`, `name`, `x`, `y`, `z`, `image` (a struct of `bytes`, a small JPEG, and `path`), and the
    metadata. Embedding Atlas opens it: `embedding-atlas FILE --x x --y y --image image`.
    """

    @extend_schema(
        operation_id="export_{collection}_table",
        tags=["export"],
        parameters=PARAMETERS,
        responses=_replies("The table.", PARQUET),
    )
    def get(self, request: Request, dataset_id: str | None = None) -> HttpResponseBase:
        return _sent(request, dataset_id, "parquet", PARQUET, picture_table, lambda found: found.metadata_version)


def _sent(
    request: Request,
    dataset_id: str | None,
    suffix: str,
    media_type: str,
    render: Callable[[Collection, Vectors, range], Iterator[bytes]],
    depends: Callable[[Collection], str],
) -> HttpResponseBase:
    """`depends` tells what the bytes depend on that may change, beside the tilemaps."""
    found = collections.find(dataset_id)
    layout, offset, limit = LAYOUT.read(request), OFFSET.read(request), LIMIT.read(request, found.total)
    rows = range(found.total)[offset : offset + limit]
    if not rows:
        raise NotFound(f"There is no picture {offset}: the last one is {found.total - 1}.", code="picture-unknown")
    check_size(len(rows))
    vectors = load(found.folder.layout_path(layout))
    version = _version(found, rows, depends(found))
    key = f"{found.cache_key}-{layout}-{rows.start}-{rows.stop}-{version}.{_FORMAT}.{suffix}"
    answer = responses.cached_response(
        key,
        lambda: render(found, vectors, rows),
        cache_control=responses.MAY_CHANGE,
        small=False,
        media_type=media_type,
        precompressed=True,
    )
    response = responses.send(request, answer)
    if response.status_code in {200, 206}:
        response["Content-Disposition"] = f'attachment; filename="{dataset_id or "catalogue"}-{layout}.{suffix}"'
    return response


def _version(found: Collection, rows: range, more: str) -> str:
    """Another one whenever `more` or tilemaps are others: the same catalogue may have been given new ones."""
    digest = hashlib.sha256(more.encode())
    for number in range(rows.start // ranges.SIZE, ranges.count(rows.stop)):
        try:
            stat = found.tilemap(number).stat()
        except FileNotFoundError:
            raise NotFound("The tilemap with these pictures has not been built.", code="tilemap-missing") from None
        digest.update(f"{stat.st_size:x}-{stat.st_mtime_ns:x}".encode())
    return digest.hexdigest()[:16]
