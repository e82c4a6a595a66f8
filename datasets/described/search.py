"""Who is like whom."""

from datasets import likeness
from datasets.http.schema import (
    ANY,
    BINARY,
    CONDITIONS,
    COUNT,
    EXAMPLE_ID,
    JSON,
    NUMBER,
    TEXT,
    Call,
    Calls,
    Json,
    Parameter,
    Reply,
    array,
    component,
    multipart,
    nullable,
    obj,
    of_both,
    refusals,
    sent,
)
from datasets.views import search

from .pictures import INDEX, NO_PICTURE

_TAG = "likeness"

_COSINE: Json = {"type": "number", "minimum": -1.0001, "maximum": 1.0001}
_PLACE: Json = nullable(array(NUMBER, minItems=3, maxItems=3))

_HOW_MANY = Parameter(
    name="k",
    schema={"type": "integer", "minimum": 1, "maximum": 100, "default": 10},
    description="How many; there are fewer where there are no more.",
)

_NEIGHBOUR = component(
    "Neighbor",
    obj(
        {
            "index": COUNT,
            "name": TEXT,
            "similarity": {**_COSINE, "description": "The cosine of their features."},
            "in": {**TEXT, "description": "Among whose pictures: self, catalogue, or an upload's id."},
        }
    ),
)
_NEIGHBOURS = component("Neighbors", obj({"neighbors": array(_NEIGHBOUR)}))
_FOUND = component(
    "SearchResult",
    obj(
        {
            "neighbors": array(_NEIGHBOUR),
            "pca": {**_PLACE, "description": "Its place among them; null where the reducer is not at hand."},
            "umap": _PLACE,
            "in": TEXT,
        }
    ),
)
_MEMBER = component("GroupMember", obj({"index": COUNT, "name": TEXT}))
_GROUP = component(
    "DuplicateGroup",
    obj(
        {
            "kind": {"type": "string", "enum": ["exact", "near"], "description": "exact: equal files."},
            "images": array(_MEMBER, minItems=2),
            "similarity": {**_COSINE, "description": "The least among those that are alike."},
        }
    ),
)
_GROUPS = component(
    "Duplicates",
    obj({"groups": array(_GROUP), "threshold": {"type": "number", "minimum": 0, "maximum": 1}, "total": COUNT}),
)
_OUTLIER = component(
    "Outlier", obj({"index": COUNT, "name": TEXT, "score": {"type": "number", "minimum": -0.0001, "maximum": 2.0001}})
)
_OUTLIERS = component(
    "Outliers",
    obj(
        {
            "outliers": array(_OUTLIER),
            "score": {**TEXT, "description": "What the score is, in words."},
            "mean": {"type": "number", "description": "Of the scores of all pictures."},
            "total": COUNT,
        }
    ),
)

_NEAREST = {"index": 19, "name": "daisy-20.jpg", "similarity": 0.845345}
_OTHER_NETWORK = "These pictures were computed with another network, weights or precision, so they cannot be compared."

