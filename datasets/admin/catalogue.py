"""The catalogues in the admin: which there are, and which of them is installed."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from datasets.catalogue import publication, sharing
from datasets.errors import Conflict, NotFound
from datasets.models import Catalogue
from datasets.storage.objects import StorageAway

from .formatting import ReadOnlyAdmin


@admin.register(Catalogue)
class CatalogueAdmin(ReadOnlyAdmin):
    has_install_permission = ReadOnlyAdmin.may_act

    def get_urls(self) -> list[URLPattern]:
        install = self.admin_site.admin_view(require_POST(self.install_view))
        return [path("install", install, name="datasets_catalogue_install"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Of folders, not of rows."""
        return self.page(
            request,
            "admin/datasets/catalogue/list.html",
            "Catalogues",
            catalogues=publication.entries(settings.DATA_DIR),
            may_install=self.has_install_permission(request),
        )

    def install_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_install_permission(request):
            raise PermissionDenied
        try:
            with sharing.changing(settings.DATA_DIR, wait=False):
                entry = publication.install(settings.DATA_DIR, request.POST.get("catalogue", ""))
            messages.success(request, f"“{entry.name}” is installed: the catalogue's calls serve it.")
        except (Conflict, NotFound, StorageAway, OSError) as error:
            messages.error(request, f"Nothing was installed: {error}")
        return redirect("admin:datasets_catalogue_changelist")
