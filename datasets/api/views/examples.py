"""Datasets as examples of answers."""

from typing import Any

from datasets.api.openapi import EXAMPLE_ID

QUEUED: dict[str, Any] = {
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
    "first": 0,
    "available": 0,
    "over_capacity": 0,
    "in_folders": 0,
    "folder": None,
    "remarks": [],
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
    "problem": None,
    "links": {"self": f"/dataset/{EXAMPLE_ID}"},
}
ENTRY = QUEUED | {
    "status": "ready",
    "progress": 1,
    "seconds_left": None,
    "queue_position": None,
    "count": 49,
    "available": 50,
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
        "info": f"/dataset/{EXAMPLE_ID}/info",
        "fields": f"/dataset/{EXAMPLE_ID}/images/fields",
        **{
            name: f"/dataset/{EXAMPLE_ID}/{name}"
            for name in ("images", "report", "duplicates", "outliers", "clusters", "export")
        },
        "page": f"/?dataset={EXAMPLE_ID}",
    },
}
DATASET = ENTRY | {
    "skipped": [{"name": "broken.jpg", "reason": "it ends too early"}],
    "metadata": {
        "file": "metadata.csv",
        "fields": 2,
        "rows": 50,
        "pictures": 49,
        "unmatched": 1,
        "unmatched_names": ["lost.jpg"],
        "remarks": ["1 of its rows name no picture (lost.jpg)"],
    },
    "versions": {"pipeline": "1", "python": "3.12.3", "openvino": "2026.4.1"},
}
