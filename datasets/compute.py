"""Settings → the pipeline and the limits that the rest is given."""

from functools import cache
from typing import cast

from django.conf import settings

from embeddings import backbones
from embeddings.backbones import Weights, WeightsError
from embeddings.features import Device, Precision
from embeddings.pipeline import Pipeline, Space

from .archive import Limits
from .catalogue import Shelf


@cache
def shelf() -> Shelf:
    return Shelf(settings.DATA_DIR)


def limits() -> Limits:
    return Limits(
        members=settings.MAX_MEMBERS,
        member_bytes=settings.MAX_PICTURE_MB * 2**20,
        total_bytes=settings.MAX_UNPACKED_MB * 2**20,
        ratio=settings.MAX_RATIO,
    )


def weights() -> Weights:
    """The weights at hand. Raises `WeightsError` where there are none."""
    found = backbones.find(settings.DATA_DIR / "models", choice=settings.BACKBONE, file=settings.RESNET50_WEIGHTS)
    if found is None:
        raise WeightsError("There are no weights to compute with: run `manage.py prepare`, which fetches them.")
    return found


def space(chosen: Weights) -> Space | None:
    """The catalogue's space for these weights, if uploads are to be placed in it."""
    if settings.SPACE == "own":
        return None
    found = Space.find(settings.DATA_DIR / "models" / chosen.backbone.name)
    if found and (settings.SPACE == "catalogue" or not found.demo):
        return found
    return None


def pipeline() -> Pipeline:
    """The pipeline for the files that lie in the data folder now; the loaded network is kept between calls."""
    chosen = weights()
    return _pipeline(chosen, space(chosen))


@cache
def _pipeline(chosen: Weights, place: Space | None) -> Pipeline:
    return Pipeline(
        weights=chosen,
        cache=settings.CACHE_DIR,
        space=place,
        precision=cast(Precision, settings.PRECISION),
        device=cast(Device, settings.DEVICE),
    )
