"""Every route of the service."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from datasets import views
from viewer import views as pages

handler400 = "datasets.error_answers.bad_request"
handler403 = "datasets.error_answers.forbidden"
handler404 = "datasets.error_answers.not_found"
handler500 = "datasets.error_answers.server_error"

urlpatterns = [
    # The contract: these keep path, method, status and body for ever.
    path("status", views.ServerStatus.as_view()),
    path("dataset/info", views.CatalogueInfo.as_view()),
    path("tilemaps/<str:identity>", views.CatalogueTilemap.as_view()),
    path("<str:reducer>/<str:start>/<str:end>/standalone", views.CatalogueVectors.as_view()),
    path("dataset", views.DatasetUpload.as_view()),
    path("dataset/<str:identity>/features/<str:reducer>", views.DatasetVectors.as_view()),
    path("dataset/<str:identity>/tilemap", views.DatasetTilemap.as_view()),
    # For people.
    path("", pages.index),
    path("look/catalogue/<str:reducer>.png", pages.catalogue_cloud, name="catalogue-cloud"),
    path("look/<str:identity>", pages.dataset, name="dataset"),
    path("look/<str:identity>/<str:reducer>.png", pages.dataset_cloud, name="dataset-cloud"),
    # Beside it.
    path("health", views.Health.as_view()),
    path("admin", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
]
