"""Further results that wait, run or failed, in the admin."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from datasets.models import DerivedResult

from .formatting import ReadOnlyAdmin, moment_of


@admin.register(DerivedResult)
class DerivedResultAdmin(ReadOnlyAdmin):
    """Deleting one stops its work, and forgets a failure: it is queued again when it is asked for."""

    plural_title = "Further results that are not there yet"
    list_display = fields = ("collection", "kind", "name", "parameters", "state", "share", "error", "queued")
    list_display_links = None
    list_filter = ("status", "kind")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may_act(request)

    @admin.display
    def state(self, row: DerivedResult) -> str:
        return f"{row.status}, {row.stage}" if row.stage else row.status

    @admin.display(description="progress")
    def share(self, row: DerivedResult) -> str:
        return f"{row.progress:.0%}"

    @admin.display
    def queued(self, row: DerivedResult) -> str:
        return moment_of(row.created_at)
