"""The pages for people: a collection, and two side by side."""

from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from datasets.catalogue import installed_catalogue, publication
from datasets.collection import cloud_model
from datasets.search import text_query
from datasets.tilemaps import ranges
from embeddings.reducers import REDUCERS, Umap

# Nothing but what this service sends, and no script or style within the document.
_EVERY_PAGE = ("default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'none'", "base-uri 'none'")
# Blobs are pictures that were dropped. The page is framed by the comparison alone, which is of the same origin.
_PAGE = (*_EVERY_PAGE, "worker-src 'self'", "img-src 'self' blob:", "connect-src 'self'", "frame-ancestors 'self'")
_COMPARISON = (*_EVERY_PAGE, "img-src 'self'", "frame-src 'self'", "frame-ancestors 'none'")

_OFFERS: dict[str, bool | int] = {
    **dict.fromkeys(("images", "neighbors", "search", "facts", "export", "list", "catalogues", "parts"), True),
    "files": cloud_model.LARGEST,
}
"""Calls beyond the contract that the page can make use of; `files` of so many pictures at most."""


@require_safe
@xframe_options_sameorigin
def index(request: HttpRequest) -> HttpResponse:
    """The page; what it shows, its scripts ask for."""
    catalogue = installed_catalogue.catalogue_store().catalogue()
    tiled = publication.tiled_layouts(catalogue.folder, catalogue.total)
    facts: dict[str, Any] = {
        "catalogue": {
            "name": catalogue.name,
            "total": catalogue.total,
            "demo": catalogue.demo,
            "text_search": text_query.offers(catalogue.network),
            "add": reverse("catalogue-images") if catalogue.folder.can_grow else None,
            "points": tiled,
        },
        "reducers": list(REDUCERS),
        "offers": _OFFERS,
        "limits": {"pictures": settings.MAX_PICTURES},
    }
    return _document(request, "index", _PAGE, {"facts": facts, "points": _points(request, catalogue.total, tiled)})


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Two collections side by side, each the page in a frame; `left` and `right` are what their addresses say."""
    return _document(request, "compare", _COMPARISON, {name: request.GET.get(name, "") for name in ("left", "right")})


@require_safe
def look(request: HttpRequest, dataset_id: str) -> HttpResponseBase:
    """Where an upload was looked at before; links to it may be about."""
    return HttpResponsePermanentRedirect(f"{reverse('page')}?dataset={dataset_id}")


def _document(request: HttpRequest, name: str, policy: tuple[str, ...], context: dict[str, Any]) -> HttpResponse:
    # Scripts are built by `make`; without npm's registry they are not there, and the page says so.
    built = finders.find("viewer/built/main.js") is not None
    response = render(request, f"viewer/{name}.html", {"built": built, **context})
    response["Content-Security-Policy"] = "; ".join(policy)
    response["Referrer-Policy"] = "same-origin"
    response["Cache-Control"] = "no-cache"
    return response


def _points(request: HttpRequest, total: int, tiled: list[str]) -> str:
    """What the scripts will ask for first, so that it is on its way before they run; empty where that is not known."""
    if not total or "dataset" in request.GET:
        return ""
    view = request.GET.get("view", "")
    if tiled:
        return reverse("catalogue-points", args=[view if view in tiled else Umap.name])
    reducer = view if view in REDUCERS else list(REDUCERS)[-1]
    return f"{reverse('catalogue-vectors', args=[reducer, 0, ranges.count(total) - 1])}?format=raw"
