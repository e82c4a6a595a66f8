"""The page for people: what is served here, a form for a ZIP, and what became of it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from datasets import busy, compute, uploads
from datasets.errors import Busy, Refusal
from datasets.models import Dataset
from datasets.preview import cloud
from datasets.ranges import SIZE
from embeddings.reducers import REDUCERS


@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """The catalogue and the form; posted to, it computes the upload and shows it."""
    status, problem = 200, ""
    if request.method == "POST":
        try:
            busy.refuse_if_up()
            if (file := request.FILES.get("file")) is None:
                raise Refusal("Choose a ZIP first.")
            return redirect("dataset", identity=uploads.receive(file).hash)
        except Refusal as refusal:
            status, problem = refusal.status, str(refusal)
            if isinstance(refusal, Busy):
                problem += ": it is working on somebody's pictures."
    facts = {"catalogue": compute.shelf().catalogue(), "reducers": list(REDUCERS), "problem": problem}
    return render(request, "viewer/index.html", facts, status=status)


@require_safe
def dataset(request: HttpRequest, identity: str) -> HttpResponse:
    """What was made of an upload."""
    found = Dataset.objects.ready().filter(hash=identity).first()
    if found is None:
        return render(request, "viewer/missing.html", status=404)
    return render(request, "viewer/dataset.html", {"dataset": found, "reducers": list(REDUCERS)})


@require_GET
@cache_control(max_age=600)
def catalogue_cloud(request: HttpRequest, reducer: str) -> HttpResponse:
    """The first thousand pictures of the catalogue where a reducer put them, as a PNG."""
    catalogue = compute.shelf().catalogue()
    try:
        tilemap = catalogue.tilemap("0").read_bytes()
        return _png(cloud(catalogue.vectors[reducer][:SIZE], tilemap, size=(900, 640)))
    except (Refusal, KeyError):
        return render(request, "viewer/missing.html", status=404)


@require_GET
@cache_control(max_age=600)
def dataset_cloud(request: HttpRequest, identity: str, reducer: str) -> HttpResponse:
    """An upload's pictures where a reducer put them, as a PNG."""
    found = Dataset.objects.ready().filter(hash=identity).first()
    if found is None or reducer not in REDUCERS:
        return render(request, "viewer/missing.html", status=404)
    with found.tilemap.open("rb") as tilemap:
        return _png(cloud(found.vectors(reducer), tilemap.read(), size=(900, 640)))


def _png(data: bytes) -> HttpResponse:
    return HttpResponse(data, content_type="image/png")
