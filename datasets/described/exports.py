"""A whole collection as one file."""

from datasets.http.schema import ANY, BINARY, IDENTITY, Call, Calls, Parameter, Reply, refusals
from datasets.views import exports

_ZIP = Reply(
    description="The ZIP.",
    content={"application/zip": BINARY},
    headers=("Content-Disposition", "Cache-Control"),
)

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
                200: _ZIP,
                **refusals(
                    400,
                    404,
                    _400="There is no format “tar”; known are zip, projector.",
                    _404="There is no dataset of this id.",
                ),
                **ANY,
            },
        )
    },
    exports.CatalogueExport: {
        "GET": Call(
            name="export_catalogue",
            tag="catalogue",
            summary="What is known of the catalogue's pictures, in one ZIP",
            description=(
                "Names, sizes, metadata, vectors, and a manifest that says what is what; neither features nor "
                "pictures, which would be gigabytes. Streamed; without ranges."
            ),
            answers={200: _ZIP, **refusals(404, _404="No catalogue is installed."), **ANY},
        )
    },
}
