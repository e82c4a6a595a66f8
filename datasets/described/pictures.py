"""Pictures and names, of an upload or of the catalogue."""

from PIL import Image

from datasets import thumbnails
from datasets.http.schema import (
    ANY,
    BINARY,
    CONDITIONS,
    COUNT,
    IDENTITY,
    JSON,
    NUMBER,
    TEXT,
    Call,
    Calls,
    Json,
    Parameter,
    array,
    component,
    nullable,
    obj,
    of_both,
    refusals,
    sent,
    sent_as,
)
from datasets.views import pictures
from embeddings.images import FORMATS

_TAG = "pictures"

_SIDE: Json = {"type": "integer", "minimum": 1}
_RECTANGLE: Json = array(COUNT, minItems=4, maxItems=4)
_TYPE: Json = {"type": "string", "enum": ["boolean", "integer", "number", "text"]}
_OUTCOMES = (
    "row",
    "duplicate",
    "near_duplicate",
    "blank",
    "too_small",
    "blurry",
    "unreadable",
    "truncated",
    "too_large",
    "replaced",
    "beyond",
    "passed_over",
    "metadata",
)

INDEX = Parameter(
    name="index",
    place="path",
    schema={"type": "string", "pattern": "^[0-9]{1,12}$"},
    description="Which picture: row k, tile k, name k.",
    example="0",
)
NO_PICTURE = refusals(
    400,
    404,
    _400="“x” is no picture: pictures are numbered from 0.",
    _404="There is no picture 300: the last one is 299.",
)

_WANTED = (
    Parameter(
        name="search",
        schema=TEXT,
        description="Only pictures whose names contain this text, in upper case or lower.",
    ),
    Parameter(
        name="filters",
        schema={"type": "object", "additionalProperties": TEXT},
        description=(
            "Any field of the metadata is a parameter: `kind=wild`, `Smiling=1`, `age=3`, `age=3..9`, "
            "`age=3..`. One that is there twice may have either value; different ones must all hold. `field.` may "
            "stand before a field's name, and must where the call has a parameter of that name: `field.limit=5`."
        ),
    ),
)
_UNKNOWN_FIELD = refusals(
    400,
    404,
    _400="There is no field “colour”; known are age, kind.",
    _404="There is no dataset of this id.",
)

_IMAGE = component(
    "Image",
    obj(
        {
            "index": {**COUNT, "description": "Its row."},
            "name": {**TEXT, "description": "Its file's; a catalogue of an old server has numbers only."},
            "width": {**nullable(_SIDE), "description": "Pixels, upright; null where it is not known."},
            "height": nullable(_SIDE),
            "bytes": {**nullable(COUNT), "description": "Of its file."},
            "metadata": {
                "type": "object",
                "additionalProperties": {"type": ["boolean", "number", "string"]},
                "description": "Field → value; fields without one are left out.",
            },
        }
    ),
)
_FIELD = component("Field", obj({"name": TEXT, "type": _TYPE}))
_IMAGES = component("ImageList", obj({"images": array(_IMAGE), "total": COUNT, "fields": array(_FIELD)}))
_VALUE = component(
    "FieldValue", obj({"value": {"type": ["boolean", "string"]}, "count": {"type": "integer", "minimum": 1}})
)
_HISTOGRAM = component(
    "Histogram",
    {
        "description": "How many values lie between an edge and the next.",
        **obj({"counts": array(COUNT), "edges": array(NUMBER)}),
    },
)
_SUMMARY = component(
    "FieldSummary",
    obj(
        {
            "name": TEXT,
            "type": _TYPE,
            "count": {**COUNT, "description": "Pictures that have a value."},
            "distinct": {**COUNT, "description": "Different values, of booleans and texts."},
            "values": {**array(_VALUE), "description": "The most frequent ones, of booleans and texts."},
            "min": {**NUMBER, "description": "Of numbers, where there are any."},
            "max": NUMBER,
            "histogram": _HISTOGRAM,
        },
        optional=["distinct", "values", "min", "max", "histogram"],
    ),
)
_FIELDS = component("FieldList", obj({"fields": array(_SUMMARY), "total": COUNT}))
_ROWS = component("RowList", obj({"rows": array(COUNT), "total": COUNT}))
_COLUMN = component(
    "FieldColumn",
    obj(
        {
            "name": TEXT,
            "type": _TYPE,
            "texts": {**array(TEXT), "description": "Of a text field: what the numbers in `values` stand for."},
            "values": {
                **array({"type": ["boolean", "number", "null"]}),
                "description": "Value k belongs to row k; null where the picture has none.",
            },
        },
        optional=["texts"],
    ),
)
_TILE = component(
    "Tile",
    {
        "description": "Rectangles are left, top, width, height.",
        **obj({"index": COUNT, "name": TEXT, "cell": _RECTANGLE, "picture": _RECTANGLE}),
    },
)
_MANIFEST = component(
    "TilemapManifest",
    obj({"width": {"const": 500}, "height": {"const": 5000}, "cell": {"const": 50}, "tiles": array(_TILE)}),
)
_REMARK = component(
    "Remark",
    obj(
        {
            "kind": {"type": "string", "enum": list(_OUTCOMES[1:6])},
            "reason": TEXT,
            "of": {**COUNT, "description": "The row of which it is a copy."},
            "value": {**NUMBER, "description": "What was measured."},
            "threshold": {**NUMBER, "description": "What it is held against."},
        },
        optional=["of", "value", "threshold"],
    ),
)
_FILE = component(
    "ReportedFile",
    obj(
        {
            "name": TEXT,
            "outcome": {"type": "string", "enum": list(_OUTCOMES)},
            "index": {**nullable(COUNT), "description": "Its row, if it has one."},
            "of": {**nullable(COUNT), "description": "The row of which it is a copy."},
            "reason": TEXT,
            "remarks": array(_REMARK),
        }
    ),
)
_REPORT = component(
    "Report",
    obj(
        {
            "files": array(_FILE),
            "counts": {"type": "object", "additionalProperties": COUNT, "description": "Outcome → files."},
            "unlisted": {**COUNT, "description": "Files that were passed over, beyond the first 10,000."},
            "total": COUNT,
        }
    ),
)

