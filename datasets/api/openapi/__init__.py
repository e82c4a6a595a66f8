"""What calls take and answer, for `extend_schema` beside the views → the OpenAPI document."""

from .parameters import EXAMPLE_ID, ID, ChoiceParameter, IntegerParameter, Parameter, ShareParameter, TextParameter
from .responses import BINARY, JSON, NO_DATASET, NO_RANGE, TEXT, Body, Reply, error, errors, form, sent

__all__ = [
    "BINARY",
    "EXAMPLE_ID",
    "ID",
    "JSON",
    "NO_DATASET",
    "NO_RANGE",
    "TEXT",
    "Body",
    "ChoiceParameter",
    "IntegerParameter",
    "Parameter",
    "Reply",
    "ShareParameter",
    "TextParameter",
    "error",
    "errors",
    "form",
    "sent",
]
