"""Datasets in the admin: looked at, deleted and tried again, but never edited."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from datasets.collection.uploaded import Upload
from datasets.models import Dataset, Status
from datasets.tilemaps import preview, ranges
from datasets.tilemaps.layout import CELL, COLUMNS
from datasets.uploads import intake
from datasets.uploads.processing import by_stage
from embeddings.reducers import REDUCERS

from .formatting import JSONLength, ReadOnlyAdmin, moment_of, picture_response

_SHOWN_SKIPPED = 1000


@admin.register(Dataset)
class DatasetAdmin(ReadOnlyAdmin):
    plural_title = "Datasets"
    list_display = (
        "short_id",
        "thumbnail",
        "name",
        "coloured_status",
        "count",
        "skipped_count",
        "size",
        "seconds",
        "uploaded",
        "space",
    )
    list_filter = ("status", "space", "backbone", "created_at")
    list_per_page = 50
    search_fields = ("hash", "name", "error")
    search_help_text = "Searches ids, archives' names and errors."
    actions = ("try_again",)
    fieldsets = (
        (None, {"fields": ("name", "uploaded", "size", "files")}),
        (
            "How it went",
            {
                "fields": (
                    "coloured_status",
                    "error",
                    "how_far",
                    "started",
                    "finished",
                    "seconds",
                    "seconds_by_stage",
                    "backbone",
                    "precision",
                    "engine",
                    "space",
                    "variance",
                )
            },
        ),
        (
            "Pictures",
            {"fields": ("count", "picture_names", "report_counts", "skipped_files", "ignored", "whole_tilemap")},
        ),
        ("Vectors", {"fields": ("clouds",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dataset]:
        # The long list is read only where a page shows it.
        return Dataset.objects.defer("skipped").annotate(skipped_count=JSONLength("skipped"))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    has_retry_permission = ReadOnlyAdmin.may_act

    def view_on_site(self, dataset: Dataset) -> str:
        """Its cloud on the page."""
        return f"{reverse('page')}?dataset={dataset.hash}"

    # Columns and lines

    @admin.display(description="id", ordering="hash")
    def short_id(self, dataset: Dataset) -> str:
        return format_html('<code title="{}">{}</code>', dataset.hash, dataset.hash[:10])

    @admin.display(description="tilemap")
    def thumbnail(self, dataset: Dataset) -> str:
        if not dataset.is_stored("tilemap"):
            return self.empty_value_display
        return format_html('<img class="strip" src="{}" alt="" loading="lazy">', _url("strip", dataset))

    @admin.display(description="status", ordering="status")
    def coloured_status(self, dataset: Dataset) -> str:
        return format_html('<span class="status {}">{}</span>', dataset.status, dataset.get_status_display())

    @admin.display(description="skipped", ordering="skipped_count")
    def skipped_count(self, dataset: Dataset) -> int:
        return int(vars(dataset)["skipped_count"])

    @admin.display(description="size on disk")
    def size(self, dataset: Dataset) -> str:
        return filesizeformat(dataset.size_on_disk)

    @admin.display(ordering="created_at")
    def uploaded(self, dataset: Dataset) -> str:
        return moment_of(dataset.created_at)

    @admin.display
    def started(self, dataset: Dataset) -> str:
        return moment_of(dataset.started_at)

    @admin.display
    def finished(self, dataset: Dataset) -> str:
        return moment_of(dataset.finished_at)

    @admin.display(description="duration", ordering=F("finished_at") - F("started_at"))
    def seconds(self, dataset: Dataset) -> str:
        return self.empty_value_display if dataset.duration is None else f"{dataset.duration.total_seconds():.1f} s"

    @admin.display(description="files")
    def files(self, dataset: Dataset) -> str:
        sizes = {name: filesizeformat(size) for name, size in dataset.sizes.items()}
        return _rendered("figures", rows=sizes) if sizes else self.empty_value_display

    @admin.display(description="progress")
    def how_far(self, dataset: Dataset) -> str:
        percent = f"{100 * dataset.progress:.0f} %"
        return f"{dataset.stage}, {percent} of the whole way" if dataset.stage else percent

    @admin.display(description="duration by stage")
    def seconds_by_stage(self, dataset: Dataset) -> str:
        rows = {stage: f"{seconds:.3f} s" for stage, seconds in by_stage(dataset.timings).items()}
        return _rendered("figures", rows=rows) if rows else self.empty_value_display

    @admin.display(description="variance along PCA's axes")
    def variance(self, dataset: Dataset) -> str:
        return " + ".join(f"{100 * share:.1f} %" for share in dataset.explained_variance) or self.empty_value_display

    @admin.display(description="names")
    def picture_names(self, dataset: Dataset) -> str:
        if not dataset.is_stored("images"):
            return self.empty_value_display
        return _rendered("names", names=Upload(dataset).names(range(dataset.count)))

    @admin.display(description="import report")
    def report_counts(self, dataset: Dataset) -> str:
        if not dataset.is_stored("report"):
            return self.empty_value_display
        counts = json.loads(dataset.path("report").read_bytes())["counts"]
        return _rendered("figures", rows={outcome.replace("_", " "): count for outcome, count in counts.items()})

    @admin.display(description="skipped files")
    def skipped_files(self, dataset: Dataset) -> str:
        if not dataset.skipped:
            return "none"
        left_out = max(len(dataset.skipped) - _SHOWN_SKIPPED, 0)
        return _rendered("skipped", skipped=dataset.skipped[:_SHOWN_SKIPPED], left_out=left_out)

    @admin.display(description="tilemap")
    def whole_tilemap(self, dataset: Dataset) -> str:
        if not dataset.is_stored("tilemap"):
            return self.empty_value_display
        height = CELL * -(-min(dataset.count, ranges.SIZE) // COLUMNS)
        return _rendered("tilemap", url=_url("tilemap", dataset), width=CELL * COLUMNS, height=height)

    @admin.display(description="from the front")
    def clouds(self, dataset: Dataset) -> str:
        if not all(map(dataset.is_stored, ("tilemap", *REDUCERS))):
            return self.empty_value_display
        urls = {
            reducer.upper(): reverse("admin:datasets_dataset_cloud", args=[dataset.pk, reducer]) for reducer in REDUCERS
        }
        return _rendered("clouds", urls=urls)

    # Pictures: under the admin's permissions, and not under the busy rule of the public calls

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/tilemap.jpg", wrap(self.tilemap_view), name="datasets_dataset_tilemap"),
            path("<int:pk>/strip.jpg", wrap(self.strip_view), name="datasets_dataset_strip"),
            path("<int:pk>/<str:reducer>.png", wrap(self.cloud_view), name="datasets_dataset_cloud"),
            path("<int:pk>/retry", wrap(require_POST(self.retry_view)), name="datasets_dataset_retry"),
            *super().get_urls(),
        ]

    def tilemap_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        dataset = self._visible(request, pk)
        return picture_response("image/jpeg", lambda: dataset.path("tilemap").read_bytes())

    def strip_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        dataset = self._visible(request, pk)
        return picture_response(
            "image/jpeg", lambda: preview.strip(dataset.path("tilemap").read_bytes(), dataset.count)
        )

    def cloud_view(self, request: HttpRequest, pk: int, reducer: str) -> HttpResponse:
        dataset = self._visible(request, pk)
        if reducer not in REDUCERS:
            raise Http404
        return picture_response(
            "image/png",
            lambda: preview.cloud(dataset.vectors(reducer)[: ranges.SIZE], dataset.path("tilemap").read_bytes()),
        )

    def _visible(self, request: HttpRequest, pk: int) -> Dataset:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(self.get_queryset(request), pk=pk)

    # Trying again

    @admin.action(description="Try again", permissions=["retry"])
    def try_again(self, request: HttpRequest, datasets: QuerySet[Dataset]) -> None:
        self._retry(request, datasets)

    def retry_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_retry_permission(request):
            raise PermissionDenied
        self._retry(request, [self._visible(request, pk)])
        return redirect("admin:datasets_dataset_change", pk)

    def _retry(self, request: HttpRequest, datasets: Iterable[Dataset]) -> None:
        """Queue what can be queued, and say how many were, and why the others were not."""
        refused: Counter[str] = Counter()
        queued = 0
        for dataset in datasets:
            reason = _why_not_again(dataset)
            if not reason and intake.retry(dataset):
                queued += 1
                self.log_change(request, dataset, "Queued again.")
            else:
                refused[reason] += 1
        if queued:
            messages.success(request, f"{_datasets(queued)} queued again.")
        for reason, number in refused.items():
            messages.warning(request, f"{_datasets(number)} not queued: {reason}")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        dataset = self.get_object(request, object_id)
        again = dataset is not None and self.has_retry_permission(request) and not _why_not_again(dataset)
        context = {"title": "Dataset", "can_be_tried_again": again, "links": _links(dataset)} | (extra_context or {})
        return super().change_view(request, object_id, form_url, context)


def _url(view: str, dataset: Dataset) -> str:
    return reverse(f"admin:datasets_dataset_{view}", args=[dataset.pk])


def _links(dataset: Dataset | None) -> dict[str, str]:
    """What the public calls tell of a dataset: words → address."""
    if dataset is None:
        return {}
    links = {"Facts": dataset.get_absolute_url()}
    if dataset.has_result("report"):
        links["Report"] = reverse("dataset-report", args=[dataset.hash])
    if dataset.status == Status.READY:
        links["Export"] = reverse("dataset-export", args=[dataset.hash])
    return links


def _rendered(template: str, **context: Any) -> str:
    return render_to_string(f"admin/datasets/dataset/{template}.html", context)


def _why_not_again(dataset: Dataset) -> str:
    """A sentence's end for a dataset that cannot be computed again; empty for one that can."""
    if dataset.status != Status.FAILED:
        return "only failed ones can be tried again."
    return "" if dataset.has_archive else "the archive was not kept. Upload it again."


def _datasets(number: int) -> str:
    return "1 dataset was" if number == 1 else f"{number} datasets were"
