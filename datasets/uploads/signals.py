"""What follows the deletion of a dataset, wherever it is deleted."""

from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from datasets.collection.response_cache import kept
from datasets.models import Dataset


@receiver(post_delete, sender=Dataset)
def forget_responses(instance: Dataset, **kwargs: Any) -> None:
    """Remove the responses that were made of it."""
    kept().forget("dataset", instance.hash)
