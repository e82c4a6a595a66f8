"""Every route of the service."""

from typing import Any

from django.contrib import admin
from django.urls import URLPattern, path
from django.views.generic import RedirectView

from datasets.views import contract, exports, health, interface, management, pictures, search, vectors
from viewer import views as pages

handler400 = "datasets.http.error_answers.bad_request"
handler403 = "datasets.http.error_answers.forbidden"
handler404 = "datasets.http.error_answers.not_found"
handler500 = "datasets.http.error_answers.server_error"


def of_both(route: str, view: Any) -> list[URLPattern]:
    """The same call for uploads and for the catalogue."""
    return [path(f"dataset/<str:identity>/{route}", view), path(f"catalogue/{route}", view)]


urlpatterns = [
    # The contract: these keep path, method, status and body for ever.
    path("status", contract.ServerStatus.as_view()),
    path("dataset/info", contract.CatalogueInfo.as_view()),
    path("tilemaps/<str:identity>", contract.CatalogueTilemap.as_view()),
    path("<str:reducer>/<str:start>/<str:end>/standalone", contract.CatalogueVectors.as_view()),
    # GET, and the answer to `Prefer: respond-async`, are not the contract's.
    path("dataset", management.Datasets.as_view()),
    path("dataset/<str:identity>/features/network", vectors.NetworkFeatures.as_view()),  # before its sisters
    path("dataset/<str:identity>/features/<str:reducer>", contract.DatasetVectors.as_view()),
    path("dataset/<str:identity>/tilemap", contract.DatasetTilemap.as_view()),
    # Uploads that are looked after.
    path("dataset/<str:identity>", management.OneDataset.as_view()),
    # Pictures, names and metadata.
    *of_both("images", pictures.Images.as_view()),
    *of_both("images/fields", pictures.Fields.as_view()),
    *of_both("images/fields/<path:name>", pictures.Field.as_view()),  # a field's name may hold a slash
    *of_both("images/rows", pictures.Rows.as_view()),
    *of_both("images/<str:index>", pictures.Image.as_view()),
    *of_both("images/<str:index>/thumbnail", pictures.Thumbnail.as_view()),
    *of_both("images/<str:index>/neighbors", search.Neighbours.as_view()),
    *of_both("duplicates", search.Duplicates.as_view()),
    *of_both("outliers", search.Outliers.as_view()),
    path("dataset/<str:identity>/export", exports.Export.as_view()),
    path("catalogue/export", exports.CatalogueExport.as_view()),
    path("dataset/<str:identity>/report", pictures.Report.as_view()),
    path("search", search.Search.as_view()),
    path("dataset/<str:identity>/tilemap/manifest", pictures.Manifest.as_view()),
    path("tilemaps/<str:number>/manifest", pictures.Manifest.as_view()),
    # For people.
    path("", pages.index),
    path("look/<str:identity>", pages.look),
    # Beside it.
    path("health", health.Health.as_view()),
    path("schema", interface.Schema.as_view()),
    path("docs", interface.docs, name="docs"),
    path("admin", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
]
