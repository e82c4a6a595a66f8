"""A whole collection as one ZIP: to keep and to compute with; an upload also for TensorBoard's Embedding Projector."""

import csv
import hashlib
import io
import json
import math
import zipfile
from collections.abc import Callable, Container, Iterable, Iterator
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from datasets.api.sink import Sink
from datasets.catalogue import report
from datasets.catalogue.collection import CatalogueCollection
from datasets.collection import thumbnails
from datasets.collection.base import Collection
from datasets.collection.spreadsheet import heads, safe
from datasets.collection.uploaded import Upload
from datasets.tilemaps import ranges
from datasets.tilemaps.layout import CELL, cell_of
from embeddings.reducers import REDUCERS
from embeddings.vector_files import StackedRows, Vectors, dumped

FORMAT = 1
"""Of the archive's content."""

_OF_PICTURES = ("index", "name", "width", "height", "bytes")
"""Columns of `pictures.csv`, before the fields."""

_REPORT = "report.json"
_PIECE = 2**18

# The oldest moment that a ZIP can name: equal datasets give equal archives.
_MOMENT = (1980, 1, 1, 0, 0, 0)

Content = Callable[[], bytes | Iterable[bytes]] | Path
"""A file's bytes, all at once or piece by piece; or where they lie."""


def everything(upload: Upload) -> Iterator[bytes]:
    """Names, vectors, features, metadata, tilemap, report, and a manifest that says what is what."""
    dataset, features = upload.dataset, upload.features()
    files: dict[str, Content] = {
        "manifest.json": lambda: _json(_manifest(upload)),
        "pictures.csv": lambda: _pictures(upload),
        **_tilemaps(upload),
        "features.npy": lambda: _array(features),
        **{f"{name}.npy": dataset.path(name) for name in REDUCERS},
        _REPORT: dataset.path("report"),
    }
    return zipped(files, large={"features.npy"} if is_large(features) else ())


def _tilemaps(upload: Upload) -> dict[str, Content]:
    """Each range's, and where each picture lies in it."""
    count = ranges.count(upload.total)
    files: dict[str, Content] = {}
    for number in range(count):
        name = "tilemap" if count == 1 else f"tilemaps/{ranges.range_id(number)}"
        files[f"{name}.jpg"] = upload.tilemap(number)
        files[f"{name}.json"] = partial(_manifest_of_range, upload, number)
    return files


def _manifest_of_range(upload: Upload, number: int) -> bytes:
    return _json(thumbnails.manifest(upload.page(number), number * ranges.SIZE))


def catalogue(found: CatalogueCollection) -> Iterator[bytes]:
    """Names, metadata, vectors and report; without features and pictures, which would be gigabytes."""
    files: dict[str, Content] = {
        "manifest.json": lambda: _json(_manifest_of_catalogue(found)),
        "pictures.csv": lambda: _pictures(found),
        **{f"{name}.npy": partial(dumped, array) for name, array in found.catalogue.vectors.items()},
    }
    if found.has_report:
        files[_REPORT] = lambda: _json(report.read(found))
    return zipped(files)


def version(found: Upload | CatalogueCollection, form: str) -> str:
    """Another one whenever the archive of this form holds other bytes: by a new name, or metadata or clusters that came
    later."""
    held: list[Any] = [form, found.cache_key, found.metadata_version]
    if isinstance(found, Upload):
        held.append(_manifest(found))
    else:
        held += [_manifest_of_catalogue(found), report.version(found) if found.has_report else None]
    return hashlib.sha256(json.dumps(held).encode()).hexdigest()[:24]


def projector(upload: Upload) -> Iterator[bytes]:
    """Tensors, labels, sprite and `projector_config.pbtxt`, as `tensorboard --logdir` takes them.

    The sprite is one picture of all tiles, which the projector limits to 8192 × 8192 pixels: of up to 1000 pictures.
    """
    tensors: dict[str, Callable[[], Vectors | StackedRows]] = {
        "features": upload.features,
        **{name: lambda name=name: upload.dataset.vectors(name) for name in REDUCERS},  # type: ignore[misc]
    }
    files: dict[str, Content] = {
        "projector_config.pbtxt": lambda: _projector_config(upload, list(tensors)).encode(),
        "metadata.tsv": lambda: _labels(upload),
    }
    if _has_sprite(upload):
        files["sprite.jpg"] = lambda: _sprite(upload)
    for name, read in tensors.items():
        files[f"{name}.bytes"] = lambda read=read: _numbers(read())  # type: ignore[misc]
    return zipped(files, large={"features.bytes"} if is_large(upload.features()) else ())


def is_large(rows: StackedRows) -> bool:
    """Whether their file needs ZIP64, as of a catalogue of some 260,000 pictures that has grown."""
    return bool(rows.shape[0] * rows.shape[1] * 4 > 2**31 - 2**20)


def zipped(files: dict[str, Content], large: Container[str] = ()) -> Iterator[bytes]:
    """The files as a ZIP, piece by piece, none of them made before its turn; `large` are those of 2 GiB and more.

    By the standard library: zipstream-ng writes the time of the request into files that are made on the way, so that
    no two archives of one dataset would be equal.
    """
    sink = Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _MOMENT)
            # Pictures and floats do not get smaller.
            packs = name.endswith((".json", ".csv", ".tsv", ".pbtxt"))
            entry.compress_type = zipfile.ZIP_DEFLATED if packs else zipfile.ZIP_STORED
            with archive.open(entry, "w", force_zip64=name in large) as member:
                for piece in _pieces(content):
                    member.write(piece)
                    yield sink.taken()
            yield sink.taken()
    yield sink.taken()


