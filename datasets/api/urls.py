"""The routes of the calls."""

from typing import Any

from django.conf import settings
from django.urls import URLPattern, path

from datasets.api.views import (
    catalogues,
    cloud_files,
    clusters,
    contract,
    exports,
    forming,
    growth,
    health,
    interface,
    layouts,
    management,
    metadata,
    pictures,
    point_tiles,
    ranges,
    saved_views,
    search,
    uploads,
    vectors,
)


def _metrics() -> list[URLPattern]:
    if not settings.METRICS:
        return []
    from datasets.api.views.metrics import Metrics  # its package is missing where it is off

    return [path("metrics", Metrics.as_view(), name="metrics")]


def of_both(route: str, view: Any, name: str) -> list[URLPattern]:
    """The same call for uploads and for the catalogue."""
    return [
        path(f"dataset/<str:dataset_id>/{route}", view, name=f"dataset-{name}"),
        path(f"catalogue/{route}", view, name=f"catalogue-{name}"),
    ]


urlpatterns = [
    # The contract: these keep path, method, status and body for ever.
    path("status", contract.ServerStatus.as_view(), name="status"),
    path("dataset/info", contract.CatalogueInfo.as_view(), name="catalogue-info"),
    path("tilemaps/<str:range_id>", contract.CatalogueTilemap.as_view(), name="catalogue-tilemap"),
    path(
        "<str:reducer>/<str:start>/<str:end>/standalone", contract.CatalogueVectors.as_view(), name="catalogue-vectors"
    ),
    # GET, and the answer to `Prefer: respond-async`, are not the contract's.
    path("dataset", management.Datasets.as_view(), name="datasets"),
    path(
        "dataset/<str:dataset_id>/features/network", vectors.NetworkFeatures.as_view(), name="dataset-network"
    ),  # before its sisters
    path("dataset/<str:dataset_id>/features/<str:reducer>", contract.DatasetVectors.as_view(), name="dataset-vectors"),
    path("dataset/<str:dataset_id>/tilemap", contract.DatasetTilemap.as_view(), name="dataset-tilemap"),
    # The ranges of an upload of any size, as the catalogue's.
    path("dataset/<str:dataset_id>/info", ranges.Info.as_view(), name="dataset-info"),
    path("dataset/<str:dataset_id>/tilemaps/<str:number>", ranges.Tilemap.as_view(), name="dataset-range-tilemap"),
    path(
        "dataset/<str:dataset_id>/tilemaps/<str:number>/manifest",
        ranges.Manifest.as_view(),
        name="dataset-range-manifest",
    ),
    path(
        "dataset/<str:dataset_id>/<str:reducer>/<str:start>/<str:end>/standalone",
        ranges.Vectors.as_view(),
        name="dataset-range-vectors",
    ),
    path("catalogues", catalogues.Catalogues.as_view(), name="catalogues"),
    # Uploads that are looked after.
    path("dataset/<str:dataset_id>", management.OneDataset.as_view(), name="dataset"),
    path("dataset/<str:dataset_id>/rest", management.RestOfDataset.as_view(), name="dataset-rest"),
    path("dataset/<str:dataset_id>/refit", growth.Refit.as_view(), name="dataset-refit"),
    path("dataset/<str:dataset_id>/forming", forming.Forming.as_view(), name="dataset-forming"),
    # Uploads that come in parts, by the tus protocol.
    path("uploads", uploads.Uploads.as_view(), name="uploads"),
    path("uploads/<str:upload_id>", uploads.OneUpload.as_view(), name="upload"),
    # Pictures, names and metadata.
    *of_both("images", growth.GrowingImages.as_view(), "images"),
    *of_both("images/fields", metadata.Fields.as_view(), "fields"),
    *of_both("images/fields/<path:name>", metadata.Field.as_view(), "field"),  # a field's name may hold a slash
    *of_both("images/rows", metadata.Rows.as_view(), "rows"),
    *of_both("images/<str:index>", pictures.Image.as_view(), "image"),
    *of_both("images/<str:index>/thumbnail", pictures.Thumbnail.as_view(), "thumbnail"),
    *of_both("images/<str:index>/neighbors", search.Neighbours.as_view(), "neighbors"),
    *of_both("clusters", clusters.ClusterList.as_view(), "clusters"),
    *of_both("clusters/<str:level>/<str:cluster>", clusters.OneCluster.as_view(), "cluster"),
    *of_both("duplicates", search.Duplicates.as_view(), "duplicates"),
    *of_both("layouts", layouts.Layouts.as_view(), "layouts"),
    *of_both("layouts/<str:layout>", layouts.OneLayout.as_view(), "layout"),
    *of_both("layouts/<str:layout>/quality", layouts.Quality.as_view(), "quality"),
    *of_both("layouts/<str:layout>/distortion", layouts.Distortion.as_view(), "distortion"),
    *of_both("points/<str:layout>", point_tiles.PointIndex.as_view(), "points"),
    *of_both("points/<str:layout>/<str:digest>", point_tiles.PointNodes.as_view(), "point-nodes"),
    *of_both("views", saved_views.SavedViews.as_view(), "views"),
    *of_both("outliers", search.Outliers.as_view(), "outliers"),
    path("dataset/<str:dataset_id>/export", exports.Export.as_view(), name="dataset-export"),
    path("catalogue/export", exports.CatalogueExport.as_view(), name="catalogue-export"),
    *of_both("export.glb", cloud_files.Model.as_view(), "export-model"),
    *of_both("export.parquet", cloud_files.PictureTable.as_view(), "export-table"),
    *of_both("report", pictures.Report.as_view(), "report"),
    path("search", search.Search.as_view(), name="search"),
    path("dataset/<str:dataset_id>/tilemap/manifest", pictures.Manifest.as_view(), name="dataset-manifest"),
    path("tilemaps/<str:number>/manifest", pictures.Manifest.as_view(), name="catalogue-manifest"),
    # The service itself.
    *_metrics(),
    path("health", health.Health.as_view(), name="health"),
    path("schema", interface.Schema.as_view(), name="schema"),
    path("docs", interface.docs, name="docs"),
]
