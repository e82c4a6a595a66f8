"""Uploads that are looked after."""

from dataclasses import replace

from datasets.forecast import Outlook
from datasets.http.schema import (
    ANY,
    COUNT,
    EXAMPLE_ID,
    ID,
    IDENTITY,
    JSON,
    REDUCER,
    TEXT,
    Call,
    Calls,
    Json,
    Parameter,
    Reply,
    array,
    component,
    nullable,
    obj,
    refusals,
)
from datasets.models import Status
from datasets.views import management
from datasets.views.management import LIMIT, MOST, SORTS

from .contract import UPLOAD

_TAG = "datasets"

_SECONDS: Json = {"type": "number", "minimum": 0}
_MOMENT: Json = {"type": "string", "format": "date-time"}
_URL: Json = {"type": "string", "pattern": "^/"}
_STATUS: Json = {"type": "string", "enum": list(Status.values)}

_LINKS = component(
    "DatasetLinks",
    {
        "description": "Where its results lie: those that are there now.",
        "type": "object",
        "properties": {
            "self": _URL,
            "tilemap": _URL,
            "features": {"type": "object", "additionalProperties": _URL},
            "network": {**_URL, "description": "The network's own features."},
            "manifest": {**_URL, "description": "Where each picture lies in the tilemap."},
            "fields": {**_URL, "description": "What the metadata are."},
            "images": {**_URL, "description": "Names, sizes and metadata."},
            "report": {**_URL, "description": "What became of each file."},
            "duplicates": _URL,
            "outliers": _URL,
            "export": {**_URL, "description": "All of it in one ZIP."},
            "page": {**_URL, "description": "For people."},
        },
        "required": ["self"],
        "additionalProperties": False,
    },
)

_SHORT: dict[str, Json] = {
    "id": ID,
    "name": {**TEXT, "description": "The archive's."},
    "status": _STATUS,
    "stage": {**nullable(TEXT), "description": "features, pca, umap, storing; null when nothing is under way."},
    "progress": {"type": "number", "minimum": 0, "maximum": 1, "description": "Of the whole way."},
    "seconds_left": {**nullable(_SECONDS), "description": "As past uploads tell; null where there were none."},
    "queue_position": {**nullable({"type": "integer", "minimum": 1}), "description": "1 is begun next."},
    "count": {**COUNT, "description": "Pictures: rows of the vectors, and tiles."},
    "expected": {**COUNT, "description": "Pictures that the archive's names promised."},
    "passed_over": {**COUNT, "description": "Files that are no pictures."},
    "bytes": {**COUNT, "description": "Of the archive."},
    "backbone": nullable(TEXT),
    "precision": nullable(TEXT),
    "engine": nullable(TEXT),
    "space": {**nullable(TEXT), "description": "catalogue: among its pictures; own: laid out by itself."},
    "reducers": {**array(REDUCER.schema), "description": "Whose vectors can be read now."},
    "explained_variance": {
        **nullable(array({"type": "number", "minimum": 0, "maximum": 1.0001}, minItems=3, maxItems=3)),
        "description": "Shares of the variance along PCA's three axes.",
    },
    "seed": nullable(COUNT),
    "created_at": _MOMENT,
    "started_at": nullable(_MOMENT),
    "finished_at": nullable(_MOMENT),
    "timings": {
        "type": "object",
        "additionalProperties": _SECONDS,
        "description": "Seconds by stage.",
    },
    "error": {**nullable(TEXT), "description": "Why it failed."},
    "links": _LINKS,
}
_SKIPPED = component("Skipped", obj({"name": TEXT, "reason": TEXT}))
_ENTRY = component("DatasetEntry", {"description": "A dataset, as lists show it.", **obj(_SHORT)})
_DATASET = component(
    "Dataset",
    {
        "description": "All there is to say of an upload.",
        **obj(
            {
                **_SHORT,
                "skipped": {**array(_SKIPPED), "description": "Files that should have been pictures."},
                "versions": {
                    "type": "object",
                    "additionalProperties": TEXT,
                    "description": "Package → version, of all that computed the vectors.",
                },
            }
        ),
    },
)
_LIST = component(
    "DatasetList",
    obj({"datasets": array(_ENTRY), "total": COUNT, "next": nullable(_URL), "previous": nullable(_URL)}),
)

