"""An id, or none → the collection that a call is about."""

from datasets.catalogue.collection import installed, is_id, of_id
from datasets.collection.base import Collection
from datasets.collection.uploaded import upload

__all__ = ["find", "installed", "upload"]


def find(collection_id: str | None) -> Collection:
    """The upload or the catalogue of this id; the installed catalogue for None. Raises `NotFound`."""
    if collection_id is None:
        return installed()
    return of_id(collection_id) if is_id(collection_id) else upload(collection_id)
