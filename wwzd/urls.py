"""Every route of the service."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from viewer import views as pages

handler400 = "datasets.api.http.exception_handler.bad_request"
handler403 = "datasets.api.http.exception_handler.forbidden"
handler404 = "datasets.api.http.exception_handler.not_found"
handler500 = "datasets.api.http.exception_handler.server_error"

urlpatterns = [
    path("", include("datasets.api.urls")),
    # For people.
    path("", pages.index, name="page"),
    path("compare", pages.compare, name="compare"),
    path("look/<str:dataset_id>", pages.look),
    # Browsers ask for it beside pictures and JSON.
    path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}viewer/icon.svg")),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
]