_QUEUED: Json = {
    "id": EXAMPLE_ID,
    "name": "photos.zip",
    "status": "queued",
    "stage": None,
    "progress": 0,
    "seconds_left": 12.5,
    "queue_position": 1,
    "count": 0,
    "expected": 50,
    "passed_over": 0,
    "bytes": 401_220,
    "backbone": "efficientnet_lite0",
    "precision": "fp32",
    "engine": None,
    "space": "own",
    "reducers": [],
    "explained_variance": None,
    "seed": None,
    "created_at": "2026-11-23T20:46:07.871Z",
    "started_at": None,
    "finished_at": None,
    "timings": {},
    "error": None,
    "links": {"self": f"/dataset/{EXAMPLE_ID}"},
}
_DONE: Json = _QUEUED | {
    "status": "ready",
    "progress": 1,
    "seconds_left": None,
    "queue_position": None,
    "count": 49,
    "passed_over": 1,
    "engine": "OpenVINO 2026.4.1, fp32, 2 threads",
    "reducers": ["pca", "umap"],
    "explained_variance": [0.213, 0.094, 0.061],
    "seed": 20210607,
    "started_at": "2026-11-23T20:46:08.001Z",
    "finished_at": "2026-11-23T20:46:15.033Z",
    "timings": {"features": 5.605, "pca": 0.001, "umap": 1.547, "storing": 0.007},
    "links": {
        "self": f"/dataset/{EXAMPLE_ID}",
        "tilemap": f"/dataset/{EXAMPLE_ID}/tilemap",
        "features": {"pca": f"/dataset/{EXAMPLE_ID}/features/pca", "umap": f"/dataset/{EXAMPLE_ID}/features/umap"},
        "network": f"/dataset/{EXAMPLE_ID}/features/network",
        "manifest": f"/dataset/{EXAMPLE_ID}/tilemap/manifest",
        "fields": f"/dataset/{EXAMPLE_ID}/images/fields",
        **{name: f"/dataset/{EXAMPLE_ID}/{name}" for name in ("images", "report", "duplicates", "outliers", "export")},
        "page": f"/?dataset={EXAMPLE_ID}",
    },
}
_WHOLE: Json = _DONE | {
    "skipped": [{"name": "broken.jpg", "reason": "it ends too early"}],
    "versions": {"pipeline": "1", "python": "3.12.3", "openvino": "2026.4.1"},
}

CALLS: dict[type, Calls] = {
    management.Datasets: {
        "GET": Call(
            name="list_datasets",
            tag=_TAG,
            summary="The uploads, page by page",
            description="With LISTING=closed it takes a token.",
            parameters=[
                Parameter(name="status", schema=_STATUS, description="Only these."),
                Parameter(
                    name="sort",
                    schema={"type": "string", "enum": [sign + name for name in SORTS for sign in ("", "-")]},
                    description="By this; with a minus the other way round. The newest first, if it is not said.",
                ),
                Parameter(
                    name="limit",
                    schema={"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT},
                    description="So many at most.",
                ),
                Parameter(
                    name="offset",
                    schema={"type": "integer", "minimum": 0, "maximum": 2**53, "default": 0},
                    description="After so many.",
                ),
            ],
            answers={
                200: Reply(
                    description="A page.",
                    content={JSON: _LIST},
                    examples={JSON: {"datasets": [_DONE], "total": 1, "next": None, "previous": None}},
                    headers=("Cache-Control",),
                ),
                **refusals(400, _400="“limit” is a whole number from 1 to 1000."),
                **ANY,
            },
        ),
        "POST": Call(
            name="upload_dataset",
            tag=_TAG,
            summary="Send a ZIP of pictures",
            description=(
                "The call returns when all is computed, with the id alone, as plain text. Meanwhile the server is busy "
                "for all others. With `Prefer: respond-async` it returns at once, with the dataset as JSON: 202 where "
                "it is queued, 200 where the same archive has been computed before. Nobody is told to wait then."
            ),
            parameters=[
                Parameter(
                    name="Prefer",
                    place="header",
                    schema={"type": "string", "enum": ["respond-async"]},
                    description="RFC 7240. Other preferences are passed over.",
                )
            ],
            body=UPLOAD,
            answers={
                200: Reply(
                    description="All is computed.",
                    content={"text/plain": ID, JSON: _DATASET},
                    examples={"text/plain": EXAMPLE_ID, JSON: _WHOLE},
                ),
                202: Reply(
                    description="It is queued, or being computed: ask `Location` after `Retry-After` seconds.",
                    content={JSON: _DATASET},
                    examples={JSON: _QUEUED | {"skipped": [], "versions": {}}},
                    headers=("Location", "Preference-Applied", "Retry-After", "Cache-Control"),
                ),
                **refusals(409, 415, 503, 507),
                **{
                    status: replace(reply, headers=[*reply.headers, "Link"])
                    for status, reply in refusals(400, 413, 500, _400="The file is not a ZIP.").items()
                },
                **ANY,
                **refusals(429, _429="20 uploads are waiting already, and no more may. Send it again later."),
            },
        ),
    },
    management.OneDataset: {
        "GET": Call(
            name="get_dataset",
            tag=_TAG,
            summary="How far an upload is, and what came of it",
            description=(
                f"While it is queued or computed, `Retry-After` says when there is something new: every "
                f"{Outlook().ask_again} seconds or so."
            ),
            parameters=[IDENTITY],
            answers={
                200: Reply(
                    description="The dataset. `Retry-After` is there until it has ended.",
                    content={JSON: _DATASET},
                    examples={JSON: _WHOLE},
                    headers=("Cache-Control",),
                ),
                **refusals(404, _404="There is no dataset of this id."),
                **ANY,
            },
        ),
        "DELETE": Call(
            name="delete_dataset",
            tag=_TAG,
            summary="Delete an upload with all its files",
            description="One that is queued or computed is stopped.",
            parameters=[IDENTITY],
            answers={
                204: Reply(description="It is gone."),
                **refusals(404, _404="There is no dataset of this id."),
                **ANY,
            },
        ),
    },
}
