"""Is it alive?"""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets.api.http import responses
from datasets.api.openapi import Reply
from datasets.api.serializers import represent
from datasets.api.serializers.service import HealthSerializer
from datasets.models import WorkerState
from datasets.uploads import worker_readiness


class Health(APIView):
    """Is it alive?

    For containers and load balancers. Never busy, never behind a token.
    """

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(
        operation_id="get_health",
        tags=["service"],
        responses={
            200: Reply(
                "Requests and the database work.",
                HealthSerializer,
                {
                    "status": "ok",
                    "worker": "ready",
                    "engine": "efficientnet_lite0 on OpenVINO 2026.4.1, fp32, 2 threads",
                },
                ["Cache-Control"],
            )
        },
    )
    def get(self, request: Request) -> Response:
        worker = WorkerState.objects.current()
        state = worker_readiness.state_of(worker)
        engine = worker.engine if worker and state == worker_readiness.READY else ""
        health = represent(HealthSerializer, {"status": "ok", "worker": state, "engine": engine})
        return Response(health, headers={"Cache-Control": responses.NOT_KEPT})