_DAISY: Json = {
    "index": 0,
    "name": "daisy-01.jpg",
    "width": 128,
    "height": 128,
    "bytes": 2061,
    "metadata": {"age": 3, "kind": "wild"},
}
Image.init()  # without it, Pillow knows the media types of what it has met already
_ORIGINALS = {Image.MIME[form]: BINARY for form in FORMATS} | {"application/octet-stream": BINARY}
_THUMBNAILS = dict.fromkeys(thumbnails.FORMATS.values(), BINARY)


def _manifest(name: str, parameters: list[Parameter], missing: str) -> Call:
    tile = {"index": 0, "name": "daisy-01.jpg", "cell": [0, 0, 50, 50], "picture": [1, 1, 48, 48]}
    return Call(
        name=name,
        tag=_TAG,
        summary="Where each picture lies in a tilemap",
        description="Its cell, and its own rectangle inside, without the white around it.",
        parameters=[*parameters, *CONDITIONS],
        answers={
            **sent("The places.", JSON, _MANIFEST, {"width": 500, "height": 5000, "cell": 50, "tiles": [tile]}),
            **refusals(400, 404, _400="“x” is no range: a range is a number such as 0 or 007.", _404=missing),
            **ANY,
        },
    )


CALLS: dict[type, Calls] = {
    pictures.Images: {
        "GET": of_both(
            "images",
            Call(
                name="images",
                tag=_TAG,
                summary="Names, sizes and metadata, page by page",
                description="All pictures in the order of rows, or those whose metadata are as asked for.",
                parameters=[
                    Parameter(
                        name="offset",
                        schema={"type": "integer", "minimum": 0, "maximum": 10**12 - 1, "default": 0},
                        description="After so many.",
                    ),
                    Parameter(
                        name="limit",
                        schema={"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
                        description="So many at most.",
                    ),
                    *_WANTED,
                    *CONDITIONS,
                ],
                answers={
                    **sent(
                        "A page. `total` counts the pictures of all pages.",
                        JSON,
                        _IMAGES,
                        {
                            "images": [_DAISY],
                            "total": 300,
                            "fields": [{"name": "age", "type": "integer"}, {"name": "kind", "type": "text"}],
                        },
                    ),
                    **_UNKNOWN_FIELD,
                    **ANY,
                },
            ),
        )
    },
    pictures.Fields: {
        "GET": of_both(
            "images/fields",
            Call(
                name="fields",
                tag=_TAG,
                summary="What the metadata are, and how their values are spread",
                parameters=CONDITIONS,
                answers={
                    **sent(
                        "The fields.",
                        JSON,
                        _FIELDS,
                        {
                            "fields": [
                                {
                                    "name": "kind",
                                    "type": "text",
                                    "count": 300,
                                    "distinct": 2,
                                    "values": [{"value": "wild", "count": 180}, {"value": "garden", "count": 120}],
                                }
                            ],
                            "total": 300,
                        },
                    ),
                    **refusals(404, _404="There is no dataset of this id."),
                    **ANY,
                },
            ),
        )
    },
    pictures.Field: {
        "GET": of_both(
            "images/fields/{name}",
            Call(
                name="field",
                tag=_TAG,
                summary="One field of all pictures",
                description="The whole column by row, to colour a cloud by it or to count in it.",
                parameters=[
                    Parameter(
                        name="name",
                        place="path",
                        schema=TEXT | {"minLength": 1},
                        description="A field's.",
                        example="kind",
                    ),
                    *CONDITIONS,
                ],
                answers={
                    **sent(
                        "The column.",
                        JSON,
                        _COLUMN,
                        {"name": "kind", "type": "text", "texts": ["wild", "garden"], "values": [0, 1, None, 0]},
                    ),
                    **refusals(404, _404="There is no field “colour”; known are age, kind."),
                    **ANY,
                },
            ),
        )
    },
    pictures.Rows: {
        "GET": of_both(
            "images/rows",
            Call(
                name="rows",
                tag=_TAG,
                summary="Which pictures are as asked for: their rows alone",
                description="All at once and ascending: what `…/images` tells page by page, small enough for 200,000.",
                parameters=[*_WANTED, *CONDITIONS],
                answers={
                    **sent("The rows.", JSON, _ROWS, {"rows": [0, 2, 17], "total": 3}),
                    **_UNKNOWN_FIELD,
                    **ANY,
                },
            ),
        )
    },
    pictures.Image: {
        "GET": of_both(
            "images/{index}",
            Call(
                name="image",
                tag=_TAG,
                summary="A picture's file as it came",
                parameters=[INDEX, *CONDITIONS],
                answers={
                    **sent_as("The file, under its own media type.", _ORIGINALS, headers=("Content-Disposition",)),
                    **NO_PICTURE,
                    **ANY,
                },
            ),
            of_upload=refusals(410, _410="The archive with this picture was not kept. Its thumbnail can still be had."),
        )
    },
    pictures.Thumbnail: {
        "GET": of_both(
            "images/{index}/thumbnail",
            Call(
                name="thumbnail",
                tag=_TAG,
                summary="A picture, small",
                description=(
                    "Fitted into a square, upright, never enlarged. Where its file is not at hand, it is the tile: "
                    "48 pixels."
                ),
                parameters=[
                    INDEX,
                    Parameter(
                        name="size",
                        schema={
                            "type": "integer",
                            "minimum": 8,
                            "maximum": thumbnails.LARGEST,
                            "default": thumbnails.DEFAULT,
                        },
                        description="Pixels of the square's side.",
                    ),
                    Parameter(
                        name="format",
                        schema={"type": "string", "enum": list(thumbnails.FORMATS)},
                        description="WebP where `Accept` names it, else JPEG, if it is not said.",
                    ),
                    *CONDITIONS,
                ],
                answers={
                    **sent_as("The thumbnail.", _THUMBNAILS, headers=("Vary",)),
                    **NO_PICTURE,
                    **ANY,
                },
            ),
        )
    },
    pictures.Manifest: {
        "GET": {
            "/dataset/{identity}/tilemap/manifest": _manifest(
                "get_dataset_tilemap_manifest", [IDENTITY], "There is no dataset of this id."
            ),
            "/tilemaps/{number}/manifest": _manifest(
                "get_catalogue_tilemap_manifest",
                [
                    Parameter(
                        name="number",
                        place="path",
                        schema={"type": "string", "pattern": "^[0-9]{1,12}$"},
                        description="A range, with or without zeros in front.",
                        example="000",
                    )
                ],
                "There is no range 007: the last one is 001.",
            ),
        }
    },
    pictures.Report: {
        "GET": Call(
            name="get_dataset_report",
            tag="datasets",
            summary="What became of each file of the archive",
            description=(
                "A remark never costs a picture its row. Of an upload that failed, it is there as soon as its files "
                "had been read."
            ),
            parameters=[IDENTITY, *CONDITIONS],
            answers={
                **sent(
                    "The report, in the order of names.",
                    JSON,
                    _REPORT,
                    {
                        "files": [
                            {
                                "name": "daisy-01.jpg",
                                "outcome": "row",
                                "index": 0,
                                "of": None,
                                "reason": "",
                                "remarks": [],
                            }
                        ],
                        "counts": {"row": 1},
                        "unlisted": 0,
                        "total": 1,
                    },
                ),
                **refusals(404, _404="There is no dataset of this id."),
                **ANY,
            },
        )
    },
}
