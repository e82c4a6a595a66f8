"""The busy flag and the workers in the admin."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from datasets.models import BusyFlag, WorkerState

from .formatting import ReadOnlyAdmin, moment_of


@admin.register(BusyFlag)
class BusyFlagAdmin(ReadOnlyAdmin):
    fields = ("state", "since", "until", "holder")

    has_release_permission = ReadOnlyAdmin.may_act

    @admin.display
    def state(self, flag: BusyFlag) -> str:
        return "up" if BusyFlag.objects.is_up() else "down"

    @admin.display
    def since(self, flag: BusyFlag) -> str:
        return moment_of(flag.taken_at)

    @admin.display
    def until(self, flag: BusyFlag) -> str:
        return moment_of(flag.expires_at)

    def get_urls(self) -> list[URLPattern]:
        release = self.admin_site.admin_view(require_POST(self.release_view))
        return [path("release", release, name="datasets_busyflag_release"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Not a list: the one flag, which stands for itself before it was ever raised."""
        return self.page(
            request,
            "admin/datasets/busyflag/flag.html",
            "Busy flag",
            flag=BusyFlag.objects.filter(pk=1).first(),
            is_up=BusyFlag.objects.is_up(),
            may_release=self.has_release_permission(request),
        )

    def release_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_release_permission(request):
            raise PermissionDenied
        flag = BusyFlag.objects.filter(pk=1).first()
        if flag is not None and BusyFlag.objects.is_up():
            BusyFlag.objects.release()
            self.log_change(request, flag, "Released.")
            messages.success(request, "The busy flag was released: uploads are taken again.")
        else:
            messages.info(request, "The busy flag was down already.")
        return redirect("admin:datasets_busyflag_changelist")


@admin.register(WorkerState)
class WorkerStateAdmin(ReadOnlyAdmin):
    plural_title = "Workers"
    list_display = fields = ("state", "engine", "last_sign_of_life", "worker_id")
    list_display_links = None

    @admin.display
    def state(self, worker: WorkerState) -> str:
        is_silent = not WorkerState.objects.alive().filter(pk=worker.pk).exists()
        state = "silent" if is_silent else "ready" if worker.ready else "warming up"
        return format_html('<span class="status {}">{}</span>', state.replace(" ", "-"), state)

    @admin.display
    def last_sign_of_life(self, worker: WorkerState) -> str:
        return moment_of(worker.beat_at)
