"""What the service says of itself."""

from datasets.http.schema import ANY, JSON, Call, Calls, Parameter, Reply, component, obj, refusals, sent
from datasets.views import health, interface

_TAG = "service"

_HEALTH = component(
    "Health",
    obj(
        {
            "status": {"const": "ok"},
            "worker": {"type": "string", "enum": ["absent", "warming up", "ready"]},
            "engine": {"type": "string", "description": "What the worker computes with, once it is ready."},
        }
    ),
)

CALLS: dict[type, Calls] = {
    health.Health: {
        "GET": Call(
            name="get_health",
            tag=_TAG,
            summary="Is it alive?",
            is_open=True,
            description="For containers and load balancers. Never busy, never behind a token.",
            answers={
                200: Reply(
                    description="Requests and the database work.",
                    content={JSON: _HEALTH},
                    examples={
                        JSON: {
                            "status": "ok",
                            "worker": "ready",
                            "engine": "efficientnet_lite0 on OpenVINO 2026.4.1, fp32, 2 threads",
                        }
                    },
                    headers=("Cache-Control",),
                )
            },
        )
    },
    interface.Schema: {
        "GET": Call(
            name="get_schema",
            tag=_TAG,
            summary="This document",
            parameters=[
                Parameter(
                    name="format",
                    schema={"type": "string", "enum": ["json", "yaml"], "default": "json"},
                    description="JSON, or YAML.",
                )
            ],
            answers={
                **sent("OpenAPI 3.1.", JSON, {"type": "object"}),
                200: Reply(
                    description="OpenAPI 3.1.",
                    content={JSON: {"type": "object"}, "application/yaml": {}},
                    headers=("ETag", "Cache-Control", "Accept-Ranges"),
                ),
                **refusals(400, _400="There is no format “xml”; known are json, yaml."),
                **ANY,
            },
        )
    },
}
