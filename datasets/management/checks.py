"""System checks: what would make the first request fail is said before it comes."""

from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register

from datasets.catalogue import installed_catalogue
from datasets.pictures import pipeline_settings
from embeddings.backbones import WeightsError
from embeddings.reducers import ModelError
from embeddings.vector_files import BadVectors


@register()
def check_catalogue(**kwargs: Any) -> list[CheckMessage]:
    try:
        installed_catalogue.catalogue_store().catalogue()
    except (BadVectors, OSError) as error:
        return [Error(f"The catalogue cannot be read: {error}", id="datasets.E001")]
    return []


@register()
def check_weights(**kwargs: Any) -> list[CheckMessage]:
    try:
        weights = pipeline_settings.weights()
    except WeightsError as error:
        return [Error(str(error), hint="manage.py prepare --help tells the ways.", id="datasets.E002")]
    try:
        pipeline_settings.space(weights)
        pipeline_settings.precision(weights)
    except (ModelError, WeightsError) as error:
        return [Error(str(error), id="datasets.E003")]
    return []


@register()
def check_space(**kwargs: Any) -> list[CheckMessage]:
    from django.conf import settings

    try:
        if settings.SPACE == "catalogue" and pipeline_settings.space(pipeline_settings.weights()) is None:
            return [
                Warning(
                    "SPACE=catalogue, but the catalogue has no fitted models of this backbone: "
                    "uploads are fitted on themselves.",
                    hint="Run manage.py build_catalogue, or set SPACE=auto.",
                    id="datasets.W001",
                )
            ]
    except (WeightsError, ModelError):
        pass  # said by check_weights
    return []
