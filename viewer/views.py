"""The page for people: one document, its scripts, and the facts that they begin with."""

from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from datasets.catalogue import installation
from datasets.collection import cloud_model
from datasets.search import text_query
from datasets.tilemaps import ranges
from embeddings.reducers import REDUCERS

# Nothing but what this service sends, and no script or style within the document. Blobs are pictures that were dropped.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

_OFFERS: dict[str, bool | int] = {
    **dict.fromkeys(("images", "neighbors", "search", "facts", "export", "list", "catalogues", "parts"), True),
    "files": cloud_model.LARGEST,
}
"""Calls beyond the contract that the page can make use of; `files` of so many pictures at most."""


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The page; what it shows, its scripts ask for."""
    catalogue = installation.catalogue_store().catalogue()
    facts: dict[str, Any] = {
        "catalogue": {
            "name": catalogue.name,
            "total": catalogue.total,
            "demo": catalogue.demo,
            "text_search": text_query.offers(catalogue.network),
        },
        "reducers": list(REDUCERS),
        "offers": _OFFERS,
        "limits": {"pictures": settings.MAX_PICTURES},
    }
    # Scripts are built by `make`; without npm's registry they are not there, and the page says so.
    built = finders.find("viewer/built/main.js") is not None
    points = _points(request, catalogue.total)
    response = render(request, "viewer/index.html", {"facts": facts, "built": built, "points": points})
    response["Content-Security-Policy"] = _POLICY
    response["Referrer-Policy"] = "same-origin"
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
def look(request: HttpRequest, dataset_id: str) -> HttpResponseBase:
    """Where an upload was looked at before; links to it may be about."""
    return HttpResponsePermanentRedirect(f"{reverse('page')}?dataset={dataset_id}")


def _points(request: HttpRequest, total: int) -> str:
    """What the scripts will ask for first, so that it is on its way before they run; empty where that is not known."""
    if not total or "dataset" in request.GET:
        return ""
    view = request.GET.get("view", "")
    reducer = view if view in REDUCERS else list(REDUCERS)[-1]
    return f"{reverse('catalogue-vectors', args=[reducer, 0, ranges.count(total) - 1])}?format=raw"
