"""The admin: what was uploaded and how that went. Looked at, deleted and tried again, but never edited."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.db.models import F, Func, IntegerField, Model, QuerySet
from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.views.decorators.http import require_POST

from embeddings.reducers import REDUCERS

from . import preview, uploads
from .models import RESULTS, BusyFlag, Dataset, Status, WorkerState
from .tilemap import CELL, COLUMNS

admin.site.site_header = admin.site.site_title = "WWZD"
admin.site.index_title = "Uploads and their state"
admin.site.enable_nav_sidebar = False  # the few pages are a click apart, and the list of datasets is wide

_SHOWN_SKIPPED = 1000
_FILES = ("archive", *RESULTS)


class JSONLength(Func):
    """The number of a JSON list's elements, counted by the database."""

    function = "JSON_ARRAY_LENGTH"
    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSONB_ARRAY_LENGTH")


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the type checker only
    """What the service writes itself: people look at it."""

    plural_title = ""
    """The list's heading."""
    empty_value_display = "–"

    class Media:
        css = {"all": ["datasets/admin.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def may_act(self, request: HttpRequest) -> bool:
        """Those who would be allowed to edit, were there anything to edit, may do what stands in its place."""
        return super().has_change_permission(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": self.plural_title} | (extra_context or {}))


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
        "space",
        "backbone",
        "uploaded",
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
                    "engine",
                    "space",
                )
            },
        ),
        ("Pictures", {"fields": ("count", "picture_names", "skipped_files", "passed_over", "whole_tilemap")}),
        ("Vectors", {"fields": ("clouds",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dataset]:
        # The two long lists are read only where a page shows them.
        return Dataset.objects.defer("names", "skipped").annotate(skipped_count=JSONLength("skipped"))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    has_retry_permission = ReadOnlyAdmin.may_act

    # Columns and lines

    @admin.display(description="id", ordering="hash")
    def short_id(self, dataset: Dataset) -> str:
        return format_html('<code title="{}">{}</code>', dataset.hash, dataset.hash[:10])

    @admin.display(description="tilemap")
    def thumbnail(self, dataset: Dataset) -> str:
        if not _is_there(dataset.tilemap):
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
        return _moment(dataset.created_at)

    @admin.display
    def started(self, dataset: Dataset) -> str:
        return _moment(dataset.started_at)

    @admin.display
    def finished(self, dataset: Dataset) -> str:
        return _moment(dataset.finished_at)

    @admin.display(description="duration", ordering=F("finished_at") - F("started_at"))
    def seconds(self, dataset: Dataset) -> str:
        return self.empty_value_display if dataset.duration is None else f"{dataset.duration.total_seconds():.1f} s"

    @admin.display(description="files")
    def files(self, dataset: Dataset) -> str:
        stored = [(name, getattr(dataset, name)) for name in _FILES]
        sizes = {name: filesizeformat(file.size) for name, file in stored if _is_there(file)}
        return _rendered("figures", rows=sizes) if sizes else self.empty_value_display

    @admin.display(description="progress")
    def how_far(self, dataset: Dataset) -> str:
        percent = f"{100 * dataset.progress:.0f} %"
        return f"{dataset.stage}, {percent} of the whole way" if dataset.stage else percent

    @admin.display(description="duration by stage")
    def seconds_by_stage(self, dataset: Dataset) -> str:
        rows = {stage: f"{seconds:.3f} s" for stage, seconds in dataset.timings.items()}
        return _rendered("figures", rows=rows) if rows else self.empty_value_display

    @admin.display(description="names")
    def picture_names(self, dataset: Dataset) -> str:
        return _rendered("names", names=dataset.names) if dataset.names else self.empty_value_display

    @admin.display(description="skipped files")
    def skipped_files(self, dataset: Dataset) -> str:
        if not dataset.skipped:
            return "none"
        left_out = max(len(dataset.skipped) - _SHOWN_SKIPPED, 0)
        return _rendered("skipped", skipped=dataset.skipped[:_SHOWN_SKIPPED], left_out=left_out)

    @admin.display(description="tilemap")
    def whole_tilemap(self, dataset: Dataset) -> str:
        if not _is_there(dataset.tilemap):
            return self.empty_value_display
        height = CELL * -(-dataset.count // COLUMNS)
        return _rendered("tilemap", url=_url("tilemap", dataset), width=CELL * COLUMNS, height=height)

    @admin.display(description="from the front")
    def clouds(self, dataset: Dataset) -> str:
        if not all(_is_there(file) for file in (dataset.tilemap, dataset.pca, dataset.umap)):
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
        return _picture("image/jpeg", lambda: _content(dataset.tilemap))

    def strip_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        dataset = self._visible(request, pk)
        return _picture("image/jpeg", lambda: preview.strip(_content(dataset.tilemap), dataset.count))

    def cloud_view(self, request: HttpRequest, pk: int, reducer: str) -> HttpResponse:
        dataset = self._visible(request, pk)
        if reducer not in REDUCERS:
            raise Http404
        return _picture("image/png", lambda: preview.cloud(dataset.vectors(reducer), _content(dataset.tilemap)))

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
            if not reason and uploads.retry(dataset):
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
        context = {"title": "Dataset", "can_be_tried_again": again} | (extra_context or {})
        return super().change_view(request, object_id, form_url, context)


@admin.register(BusyFlag)
class BusyFlagAdmin(ReadOnlyAdmin):
    fields = ("state", "since", "until", "holder")

    has_release_permission = ReadOnlyAdmin.may_act

    @admin.display
    def state(self, flag: BusyFlag) -> str:
        return "up" if flag.is_up else "down"

    @admin.display
    def since(self, flag: BusyFlag) -> str:
        return _moment(flag.taken_at)

    @admin.display
    def until(self, flag: BusyFlag) -> str:
        return _moment(flag.expires_at)

    def get_urls(self) -> list[URLPattern]:
        release = self.admin_site.admin_view(require_POST(self.release_view))
        return [path("release", release, name="datasets_busyflag_release"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Not a list: the one flag, which stands for itself before it was ever raised."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = self.admin_site.each_context(request) | {
            "title": "Busy flag",
            "opts": self.opts,
            "media": self.media,
            "flag": BusyFlag.objects.filter(pk=1).first(),
            "may_release": self.has_release_permission(request),
        }
        return TemplateResponse(request, "admin/datasets/busyflag/flag.html", context)

    def release_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_release_permission(request):
            raise PermissionDenied
        flag = BusyFlag.objects.filter(pk=1).first()
        if flag is not None and flag.is_up:
            BusyFlag.objects.release()
            self.log_change(request, flag, "Released.")
            messages.success(request, "The busy flag was released: uploads are taken again.")
        else:
            messages.info(request, "The busy flag was down already.")
        return redirect("admin:datasets_busyflag_changelist")


@admin.register(WorkerState)
class WorkerStateAdmin(ReadOnlyAdmin):
    plural_title = "Worker"
    list_display = fields = ("state", "engine", "last_sign_of_life", "identity")
    list_display_links = None

    @admin.display
    def state(self, worker: WorkerState) -> str:
        state = "silent" if WorkerState.objects.current() is None else "ready" if worker.ready else "warming up"
        return format_html('<span class="status {}">{}</span>', state.replace(" ", "-"), state)

    @admin.display
    def last_sign_of_life(self, worker: WorkerState) -> str:
        return _moment(worker.beat_at)


def _moment(moment: datetime | None) -> str:
    return f"{localtime(moment):%-d %b %Y, %H:%M:%S}" if moment else ReadOnlyAdmin.empty_value_display


def _is_there(file: FieldFile) -> bool:
    return bool(file.name) and file.storage.exists(file.name or "")


def _content(file: FieldFile) -> bytes:
    with file.open("rb") as opened:
        return bytes(opened.read())


def _picture(content_type: str, draw: Callable[[], bytes]) -> HttpResponse:
    """An answer that the browser may keep: equal ids have equal pictures."""
    try:
        content = draw()
    except (OSError, ValueError, EOFError) as error:
        raise Http404("The file is gone, or it cannot be read.") from error
    return HttpResponse(content, content_type=content_type, headers={"Cache-Control": "private, max-age=86400"})


def _url(view: str, dataset: Dataset) -> str:
    return reverse(f"admin:datasets_dataset_{view}", args=[dataset.pk])


def _rendered(template: str, **context: Any) -> str:
    return render_to_string(f"admin/datasets/dataset/{template}.html", context)


def _why_not_again(dataset: Dataset) -> str:
    """A sentence's end for a dataset that cannot be computed again; empty for one that can."""
    if dataset.status != Status.FAILED:
        return "only failed ones can be tried again."
    return "" if _is_there(dataset.archive) else "the archive was not kept. Upload it again."


def _datasets(number: int) -> str:
    return "1 dataset was" if number == 1 else f"{number} datasets were"
