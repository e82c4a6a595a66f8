"""Figures for Prometheus: what the database tells of the service, and what this web process has answered.

Loaded only with METRICS=1, which needs a package that a single server does without.
"""

import time
from collections.abc import Callable, Iterable
from datetime import timedelta

from django.db.models import Count
from django.db.models.functions import Now
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from datasets.collection.response_cache import kept
from datasets.models import BusyFlag, Dataset, DerivedResult, Status, WorkerState

_LATELY = timedelta(hours=1)

REGISTRY = CollectorRegistry()
_SECONDS = Histogram(
    "wwzd_request_seconds",
    "Seconds until a call was answered; of a file until its sending began.",
    ("call", "method", "status"),
    registry=REGISTRY,
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60),
)
_OTHER = "other"
"""The call of what has no address of its own: any number of them would fill the server's memory."""


class MetricsMiddleware:
    """Counts and times every answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = self._get_response(request)
        match = request.resolver_match
        call = match.view_name if match and match.view_name else _OTHER
        method = request.method if request.method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} else _OTHER
        _SECONDS.labels(call, method, response.status_code).observe(time.perf_counter() - began)
        return response


class _Database(Collector):  # type: ignore[misc, unused-ignore]  # its package may be missing
    """What the rows say now, of all servers and workers of the database."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        uploads = GaugeMetricFamily("wwzd_uploads", "Uploads by status.", labels=("status",))
        counts = dict(Dataset.objects.order_by().values_list("status").annotate(Count("pk")))
        for status in Status:
            uploads.add_metric([status.value], counts.get(status.value, 0))
        yield uploads
        results = GaugeMetricFamily(
            "wwzd_further_results", "Further results that wait, run or failed.", labels=("kind", "status")
        )
        rows = DerivedResult.objects.order_by().values_list("kind", "status").annotate(Count("pk"))
        for kind, status, count in rows:
            results.add_metric([kind, status], count)
        yield results
        workers = GaugeMetricFamily("wwzd_workers", "Workers that live.", labels=("state",))
        for state, is_ready in (("ready", True), ("warming up", False)):
            workers.add_metric([state], WorkerState.objects.alive().filter(ready=is_ready).count())
        yield workers
        yield GaugeMetricFamily("wwzd_busy", "1 while a client waits for its upload.", BusyFlag.objects.is_up())
        yield from _lately()


def _lately() -> Iterable[GaugeMetricFamily]:
    done = Dataset.objects.ready().filter(finished_at__gt=Now() - _LATELY).values_list("count", "timings")
    pictures, seconds = 0, dict[str, float]()
    for count, timings in done:
        pictures += count
        for stage, took in timings.items():
            seconds[stage] = seconds.get(stage, 0.0) + took
    yield GaugeMetricFamily("wwzd_pictures_last_hour", "Pictures of the uploads that became ready.", pictures)
    stages = GaugeMetricFamily(
        "wwzd_stage_seconds_last_hour", "Seconds that their stages took, in all.", labels=("stage",)
    )
    for stage, took in sorted(seconds.items()):
        stages.add_metric([stage], took)
    yield stages
    features = seconds.get("features", 0.0)
    rate = pictures / features if features else 0.0
    yield GaugeMetricFamily("wwzd_pictures_per_second_last_hour", "Pictures a second through the network.", rate)


class _Cache(Collector):  # type: ignore[misc, unused-ignore]
    """Of this web process."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        cache = kept()
        yield GaugeMetricFamily("wwzd_cache_hits", "Stored answers that were sent as they were.", cache.hits)
        yield GaugeMetricFamily("wwzd_cache_misses", "Answers that were made and stored.", cache.misses)


REGISTRY.register(_Database())
REGISTRY.register(_Cache())
