"""Metadata as they were kept before `images.parquet`, in NumPy arrays → columns. Only conversions read them."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from datasets.pictures.metadata.columns import Column


def columns_of(path: Path, total: int) -> list[Column]:
    """The fields of so many pictures; none where the file is not there, damaged, or of others."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            described = json.loads(arrays["fields"].tobytes())
            stored = [arrays[f"column-{index}"].tolist() for index in range(len(described))]
    except Exception:  # NumPy, zipfile and json each fail in their own way on a damaged file
        return []
    columns = [
        Column(name=field["name"], type=field["type"], values=[_value(field, each) for each in values])
        for field, values in zip(described, stored, strict=True)
    ]
    return [column for column in columns if len(column.values) == total]


def _value(field: dict[str, Any], stored: Any) -> Any:
    """Of one picture, from the number that stood for it."""
    if field["type"] == "number":
        return stored if stored == stored else None
    if field["type"] == "integer":
        return stored if stored != np.iinfo(np.int64).min else None
    if stored == -1:
        return None
    return field["texts"][stored] if field["type"] == "text" else bool(stored)
