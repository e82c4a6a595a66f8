"""Datasets as examples of answers."""

from typing import Any

from datasets.api.openapi import EXAMPLE_ID

PARENT = EXAMPLE_ID[::-1]
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
    "parent": None,
    "added": 0,
    "outside": 0,
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
        "add": f"/dataset/{EXAMPLE_ID}/images",
        "refit": f"/dataset/{EXAMPLE_ID}/refit",
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
    "text_search": False,
    "versions": {"pipeline": "1", "python": "3.12.3", "openvino": "2026.4.1"},
}

LAYOUT = {
    "name": "tsne-perplexity-50-c1b2d3",
    "kind": "tsne",
    "parameters": {"perplexity": 50.0, "seed": 20210607},
    "dimensions": 2,
    "status": "ready",
    "progress": 1.0,
    "error": None,
    "seconds": 3.412,
    "versions": {"openTSNE": "1.0.4"},
    "supervised_by": None,
    "can_place": True,
    "placed": 0,
    "measured": False,
}
QUEUED_LAYOUT = LAYOUT | {"dimensions": None, "status": "queued", "progress": 0.0, "seconds": None, "versions": {}}
LAYOUTS = {
    "layouts": [LAYOUT],
    "kinds": [
        {
            "name": "tsne",
            "description": "The nearest side by side; distances between groups say little.",
            "can_place": True,
            "parameters": [
                {
                    "name": "perplexity",
                    "type": "number",
                    "default": 30.0,
                    "minimum": 2,
                    "maximum": 200,
                    "choices": [],
                    "needs": None,
                    "description": "How many pictures count as near to each.",
                }
            ],
        }
    ],
    "limit": 20,
}
QUALITY = {
    "name": "umap",
    "scores": [{"neighbors": 10, "trustworthiness": 0.981, "continuity": 0.975, "kept": 0.512}],
    "total": 300,
    "measured": 300,
    "exact": True,
    "distortion_neighbors": 50,
    "distortion_against": 300,
    "mean_distortion": 0.031,
    "worst": [252, 17],
    "sample_seed": 20210607,
    "stability": 0.71,
    "other_seeds": 2,
    "seed": 20210607,
    "parameters": {},
    "supervised_by": None,
    "explained_variance": None,
    "network": "efficientnet_lite0:0:fp32",
    "seconds": 0.21,
    "versions": {"numpy": "2.4.6"},
}
MEASURING = {"status": "queued", "stage": "", "progress": 0.0}

ROWS = [[14.878308, 8.788419, 8.979465], [7.415088, 5.019762, 0.37154606]]
"""Of a layout."""
