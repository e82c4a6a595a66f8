"""Columns under the names of today; of uploads from before there was one kind of folder, the results' paths into one
column and the files to new places."""

import logging

from django.core.files.storage import default_storage
from django.db import migrations, models
from django.db.models import Case, F, Value, When

logger = logging.getLogger(__name__)


# What was stored before: the HTTP status of each error.
KINDS = {
    400: "bad-request",
    409: "conflict",
    410: "gone",
    413: "too-large",
    500: "server-error",
    503: "unavailable",
    507: "disk-full",
}


def kinds_of_statuses(apps, schema_editor):
    failed = apps.get_model("datasets", "Dataset").objects.exclude(error="")
    known = [When(error_code__in=("disk-full", "read-only"), then=F("error_code"))]
    known += [When(error_status=status, then=Value(kind)) for status, kind in KINDS.items()]
    failed.update(error_kind=Case(*known, default=Value("server-error")))


def convert(apps, schema_editor):
    rows = apps.get_model("datasets", "Dataset").objects.order_by("pk")
    if not rows.exists():
        return
    from pathlib import Path

    from datasets.uploads.conversion import converted

    logger.warning("the folders of %d uploads are converted to the present form, once", rows.count())
    for row in rows.iterator():
        row.files = converted(row, Path(default_storage.path(row.hash)))
        if row.archive:
            row.archive = f"{row.hash}/source.zip"
        row.save(update_fields=["files", "archive"])


class Migration(migrations.Migration):

    dependencies = [
        ("datasets", "0001_initial"),
    ]

    operations = [
        migrations.RenameField("dataset", "awaited", "is_synchronous"),
        migrations.RenameField("dataset", "passed_over", "ignored"),
        migrations.RenameField("workerstate", "identity", "worker_id"),
        migrations.AlterField("workerstate", "worker_id", models.CharField("identity", editable=False, max_length=32)),
        migrations.AddField("dataset", "error_kind", models.CharField(blank=True, default="", editable=False, max_length=40)),
        migrations.RunPython(kinds_of_statuses, migrations.RunPython.noop, elidable=True),
        migrations.RemoveField("dataset", "error_status"),
        migrations.AlterField("dataset", "error_kind", models.CharField(blank=True, editable=False, max_length=40)),
        migrations.AddField("dataset", "files", models.JSONField(default=dict, editable=False)),
        migrations.RunPython(convert, migrations.RunPython.noop, elidable=True),
        *(
            migrations.RemoveField("dataset", name)
            for name in ("names", "tilemap", "features", "pca", "umap", "pictures", "report", "metadata")
        ),
    ]
