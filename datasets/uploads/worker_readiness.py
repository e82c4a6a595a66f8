"""How far the worker is: for /health, and for uploads that come before it is ready."""

from django.conf import settings

from datasets.errors import Unavailable
from datasets.models import WorkerState
from datasets.pictures import pipeline_settings
from embeddings.backbones import WeightsError
from embeddings.conversion import is_converted

ABSENT, PREPARING, FAILED, WARMING_UP, READY = "absent", "preparing", "cannot prepare", "warming up", "ready"
"""`preparing` is done once: weights are fetched, the network is converted. `warming up` is done at each start."""

NOT_PREPARED = "The network could not be prepared, so nothing can be computed; the server's log says why."


def must_prepare() -> bool:
    """Whether `manage.py prepare` has something to do that the worker needs."""
    try:
        return not is_converted(pipeline_settings.weights(), settings.CACHE_DIR)
    except WeightsError:
        return True


def state() -> str:
    """One of the words above."""
    return state_of(WorkerState.objects.current())


def state_of(worker: WorkerState | None) -> str:
    if worker is None:
        return ABSENT
    if worker.ready:
        return READY
    return worker.engine if worker.engine in {PREPARING, FAILED} else WARMING_UP


def has_failed() -> bool:
    return state() == FAILED


def refuse_until_prepared() -> None:
    """Raise `Unavailable` where nothing will be computed, or where it is not known yet what with: an upload's id says
    that. Where the weights are at hand, uploads may come while the network is converted."""
    found = state()
    if found == FAILED:
        raise Unavailable(NOT_PREPARED)
    if found == PREPARING and not _weights_are_settled():
        raise Unavailable("The network's weights are being fetched. Send it again in a moment.")


def _weights_are_settled() -> bool:
    """Whether `manage.py prepare` can make no others of them."""
    wanted = "resnet50" if settings.BACKBONE == "auto" else settings.BACKBONE
    return pipeline_settings.find_weights(wanted) is not None
