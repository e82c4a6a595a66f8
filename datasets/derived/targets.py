"""A field of a collection's pictures → what a layout is supervised by."""

import hashlib
from typing import TYPE_CHECKING

from datasets.collection.base import Collection
from datasets.errors import ApiError
from embeddings.layouts import Target, Values

if TYPE_CHECKING:
    from datasets.collection.field import Field

FEW = 20
"""Whole numbers of at most so many different values are taken for categories."""


def target_of(found: Collection, values: Values) -> Target | None:
    """Of a layout's checked parameters; None where it is not supervised. Raises `ApiError` (400)."""
    if not values.get("target"):
        return None
    field = _field(found, str(values["target"]))
    metric = str(values["target_metric"])
    if metric == "auto":
        is_few = field.type == "integer" and field.distinct <= FEW
        metric = "categorical" if is_few or field.type in ("boolean", "text") else "l2"
    if metric == "l2":
        if field.type in ("boolean", "text"):
            sentence = f"The values of “{field.name[:60]}” are no numbers: take “target_metric” categorical."
            raise ApiError(sentence, code="parameter-invalid", name="target_metric")
        target = Target(values=field.numbers(), metric="l2", weight=float(values["target_weight"]))
    else:
        target = Target(values=field.codes(), metric="categorical", weight=float(values["target_weight"]))
    _check(field, target)
    return target


def resolved(found: Collection, values: Values) -> tuple[Values, str]:
    """Checked parameters → the same with the metric that the field's type chooses, and a digest of the field's values:
    another one where they were changed. Raises `ApiError` (400)."""
    target = target_of(found, values)
    if target is None:
        return values, ""
    return values | {"target_metric": target.metric}, hashlib.sha256(target.values.tobytes()).hexdigest()


def _field(found: Collection, name: str) -> "Field":
    try:
        return found.images.field(name)
    except KeyError:
        raise ApiError(found.images.unknown(name), code="field-unknown", name=name[:40]) from None


def _check(field: "Field", target: Target) -> None:
    """Raises `ApiError` where the values tell nothing of the pictures."""
    count, distinct = int(target.known.sum()), field.distinct
    name = f"“{field.name[:60]}”"
    if distinct < 2:
        sentence = f"{name} has one value at most, which tells nothing apart: choose another field."
    elif target.metric == "categorical" and 2 * distinct > count:
        sentence = (
            f"{name} has {distinct} different values of {count} pictures: choose a field whose values several pictures "
            "share."
        )
    else:
        return
    raise ApiError(sentence, code="parameter-invalid", name="target")
