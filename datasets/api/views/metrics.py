"""What the service does, for Prometheus. Routed only with METRICS=1."""

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from rest_framework.request import Request
from rest_framework.views import APIView

from datasets.api.metrics import REGISTRY


@extend_schema(exclude=True)
class Metrics(APIView):
    """Under a token where every call is."""

    throttle_classes = ()

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(generate_latest(REGISTRY), CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})
