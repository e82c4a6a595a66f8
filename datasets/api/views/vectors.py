"""Vectors as they are asked for: in which form, and which rows of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from numpy.typing import NDArray
from rest_framework.request import Request
from rest_framework.views import APIView

from datasets.api.http import formats, responses
from datasets.api.http.formats import FORMATS, Matrix
from datasets.api.openapi import BINARY, JSON, NO_DATASET, TEXT, ChoiceParameter, IntegerParameter, Reply, sent
from datasets.api.openapi.responses import COMPRESSED
from datasets.api.serializers.vectors import NetworkFeaturesSerializer, VectorsSerializer
from datasets.collection import sampling
from datasets.collection.base import Collection
from datasets.errors import ApiError
from datasets.search import collections
from embeddings.vector_files import StackedRows, Vectors

SMALL = 32
"""Rows, or ranges, of which the JSON is about a kilobyte."""
_MOST = 10**9

FORMAT = ChoiceParameter("format", FORMATS, "In which form, whatever `Accept` says; JSON where neither says it.")
OFFSET = IntegerParameter("offset", "A window: after so many rows.", 0, most=_MOST)
LIMIT = IntegerParameter("limit", "A window: so many rows at most.", least=1, most=_MOST)
SAMPLE = IntegerParameter(
    "sample", "So many rows from all over the cloud, in rising order. Not together with a window.", least=1, most=_MOST
)
SEED = IntegerParameter("seed", "Another sample for each; the same one for the same.", 0, most=2**32 - 1)
PARAMETERS = [FORMAT, OFFSET, LIMIT, SAMPLE, SEED]
FORMS = (
    "In the form that `format` or `Accept` names: JSON, NumPy's own, raw little-endian float32, 16-bit codes with "
    "their bounds, Arrow, Parquet or CSV. The last three have names and metadata beside the numbers. Codes (`uint16`) "
    "come as `uint32` rows, `uint32` columns, `float32` minimum of each column, `float32` step of each column, "
    "`uint16` codes row by row, all little-endian: a value is minimum + step · code, at most half a step off, which is "
    "1/131,070 of its column's extent in the answer."
)


def replies(
    description: str, serializer: type[VectorsSerializer], example: Mapping[str, Any]
) -> dict[int, Reply | str]:
    """Those of `answer`; `serializer` describes the JSON."""
    content = dict.fromkeys((form.media_type for form in FORMATS.values()), BINARY)
    examples = {JSON: example, "text/csv": '"index","name","x","y","z"\n0,"daisy-01.jpg",11.79,10.21,9.40\n'}
    headers = (*COMPRESSED, "X-Shape", "X-Dtype", "Content-Disposition")
    found = sent(description, {**content, JSON: serializer, "text/csv": TEXT}, examples, headers)
    return found | {400: f"There is no format “xml”; known are {', '.join(FORMATS)}."}


class NetworkFeatures(APIView):
    """What the network gave for each picture of an upload."""

    @extend_schema(
        operation_id="get_dataset_network_features",
        tags=["datasets"],
        description=f"1280 numbers a picture of EfficientNet-Lite0, 2048 of ResNet50. {FORMS}",
        parameters=PARAMETERS,
        responses=replies("The features.", NetworkFeaturesSerializer, {"features": [[0.0, 0.4172, 1.0311]], "total": 1})
        | {404: NO_DATASET},
    )
    def get(self, request: Request, dataset_id: str) -> HttpResponseBase:
        found = collections.upload(dataset_id)
        return answer(
            request,
            found.features(),
            f"{found.cache_key}-network",
            facts={"total": found.total},
            collection=lambda: found,
            points=lambda: found.dataset.vectors("pca"),
            cache_control=responses.DATASET,
        )


def answer(
    request: Request,
    vectors: Vectors | StackedRows,
    cache_key: str,
    *,
    facts: Mapping[str, Any],
    collection: Callable[[], Collection],
    cache_control: str,
    first: int = 0,
    points: Callable[[], Vectors] | None = None,
) -> HttpResponseBase:
    """Send `(n, d)` vectors of the rows `first` …, or those of them that a client asks for, in the form it wants.

    Without any parameter the JSON is the contract's. `points` are where samples are spread, unless the vectors are.
    """
    name = FORMAT.read(request, formats.preferred(request))
    form = FORMATS[name]
    selection = _selection(request, len(vectors))
    if selection.key or name != "json":
        version = collection().metadata_version if name in formats.DESCRIBED else ""
        cache_key = f"{cache_key}-{name}{selection.key}-{version}"
    if name in formats.DESCRIBED and cache_control == responses.DATASET:
        cache_control = responses.MAY_CHANGE  # clusters may come later, and are fields

    def matrix() -> Matrix:
        rows = selection.rows(points or (lambda: np.asarray(vectors)))
        numbers = rows + first
        return Matrix(
            rows=numbers,
            vectors=np.ascontiguousarray(vectors[rows]) if selection.key else np.asarray(vectors),
            facts={**facts, "indices": numbers.tolist()} if selection.key else facts,
            names=lambda: collection().names(numbers.tolist()),
            fields=lambda: collection().images.fields(),
        )

    sent = responses.cached_response(
        cache_key,
        lambda: form.render(matrix()),
        cache_control=cache_control,
        small=name == "json" and selection.count * vectors.shape[1] < 3 * SMALL,
        media_type=form.media_type,
        precompressed=form.precompressed,
        negotiated=True,
    )
    response = responses.send(request, sent)
    if name != "json" and response.status_code in {200, 206}:
        response["X-Shape"], response["X-Dtype"] = f"{selection.count},{vectors.shape[1]}", form.dtype
        response["Content-Disposition"] = f'attachment; filename="vectors.{form.suffix}"'
    return response


def check(request: Request, total: int) -> None:
    """Raise the `ApiError` with which `answer` refuses a parameter, before anything is computed for it."""
    FORMAT.read(request, formats.preferred(request))
    _selection(request, total)


@dataclass(frozen=True, kw_only=True)
class _Selection:
    """Which rows a client wants."""

    key: str
    """Tells one selection from another; empty for all rows."""
    count: int
    rows: Callable[[Callable[[], Vectors]], NDArray[np.int64]]
    """Given where the pictures lie."""


def _selection(request: Request, total: int) -> _Selection:
    offset, limit = OFFSET.read(request), LIMIT.read(request, _MOST)
    sample, seed = SAMPLE.read(request), SEED.read(request)
    is_window = bool({OFFSET.name, LIMIT.name} & request.query_params.keys())
    if sample and is_window:
        raise ApiError(
            "Ask for a window (offset, limit) or for a sample, not for both.", code="parameter-invalid", name="sample"
        )
    if sample:
        count = min(sample, total)
        return _Selection(
            key=f"-sample-{count}-{seed}",
            count=count,
            rows=lambda points: sampling.stratified(points(), count, seed),
        )
    # A window of millions costs no more than one of thousands.
    rows = range(total)[offset : offset + limit]
    key = f"-window-{min(offset, total)}-{len(rows)}" if is_window else ""
    return _Selection(key=key, count=len(rows), rows=lambda points: np.arange(rows.start, rows.stop))
