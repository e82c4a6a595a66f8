"""Settings → the pipeline and the limits that the rest is given."""

from functools import cache
from pathlib import Path
from typing import cast

from django.conf import settings

from embeddings import backbones
from embeddings.backbones import Weights, WeightsError
from embeddings.extractors import Device
from embeddings.pipeline import Pipeline, Space
from embeddings.precision import PrecisionChoice
from embeddings.text_encoder import TextEncoder

from .zip_archive import Limits


def limits() -> Limits:
    return Limits(
        members=settings.MAX_MEMBERS,
        member_bytes=settings.MAX_PICTURE_MB * 2**20,
        total_bytes=settings.MAX_UNPACKED_MB * 2**20,
        ratio=settings.MAX_RATIO,
    )


def weights() -> Weights:
    """The weights at hand. Raises `WeightsError` where there are none."""
    found = find_weights(settings.BACKBONE)
    if found is None:
        raise WeightsError("There are no weights to compute with: run `manage.py prepare`, which fetches them.")
    return found


def find_weights(choice: str) -> Weights | None:
    """The weights at hand for a backbone's name, or "auto". Raises `WeightsError` as `backbones.find`."""
    return backbones.find(
        settings.DATA_DIR / "models",
        choice=choice,
        file=settings.RESNET50_WEIGHTS,
        clip_file=settings.CLIP_WEIGHTS,
    )


def space(chosen: Weights) -> Space | None:
    """The catalogue's space for these weights, if uploads are to be placed in it."""
    if settings.SPACE == "own":
        return None
    found = Space.find(models_folder(chosen))
    if found and (settings.SPACE == "catalogue" or not found.demo):
        return found
    return None


def pipeline() -> Pipeline:
    """The pipeline for the files that lie in the data folder now; the loaded network is kept between calls."""
    chosen = weights()
    return _pipeline(chosen, precision(chosen), space(chosen))


def catalogue_pipeline() -> Pipeline:
    """As `pipeline`, but always in the catalogue's space, if it has one for these weights: whatever SPACE says."""
    chosen = weights()
    return _pipeline(chosen, precision(chosen), Space.find(models_folder(chosen)))


def precision(chosen: Weights) -> PrecisionChoice:
    """What `choose_precision` found good for these weights, unless PRECISION=fp32. Raises `WeightsError`."""
    return PrecisionChoice() if settings.PRECISION == "fp32" else PrecisionChoice.read(models_folder(chosen), chosen)


def models_folder(chosen: Weights) -> Path:
    """Where what was fitted for a backbone lies."""
    folder: Path = settings.DATA_DIR / "models" / chosen.backbone.name
    return folder


@cache
def _pipeline(chosen: Weights, choice: PrecisionChoice, space: Space | None) -> Pipeline:
    return Pipeline(
        weights=chosen,
        cache=settings.CACHE_DIR,
        space=space,
        choice=choice,
        device=cast(Device, settings.DEVICE),
    )


@cache
def text_encoder(chosen: Weights) -> TextEncoder:
    """What makes vectors of texts by these weights, of a backbone that takes them; kept between calls."""
    return TextEncoder(chosen, settings.CACHE_DIR)
