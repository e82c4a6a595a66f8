"""Uploads do not stay for ever, if `RETENTION_DAYS` says so."""

import logging
from datetime import timedelta

from django.conf import settings

from datasets.models import Dataset

logger = logging.getLogger(__name__)


def delete_expired() -> int:
    """Delete what was computed, or failed, longer ago than is kept. Returns the number of datasets."""
    if not settings.RETENTION_DAYS:
        return 0
    deleted, _ = Dataset.objects.expired(timedelta(days=settings.RETENTION_DAYS)).delete()
    if deleted:
        logger.info("deleted expired datasets", extra={"facts": {"datasets": deleted}})
    return deleted
