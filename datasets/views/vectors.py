"""Vectors as they are asked for: in which form, and which rows of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.http.response import HttpResponseBase
from numpy.typing import NDArray
from rest_framework.request import Request
from rest_framework.views import APIView

from datasets import collection, sampling
from datasets.collection import Collection
from datasets.errors import Refusal
from datasets.http import answers, formats
from datasets.http.formats import Matrix
from embeddings.vectors import Vectors

from . import parameters

SMALL = 32
"""Rows, or ranges, of which the JSON is about a kilobyte."""
_MOST = 10**9


class NetworkFeatures(APIView):
    """The network's own output for each picture of an upload."""

    def get(self, request: Request, identity: str) -> HttpResponseBase:
        found = collection.upload(identity)
        return answer(
            request,
            found.features(),
            f"{found.place}-network",
            facts={"total": found.total},
            collection=lambda: found,
            points=lambda: found.dataset.vectors("pca"),
            cache_control=answers.DATASET,
        )


def answer(
    request: Request,
    vectors: Vectors,
    place: str,
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
    name = formats.chosen(request)
    form = formats.FORMATS[name]
    asked = _asked(request, len(vectors))
    if asked.key or name != "json":
        version = collection().metadata_version if name in formats.DESCRIBED else ""
        place = f"{place}-{name}{asked.key}-{version}"

    def matrix() -> Matrix:
        rows = asked.rows(points or (lambda: vectors))
        numbers = rows + first
        return Matrix(
            rows=numbers,
            vectors=np.ascontiguousarray(vectors[rows]) if asked.key else vectors,
            facts={**facts, "indices": numbers.tolist()} if asked.key else facts,
            names=lambda: collection().names(numbers.tolist()),
            columns=lambda: list(collection().metadata().columns.values()),
        )

    sent = answers.made(
        place,
        lambda: form.render(matrix()),
        cache_control=cache_control,
        small=name == "json" and asked.count * vectors.shape[1] < 3 * SMALL,
        media_type=form.media_type,
        packed=form.packed,
        negotiated=True,
    )
    response = answers.send(request, sent)
    if name != "json" and response.status_code in {200, 206}:
        response["X-Shape"], response["X-Dtype"] = f"{asked.count},{vectors.shape[1]}", "<f4"
        response["Content-Disposition"] = f'attachment; filename="vectors.{form.suffix}"'
    return response


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """Which rows a client wants."""

    key: str
    """Tells one such question from another; empty for all rows."""
    count: int
    rows: Callable[[Callable[[], Vectors]], NDArray[np.int64]]
    """Given where the pictures lie."""


def _asked(request: Request, total: int) -> _Asked:
    offset = parameters.whole(request, "offset", 0, most=_MOST)
    limit = parameters.whole(request, "limit", _MOST, least=1, most=_MOST)
    sample = parameters.whole(request, "sample", 0, least=1, most=_MOST)
    seed = parameters.whole(request, "seed", 0, most=2**32 - 1)
    asked = request.query_params
    if "sample" in asked and ("offset" in asked or "limit" in asked):
        raise Refusal("Ask for a window (offset, limit) or for a sample, not for both.")
    if "sample" in asked:
        count = min(sample, total)
        return _Asked(
            key=f"-sample-{count}-{seed}",
            count=count,
            rows=lambda points: sampling.stratified(points(), count, seed),
        )
    rows = np.arange(total)[offset : offset + limit]
    key = f"-window-{min(offset, total)}-{len(rows)}" if "offset" in asked or "limit" in asked else ""
    return _Asked(key=key, count=len(rows), rows=lambda points: rows)