def _pieces(content: Content) -> Iterator[bytes]:
    if isinstance(content, Path):
        with content.open("rb") as file:
            yield from iter(lambda: file.read(_PIECE), b"")
        return
    made = content()
    if not isinstance(made, bytes):
        yield from made
        return
    for start in range(0, len(made), _PIECE):
        yield made[start : start + _PIECE]


def _array(rows: StackedRows) -> Iterator[bytes]:
    """A `.npy` file, piece by piece."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": rows.shape})
    yield header.getvalue()
    yield from _numbers(rows)


def _numbers(rows: Vectors | StackedRows) -> Iterator[bytes]:
    """The numbers alone, a thousand rows at a time."""
    for first in range(0, len(rows), ranges.SIZE):
        yield np.ascontiguousarray(rows[first : first + ranges.SIZE], "<f4").tobytes()


def _manifest_of_catalogue(found: CatalogueCollection) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "id": found.catalogue.fingerprint,
        "name": found.name,
        "total": found.total,
        "network": found.network or None,
        "files": {
            "pictures.csv": "row, name, size and metadata of each picture",
            **{
                f"{name}.npy": f"(n, 3) float32: where {name.upper()} puts picture k"
                for name in found.catalogue.vectors
            },
            **({_REPORT: "what became of each file of the source"} if found.has_report else {}),
        },
    }


def _manifest(upload: Upload) -> dict[str, Any]:
    dataset = upload.dataset
    return {
        "format": FORMAT,
        "id": dataset.hash,
        "name": dataset.name,
        "total": dataset.count,
        "backbone": dataset.backbone,
        "network": dataset.network,
        "engine": dataset.engine,
        "space": dataset.space,
        "uploaded": dataset.created_at.isoformat(),
        "files": {
            "pictures.csv": "row, name, size and metadata of each picture",
            **_described_tilemaps(upload),
            "features.npy": "(n, d) float32: row k is picture k as the network sees it",
            **{f"{name}.npy": f"(n, 3) float32: where {name.upper()} puts picture k" for name in REDUCERS},
            _REPORT: "what became of each file of the uploaded archive",
        },
        "versions": {
            name: metadata.version(name) for name in ("numpy", "openvino", "torch", "umap-learn", "scikit-learn")
        },
    }


def _described_tilemaps(upload: Upload) -> dict[str, str]:
    if upload.total <= ranges.SIZE:
        names, rule = ("tilemap.jpg", "tilemap.json"), "picture k is tile k, in rows of ten"
    else:
        names, rule = ("tilemaps/000.jpg", "tilemaps/000.json"), "1000 pictures each: picture k is tile k mod 1000"
    return {names[0]: rule, names[1]: "where each picture lies in the tilemap"}


def _pictures(collection: Collection) -> Iterator[bytes]:
    """A CSV, a thousand rows at a time."""
    images = collection.images
    fields = images.fields()
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(map(safe, heads(_OF_PICTURES, (field.name for field in fields))))
    for first in range(0, collection.total, ranges.SIZE):
        rows = range(first, min(first + ranges.SIZE, collection.total))
        columns = [map(safe, images.names(rows)), *zip(*images.sizes(rows), strict=True)]
        columns += [map(safe, field.values(rows)) for field in fields]
        writer.writerows(zip(rows, *columns, strict=True))
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()


def _labels(upload: Upload) -> bytes:
    """One column without a head, or several with one, as the projector wants it."""
    fields, rows = upload.images.fields(), range(upload.total)
    names = upload.names(rows)
    if not fields:
        return "".join(f"{_plain(name)}\n" for name in names).encode()
    lines = [tuple(heads(["name"], (field.name for field in fields)))]
    lines += zip(names, *(field.values(rows) for field in fields), strict=True)
    return "".join("\t".join(map(_plain, line)) + "\n" for line in lines).encode()


def _has_sprite(upload: Upload) -> bool:
    return upload.total <= ranges.SIZE


def _sprite(upload: Upload) -> bytes:
    """The tiles in a square: the projector counts rows of ⌈√n⌉ pictures, whatever the tilemap's width."""
    tiles = upload.page(0).pixels
    side = math.ceil(math.sqrt(upload.total))
    square = np.full((side * CELL, side * CELL, 3), 255, np.uint8)
    for row in range(upload.total):
        left, top = cell_of(row)
        down, right = (CELL * place for place in divmod(row, side))
        square[down : down + CELL, right : right + CELL] = tiles[top : top + CELL, left : left + CELL]
    file = io.BytesIO()
    Image.fromarray(square).save(file, "JPEG", quality=92)
    return file.getvalue()


def _plain(value: Any) -> str:
    """Without what separates cells and rows: the projector knows no quoting."""
    return "" if value is None else str(safe(" ".join(str(value).split()) if isinstance(value, str) else value))


def _projector_config(upload: Upload, tensors: list[str]) -> str:
    sprite = (
        f'  sprite {{\n    image_path: "sprite.jpg"\n    single_image_dim: {CELL}\n    single_image_dim: {CELL}\n  }}\n'
        if _has_sprite(upload)
        else ""
    )
    widths = dict.fromkeys(REDUCERS, 3) | {"features": upload.features().shape[1]}
    return "".join(
        f'embeddings {{\n  tensor_name: "{name}"\n  tensor_path: "{name}.bytes"\n'
        f"  tensor_shape: {upload.total}\n  tensor_shape: {widths[name]}\n"
        f'  metadata_path: "metadata.tsv"\n{sprite}'
        "}\n"
        for name in tensors
    )


def _json(data: Any) -> bytes:
    return json.dumps(data, indent=1).encode()
