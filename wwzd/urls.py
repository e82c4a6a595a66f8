"""Every route of the service."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from datasets.views import contract, health
from viewer import views as pages

handler400 = "datasets.http.error_answers.bad_request"
handler403 = "datasets.http.error_answers.forbidden"
handler404 = "datasets.http.error_answers.not_found"
handler500 = "datasets.http.error_answers.server_error"

urlpatterns = [
    # The contract: these keep path, method, status and body for ever.
    path("status", contract.ServerStatus.as_view()),
    path("dataset/info", contract.CatalogueInfo.as_view()),
    path("tilemaps/<str:identity>", contract.CatalogueTilemap.as_view()),
    path("<str:reducer>/<str:start>/<str:end>/standalone", contract.CatalogueVectors.as_view()),
    path("dataset", contract.DatasetUpload.as_view()),
    path("dataset/<str:identity>/features/<str:reducer>", contract.DatasetVectors.as_view()),
    path("dataset/<str:identity>/tilemap", contract.DatasetTilemap.as_view()),
    # For people.
    path("", pages.index),
    path("look/<str:identity>", pages.look),
    # Beside it.
    path("health", health.Health.as_view()),
    path("admin", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
]
