"""An id, or none → the collection that a call is about."""

from datasets.catalogue.collection import installed
from datasets.collection.base import Collection
from datasets.collection.uploaded import upload

__all__ = ["find", "installed", "upload"]


def find(dataset_id: str | None) -> Collection:
    """The upload of this id, or the catalogue for None. Raises `NotFound`."""
    return installed() if dataset_id is None else upload(dataset_id)
