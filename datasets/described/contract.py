"""The calls of the contract."""

from datasets.atlas import SIZES
from datasets.http.schema import (
    ANY,
    BINARY,
    CONDITIONS,
    IDENTITY,
    JPEG,
    JSON,
    REDUCER,
    Call,
    Calls,
    Parameter,
    Reply,
    component,
    multipart,
    obj,
    ref,
    refusals,
    sent,
)
from datasets.views import contract

from .vectors import AS_WANTED, FORMS, NO_SUCH_FORM, sent_in_any_form

_CATALOGUE, _DATASETS = "catalogue", "datasets"

_STATUS = component("Status", {"description": "Free.", **obj({"busy": {"const": False}})})
_INFO = component(
    "CatalogueInfo",
    obj(
        {
            "total": {"type": "integer", "minimum": 0, "description": "Pictures."},
            "ranges": {
                "type": "object",
                "description": "First and last index of each range, both included.",
                "patternProperties": {
                    "^[0-9]{3,}$": {
                        "type": "array",
                        "items": {"type": "integer", "minimum": 0},
                        "minItems": 2,
                        "maxItems": 2,
                    }
                },
                "additionalProperties": False,
            },
        }
    ),
)


def _range(name: str, place: str) -> Parameter:
    return Parameter(
        name=name,
        place="path",
        schema={"type": "string", "pattern": "^[0-9]{1,9}$"},
        description=f"{place}, with or without zeros in front.",
        example="000",
    )


_TILE = Parameter(
    name="tile",
    schema={"type": "integer", "enum": list(SIZES)},
    description="The same cells, each so many pixels wide and high and filled by its picture, for graphics cards.",
)
_NO_SUCH_TILE = "Tiles of “7” pixels are not made: ask for 12 and 24, or for none to get the tilemap."

_BUSY = refusals(503)
_ROWS = [[14.878308, 8.788419, 8.979465], [7.415088, 5.019762, 0.37154606]]

UPLOAD = multipart(
    "A ZIP with pictures directly at its top level; the first 1000 readable ones, sorted by name, are taken.",
    file={**BINARY, "contentMediaType": "application/zip"},
)

CALLS: dict[type, Calls] = {
    contract.ServerStatus: {
        "GET": Call(
            name="get_status",
            tag=_CATALOGUE,
            summary="Is it free?",
            description="503 while the server works on an upload that a client waits for. `/health` is always there.",
            answers={
                200: Reply(
                    description="It is free.",
                    content={JSON: _STATUS},
                    examples={JSON: {"busy": False}},
                    headers=("Cache-Control",),
                ),
                **_BUSY,
                **ANY,
            },
        )
    },
    contract.CatalogueInfo: {
        "GET": Call(
            name="get_catalogue_info",
            tag=_CATALOGUE,
            summary="How many pictures the catalogue has, and its ranges",
            parameters=CONDITIONS,
            answers={
                **sent("Its size.", JSON, _INFO, {"total": 1797, "ranges": {"000": [0, 999], "001": [1000, 1796]}}),
                **_BUSY,
                **ANY,
            },
        )
    },
    contract.CatalogueTilemap: {
        "GET": Call(
            name="get_catalogue_tilemap",
            tag=_CATALOGUE,
            summary="The pictures of a range, in one",
            description="500 × 5000 pixels: 10 columns of 50 × 50 cells, row by row. Picture k is in cell k.",
            parameters=[_range("identity", "A range"), _TILE, *CONDITIONS],
            answers={
                **sent("The tilemap.", JPEG, BINARY),
                **refusals(400, 404, _400=_NO_SUCH_TILE, _404="There is no range 007: the last one is 001."),
                **_BUSY,
                **ANY,
            },
        )
    },
    contract.CatalogueVectors: {
        "GET": Call(
            name="get_catalogue_vectors",
            tag=_CATALOGUE,
            summary="The vectors of some ranges, in the order of the pictures",
            description=f"The reducers' own numbers, never rescaled. {FORMS}",
            parameters=[
                REDUCER,
                _range("start", "The first range"),
                _range("end", "The last range"),
                *AS_WANTED,
                *CONDITIONS,
            ],
            answers={
                **sent_in_any_form(
                    "The vectors.",
                    ref("CatalogueVectors"),
                    {"features": _ROWS, "tilemap_ids": ["000"], "total": 2},
                ),
                **refusals(
                    400,
                    404,
                    _400="The ranges are reversed: 2 comes after 1.",
                    _404="There is no range 007: the last one is 001.",
                ),
                **_BUSY,
                **ANY,
            },
        )
    },
    contract.DatasetVectors: {
        "GET": Call(
            name="get_dataset_vectors",
            tag=_DATASETS,
            summary="The vectors of an upload",
            description=f"Of an upload that nobody waits for they are there as soon as they are computed. {FORMS}",
            parameters=[IDENTITY, REDUCER, *AS_WANTED, *CONDITIONS],
            answers={
                **sent_in_any_form("The vectors.", ref("Vectors"), {"features": _ROWS, "total": 2}),
                **refusals(400, 404, _400=NO_SUCH_FORM, _404="There is no dataset of this id."),
                **_BUSY,
                **ANY,
            },
        )
    },
    contract.DatasetTilemap: {
        "GET": Call(
            name="get_dataset_tilemap",
            tag=_DATASETS,
            summary="The pictures of an upload, in one",
            description="As the catalogue's: 500 × 5000 pixels, 10 columns of 50 × 50 cells.",
            parameters=[IDENTITY, _TILE, *CONDITIONS],
            answers={
                **sent("The tilemap.", JPEG, BINARY),
                **refusals(400, 404, _400=_NO_SUCH_TILE, _404="There is no dataset of this id."),
                **_BUSY,
                **ANY,
            },
        )
    },
}
