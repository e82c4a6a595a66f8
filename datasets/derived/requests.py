"""Ask for a further result of a collection: it is queued, unless it is there or was asked for already."""

from typing import Any

from django.conf import settings

from datasets.catalogue import installed_catalogue
from datasets.catalogue.collection import CatalogueCollection
from datasets.collection.base import Collection
from datasets.errors import ApiError
from datasets.models import DerivedResult, Status

from . import jobs
from .kinds import KINDS


def request(found: Collection, kind: str, name: str, parameters: dict[str, Any] | None = None) -> DerivedResult | None:
    """The row of what is queued or being computed; None where the result is there.

    One that has failed is queued again, whoever asks.
    """
    if KINDS[kind].is_ready(found.folder, name):
        return None
    row, created = DerivedResult.objects.get_or_create(
        collection=found.id, kind=kind, name=name, defaults={"parameters": parameters or {}}
    )
    if not created:
        again = DerivedResult.objects.filter(pk=row.pk, status=Status.FAILED)
        again.update(status=Status.QUEUED, attempts=0, progress=0, error="", error_code="")
        row.refresh_from_db()
    if settings.TASKS_BACKEND != "immediate":
        return row
    jobs.compute_all(worker="")
    return DerivedResult.objects.filter(pk=row.pk).first()


def request_again(found: Collection, kind: str, name: str) -> DerivedResult | None:
    """The same for who asks again and again until it is there: what has failed is told once, and tried again for the
    next one who asks. Raises `ApiError`."""
    failed = DerivedResult.objects.of(found.id, kind).filter(name=name, status=Status.FAILED).first()
    if failed is None or KINDS[kind].is_ready(found.folder, name):
        return request(found, kind, name)
    failed.delete()
    raise ApiError(failed.error, kind="server-error", code=failed.error_code)


def request_missing() -> None:
    """Queue what every catalogue has and the installed one lacks; not again what has failed."""
    catalogue = installed_catalogue.catalogue_store().catalogue()
    if not catalogue.total or not catalogue.folder.features_path(0).exists():
        return
    found = CatalogueCollection(catalogue)
    for name, kind in KINDS.items():
        if kind.is_automatic and not DerivedResult.objects.of(found.id, name).exists():
            request(found, name, name)
