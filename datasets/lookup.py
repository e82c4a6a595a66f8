"""One picture → its nearest neighbours and its own places, among the catalogue or among the pictures of an upload.

The network runs in the worker: the web process leaves the picture in a file, queues, waits, and answers.
"""

import secrets
import threading
import time
from pathlib import Path
from typing import Any, cast

import numpy as np
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django_tasks.exceptions import TaskResultDoesNotExist
from django_tasks_db.models import DBTaskResult

from embeddings.features import Features
from embeddings.images import UnreadableImage, crop, decode
from embeddings.pipeline import Pipeline
from embeddings.reducers import REDUCERS

from . import collection, compute
from .collection import Collection, Installed, Upload
from .errors import Refusal, Unavailable
from .models import WorkerState

PATIENCE_SECONDS = 20.0
_POLL_SECONDS = 0.02

# Each waits in a thread of the server; the others stay free for calls that need no worker.
_WAITING = threading.BoundedSemaphore(max(1, settings.THREADS // 4))


def ask(file: "UploadedFile[bytes]", target: str | None, count: int) -> dict[str, Any]:
    """In the web process: hand the picture to the worker, wait. Raises `Refusal`, `Unavailable` (503)."""
    if (file.size or 0) > settings.MAX_PICTURE_MB * 2**20:
        raise Refusal(f"The picture is larger than the limit of {settings.MAX_PICTURE_MB} MiB.", 413)
    if settings.TASKS_BACKEND == "database" and WorkerState.objects.current() is None:
        raise Unavailable("No worker is running, so nothing can be looked up now. Try again in a while.")
    if not _WAITING.acquire(blocking=False):
        raise Unavailable("Too many pictures are being looked up. Try again in a while.")
    path = Path(settings.FILE_UPLOAD_TEMP_DIR) / f"lookup-{secrets.token_hex(16)}"
    try:
        with path.open("wb") as copy:
            copy.writelines(file.chunks())
        found = _wait(str(path), target, count)
    finally:
        path.unlink(missing_ok=True)
        _WAITING.release()
    if "error" in found:
        raise Refusal(found["error"], found["status"])
    return found


def _wait(path: str, target: str | None, count: int) -> dict[str, Any]:
    from .tasks import look_up  # which imports this module for the worker

    began = time.monotonic()
    result = look_up.enqueue(path, target, count)
    try:
        while not result.is_finished:
            if time.monotonic() - began > PATIENCE_SECONDS:
                raise Unavailable("The worker has other work for longer than a client should wait. Try again later.")
            time.sleep(_POLL_SECONDS)
            result.refresh()
        return cast(dict[str, Any], result.return_value)
    except (TaskResultDoesNotExist, ValueError):
        # The worker died, or failed on it; its log says how.
        raise Refusal("The server failed on this picture; its log says why.", 500) from None
    finally:
        if settings.TASKS_BACKEND == "database":
            DBTaskResult.objects.filter(id=result.id).delete()


def answer(path: str, target: str | None, count: int) -> dict[str, Any]:
    """In the worker: what the client gets, or `{"error", "status"}`."""
    try:
        return _answer(Path(path), target, count)
    except Refusal as refusal:
        return {"error": str(refusal), "status": refusal.status}


def _answer(path: Path, target: str | None, count: int) -> dict[str, Any]:
    pipeline = compute.catalogue_pipeline()
    among = collection.find(target)
    check_comparable(pipeline.network, among)
    features = _features(path, pipeline)
    found = among.finder().nearest(features[0], count)
    return {
        "neighbors": told(among, found.rows.tolist(), found.similarities.tolist(), target or "catalogue"),
        **_places(features, among, pipeline),
        "in": target or "catalogue",
    }


def check_comparable(network: str, among: Collection) -> None:
    """Raises `Refusal` (409) where the features of `among` were computed with another network."""
    if not network or among.network != network:
        raise Refusal(
            "These pictures were computed with another network, weights or precision, so they cannot be compared.", 409
        )


def told(among: Collection, rows: list[int], similarities: list[float], where: str) -> list[dict[str, Any]]:
    return [
        {"index": row, "name": name, "similarity": round(similarity, 6), "in": where}
        for row, name, similarity in zip(rows, among.names(rows), similarities, strict=True)
    ]


def _features(path: Path, pipeline: Pipeline) -> Features:
    backbone = pipeline.weights.backbone
    try:
        rgb = decode(path.read_bytes(), min_side=backbone.resize, max_pixels=settings.MAX_MEGAPIXELS * 1_000_000)
    except UnreadableImage as error:
        raise Refusal(f"The picture cannot be read: {error}.") from error
    except FileNotFoundError:
        raise Refusal("The picture came too late.", 500) from None  # nobody waits for it any more
    return pipeline.extract([crop(rgb, resize=backbone.resize, side=backbone.side)])


def _places(features: Features, among: Collection, pipeline: Pipeline) -> dict[str, list[float] | None]:
    """Where each reducer puts the picture, in the space of those it is compared with; None where that is not kept."""
    space = pipeline.space.identity if pipeline.space else None
    if isinstance(among, Upload) and among.space is None:
        reducers = among.reducers()
        places = {name: reducer.transform(features) for name, reducer in reducers.items()}
    elif space is not None and (isinstance(among, Installed) or (isinstance(among, Upload) and among.space == space)):
        places = pipeline.place(features, lambda name: None).vectors
    else:
        places = {}
    return {name: np.asarray(places[name])[0].tolist() if name in places else None for name in REDUCERS}
