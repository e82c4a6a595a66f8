"""A whole upload as one file."""

from datasets.http.schema import ANY, BINARY, IDENTITY, Call, Calls, Parameter, Reply, refusals
from datasets.views import exports

CALLS: dict[type, Calls] = {
    exports.Export: {
        "GET": Call(
            name="export_dataset",
            tag="datasets",
            summary="All that is known of an upload, in one ZIP",
            description=(
                "Names, sizes, metadata, features, vectors, tilemap, report, and a manifest that says what is what. "
                "`projector`: a folder for TensorBoard's Embedding Projector. Streamed; without ranges."
            ),
            parameters=[
                IDENTITY,
                Parameter(
                    name="format",
                    schema={"type": "string", "enum": list(exports.FORMATS), "default": "zip"},
                    description="Which of the two.",
                ),
            ],
            answers={
                200: Reply(
                    description="The ZIP.",
                    content={"application/zip": BINARY},
                    headers=("Content-Disposition", "Cache-Control"),
                ),
                **refusals(
                    400,
                    404,
                    _400="There is no format “tar”; known are zip, projector.",
                    _404="There is no dataset of this id.",
                ),
                **ANY,
            },
        )
    }
}
