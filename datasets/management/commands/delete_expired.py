"""Retention, by hand or by cron."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from datasets.management.base import DataCommand
from datasets.uploads import retention


class Command(DataCommand):
    help = (
        "Delete the uploads that are older than RETENTION_DAYS, files and rows. The worker does so itself, once an "
        "hour; this is for a service that is not running, or for not waiting."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.RETENTION_DAYS:
            raise CommandError("RETENTION_DAYS is not set: uploads are kept until someone deletes them.")
        deleted = retention.delete_expired()
        self.stdout.write(f"Deleted {deleted} uploads older than {settings.RETENTION_DAYS} days.")
