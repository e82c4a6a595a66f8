"""Vectors in any form: all rows, a window of them, or a sample."""

from collections.abc import Mapping
from typing import Any

from datasets.http.formats import FORMATS
from datasets.http.schema import (
    ANY,
    BINARY,
    COMPRESSED,
    CONDITIONS,
    COUNT,
    IDENTITY,
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
    obj,
    refusals,
    sent_as,
)
from datasets.views import vectors

_MOST = 10**9

AS_WANTED = (
    Parameter(
        name="format",
        schema={"type": "string", "enum": list(FORMATS)},
        description="In which form, whatever `Accept` says; JSON where neither says it.",
    ),
    Parameter(
        name="offset",
        schema={"type": "integer", "minimum": 0, "maximum": _MOST, "default": 0},
        description="A window: after so many rows.",
    ),
    Parameter(
        name="limit",
        schema={"type": "integer", "minimum": 1, "maximum": _MOST},
        description="A window: so many rows at most.",
    ),
    Parameter(
        name="sample",
        schema={"type": "integer", "minimum": 1, "maximum": _MOST},
        description="So many rows from all over the cloud, in rising order. Not together with a window.",
    ),
    Parameter(
        name="seed",
        schema={"type": "integer", "minimum": 0, "maximum": 2**32 - 1, "default": 0},
        description="Another sample for each; the same one for the same.",
    ),
)
FORMS = (
    "In the form that `format` or `Accept` names: JSON, NumPy's own, raw little-endian float32, Arrow, Parquet or CSV. "
    "The last three have names and metadata beside the numbers."
)
NO_SUCH_FORM = "There is no format “xml”; known are json, npy, raw, arrow, parquet, csv."


def sent_in_any_form(description: str, schema: Json, example: Mapping[str, Any]) -> dict[int, Reply]:
    """The answers of `vectors.answer`; `schema` is that of the JSON."""
    content = {form.media_type: BINARY for form in FORMATS.values()}
    content |= {JSON: schema, "text/csv": TEXT}
    examples = {JSON: example, "text/csv": '"index","name","x","y","z"\n0,"daisy-01.jpg",11.79,10.21,9.40\n'}
    headers = (*COMPRESSED, "X-Shape", "X-Dtype", "Content-Disposition")
    return sent_as(description, content, examples, headers=headers)


_FEATURES = component(
    "NetworkFeatures",
    {
        "description": "Row k belongs to tile k.",
        **obj(
            {
                "features": array(array(NUMBER, minItems=1)),
                "total": COUNT,
                "indices": array(COUNT, description="Which pictures the rows are, where not all are there."),
            },
            optional=["indices"],
        ),
    },
)

CALLS: dict[type, Calls] = {
    vectors.NetworkFeatures: {
        "GET": Call(
            name="get_dataset_network_features",
            tag="datasets",
            summary="What the network gave for each picture of an upload",
            description=f"1280 numbers a picture of EfficientNet-Lite0, 2048 of ResNet50. {FORMS}",
            parameters=[IDENTITY, *AS_WANTED, *CONDITIONS],
            answers={
                **sent_in_any_form("The features.", _FEATURES, {"features": [[0.0, 0.4172, 1.0311]], "total": 1}),
                **refusals(400, 404, _400=NO_SUCH_FORM, _404="There is no dataset of this id."),
                **ANY,
            },
        )
    }
}
