"""A dataset → what the interface says about it. The one place that decides what clients see of a row."""

from typing import Any

from embeddings.reducers import REDUCERS

from .forecast import Outlook
from .models import Dataset, Status


def address(dataset: Dataset) -> str:
    return f"/dataset/{dataset.hash}"


def short(dataset: Dataset, outlook: Outlook | None) -> dict[str, Any]:
    """As lists show it. What `brief` leaves out is not read."""
    outlook = outlook or Outlook()
    left = outlook.seconds_left
    return {
        "id": dataset.hash,
        "name": dataset.name,
        "status": dataset.status,
        "stage": dataset.stage or None,
        "progress": round(dataset.progress, 4),
        "seconds_left": None if left is None else round(left, 1),
        "queue_position": outlook.position,
        "count": dataset.count,
        "expected": dataset.expected,
        "passed_over": dataset.passed_over,
        "bytes": dataset.archive_size,
        "backbone": dataset.backbone or None,
        "precision": dataset.precision or None,
        "engine": dataset.engine or None,
        "space": dataset.space or None,
        "reducers": [name for name in REDUCERS if dataset.has(name)],
        "explained_variance": dataset.explained_variance or None,
        "seed": dataset.seed,
        "created_at": dataset.created_at,
        "started_at": dataset.started_at,
        "finished_at": dataset.finished_at,
        "timings": dataset.timings,
        "error": dataset.error or None,
        "links": links(dataset),
    }


def whole(dataset: Dataset, outlook: Outlook | None) -> dict[str, Any]:
    """All there is to say."""
    return short(dataset, outlook) | {"skipped": dataset.skipped, "versions": dataset.versions}


def links(dataset: Dataset) -> dict[str, Any]:
    """Where its results lie: those that are there now."""
    base = address(dataset)
    found: dict[str, Any] = {"self": base}
    if dataset.has("tilemap"):
        found["tilemap"] = f"{base}/tilemap"
    if features := {name: f"{base}/features/{name}" for name in REDUCERS if dataset.has(name)}:
        found["features"] = features
    if dataset.has("report"):
        found["report"] = f"{base}/report"
    if dataset.status == Status.READY:
        found["network"] = f"{base}/features/network"
        found["manifest"] = f"{base}/tilemap/manifest"
        found["fields"] = f"{base}/images/fields"
        found |= {name: f"{base}/{name}" for name in ("images", "report", "duplicates", "outliers", "export")}
        found["page"] = f"/?dataset={dataset.hash}"
    return found