CALLS: dict[type, Calls] = {
    search.Neighbours: {
        "GET": of_both(
            "images/{index}/neighbors",
            Call(
                name="neighbors",
                tag=_TAG,
                summary="The pictures most like one",
                description="By the cosine of the network's features, the nearest first. It is left out itself.",
                parameters=[
                    INDEX,
                    _HOW_MANY,
                    Parameter(
                        name="in",
                        schema={"type": "string", "enum": ["self", "catalogue"], "default": "self"},
                        description="Among the pictures beside it, or the catalogue's.",
                    ),
                    *CONDITIONS,
                ],
                answers={
                    **sent("The nearest.", JSON, _NEIGHBOURS, {"neighbors": [{**_NEAREST, "in": "self"}]}),
                    **NO_PICTURE,
                    **ANY,
                },
            ),
            of_upload=refusals(409, _409=_OTHER_NETWORK),
        )
    },
    search.Duplicates: {
        "GET": of_both(
            "duplicates",
            Call(
                name="duplicates",
                tag=_TAG,
                summary="Groups of pictures that are one and the same, or nearly",
                description=(
                    "Fingerprints that differ in at most 10 of 64 bits, and a cosine of at least `threshold`; equal "
                    "files always. Of a large catalogue, pairs of which one is among the ten nearest of the other."
                ),
                parameters=[
                    Parameter(
                        name="threshold",
                        schema={"type": "number", "minimum": 0, "maximum": 1, "default": likeness.THRESHOLD},
                        description="The least cosine.",
                    ),
                    *CONDITIONS,
                ],
                answers={
                    **sent(
                        "The groups, the largest first.",
                        JSON,
                        _GROUPS,
                        {
                            "groups": [
                                {
                                    "kind": "near",
                                    "images": [
                                        {"index": 3, "name": "daisy-04.jpg"},
                                        {"index": 7, "name": "daisy-08.jpg"},
                                    ],
                                    "similarity": 0.953,
                                }
                            ],
                            "threshold": 0.9,
                            "total": 1,
                        },
                    ),
                    **refusals(
                        400,
                        404,
                        _400="“threshold” is a number from 0 to 1, not “2”.",
                        _404="There is no dataset of this id.",
                    ),
                    **ANY,
                },
            ),
        )
    },
    search.Outliers: {
        "GET": of_both(
            "outliers",
            Call(
                name="outliers",
                tag=_TAG,
                summary="The pictures that are least like any other",
                parameters=[
                    Parameter(
                        name="limit",
                        schema={"type": "integer", "minimum": 1, "maximum": 1000, "default": 10},
                        description="How many; there are fewer where there are no more.",
                    ),
                    *CONDITIONS,
                ],
                answers={
                    **sent(
                        "The loneliest first.",
                        JSON,
                        _OUTLIERS,
                        {
                            "outliers": [{"index": 252, "name": "tulip-13.jpg", "score": 0.539608}],
                            "score": "mean of 1 − cosine to the 10 nearest others",
                            "mean": 0.324821,
                            "total": 300,
                        },
                    ),
                    **refusals(
                        400,
                        404,
                        _400="“limit” is a whole number from 1 to 1000, not “0”.",
                        _404="There is no dataset of this id.",
                    ),
                    **ANY,
                },
            ),
        )
    },
    search.Search: {
        "POST": Call(
            name="search",
            tag=_TAG,
            summary="Send a picture, and see what is like it",
            description=(
                "The nearest pictures, and its own place among them. Nothing is stored. The worker computes it before "
                "any upload that waits; 503 where it has work for longer than 20 seconds."
            ),
            parameters=[
                Parameter(
                    name="in",
                    schema={"type": "string", "pattern": "^(catalogue|[0-9a-f]{32})$", "default": "catalogue"},
                    description="Among the catalogue's pictures, or those of the upload of this id.",
                ),
                _HOW_MANY,
            ],
            body=multipart("One picture.", file={**BINARY, "contentMediaType": "image/*"}),
            answers={
                200: Reply(
                    description="What was found.",
                    content={JSON: _FOUND},
                    examples={
                        JSON: {
                            "neighbors": [{**_NEAREST, "in": EXAMPLE_ID}],
                            "pca": [11.88, -4.61, 4.7],
                            "umap": [11.29, 10.66, 9.2],
                            "in": EXAMPLE_ID,
                        }
                    },
                    headers=("Cache-Control",),
                ),
                **refusals(
                    400,
                    404,
                    409,
                    413,
                    415,
                    500,
                    503,
                    507,
                    _400="The picture cannot be read: it is no picture, or of a kind that is not read here.",
                    _404="There is no dataset of this id.",
                    _409=_OTHER_NETWORK,
                    _413="The picture is larger than the limit of 256 MiB.",
                    _503="No worker is running, so nothing can be looked up now. Try again in a while.",
                ),
                **ANY,
            },
        )
    },
}
