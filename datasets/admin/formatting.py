"""What the admin's pages share: read-only models, moments, files as they are shown."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.db.models import Func, IntegerField, Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.formats import date_format
from django.utils.timezone import localtime

EMPTY = "–"


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
    empty_value_display = EMPTY

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

    def page(self, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
        """In place of a list: a template on `admin/datasets/page.html`. Raises `PermissionDenied`."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        common = self.admin_site.each_context(request) | {"title": title, "opts": self.opts, "media": self.media}
        return TemplateResponse(request, template, common | context)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": self.plural_title} | (extra_context or {}))


def moment_of(moment: datetime | None) -> str:
    return date_format(localtime(moment), "DATETIME_FORMAT") if moment else EMPTY


def picture_response(content_type: str, draw: Callable[[], bytes]) -> HttpResponse:
    """An answer that the browser may keep: equal ids have equal pictures."""
    try:
        content = draw()
    except (OSError, ValueError, EOFError) as error:
        raise Http404("The file is gone, or it cannot be read.") from error
    return HttpResponse(content, content_type=content_type, headers={"Cache-Control": "private, max-age=86400"})
