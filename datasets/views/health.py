"""Is it alive?"""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets.http import answers
from datasets.models import WorkerState


class Health(APIView):
    """For containers and load balancers; not under the busy rule. 200 as long as requests and the database work."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def get(self, request: Request) -> Response:
        worker = WorkerState.objects.current()
        return Response(
            {
                "status": "ok",
                "worker": "absent" if worker is None else "ready" if worker.ready else "warming up",
                "engine": worker.engine if worker else "",
            },
            headers={"Cache-Control": answers.NOT_KEPT},
        )
