"""Textured meshes of triangles → one GLB, the binary form of glTF 2.0, which Blender, headsets and browsers read.

https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html. The materials are unlit (`KHR_materials_unlit`): pictures
have the colours that they have. By hand, as the few objects that are needed are as long in a library's words.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

_MAGIC, _VERSION, _JSON, _BIN = 0x46546C67, 2, 0x4E4F534A, 0x004E4942
_ARRAY_BUFFER, _ELEMENT_ARRAY_BUFFER = 34962, 34963
_COMPONENTS = {"f4": 5126, "u4": 5125, "u2": 5123}
_LINEAR, _MIPMAPS, _CLAMP = 9729, 9987, 33071
"""Of samplers: linear magnification, minification with mipmaps, no repetition."""


@dataclass(frozen=True, kw_only=True)
class TexturedMesh:
    """Triangles with one texture."""

    name: str
    positions: NDArray[np.float32]
    """`(n, 3)`"""
    texture_coordinates: NDArray[np.float32]
    """`(n, 2)`, 0 … 1 from the left and from the top."""
    triangles: NDArray[np.uint32]
    """`(m, 3)`, counter-clockwise from the front."""
    jpeg: bytes
    extras: Mapping[str, Any]
    """What else is told of it."""


def glb(meshes: Sequence[TexturedMesh], *, scale: float, translation: Sequence[float], extras: Any) -> Iterator[bytes]:
    """The file piece by piece; all meshes hang on one node that is scaled, then moved. `extras` are the asset's."""
    binary = _Binary()
    primitives = [_primitive(binary, number, mesh) for number, mesh in enumerate(meshes)]
    images = [binary.view(mesh.jpeg) for mesh in meshes]
    document = {
        "asset": {"version": "2.0", "generator": "WWZD", "extras": extras},
        "extensionsUsed": ["KHR_materials_unlit"],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [
            {
                "name": "cloud",
                "scale": [scale] * 3,
                "translation": list(translation),
                "children": list(range(1, len(meshes) + 1)),
            },
            *({"name": mesh.name, "mesh": number} for number, mesh in enumerate(meshes)),
        ],
        "meshes": [
            {"name": mesh.name, "primitives": [primitive], "extras": mesh.extras}
            for mesh, primitive in zip(meshes, primitives, strict=True)
        ],
        "materials": [_material(number, mesh.name) for number, mesh in enumerate(meshes)],
        "textures": [{"sampler": 0, "source": number} for number in range(len(meshes))],
        "images": [{"bufferView": view, "mimeType": "image/jpeg"} for view in images],
        "samplers": [{"magFilter": _LINEAR, "minFilter": _MIPMAPS, "wrapS": _CLAMP, "wrapT": _CLAMP}],
        "accessors": binary.accessors,
        "bufferViews": binary.views,
        "buffers": [{"byteLength": binary.length}],
    }
    text = orjson.dumps(document)
    text += b" " * (-len(text) % 4)
    yield struct.pack("<III", _MAGIC, _VERSION, 12 + 8 + len(text) + 8 + binary.length)
    yield struct.pack("<II", len(text), _JSON) + text
    yield struct.pack("<II", binary.length, _BIN)
    yield from binary.pieces


def _material(texture: int, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "pbrMetallicRoughness": {
            "baseColorTexture": {"index": texture},
            "metallicFactor": 0,
            "roughnessFactor": 1,
        },
        "extensions": {"KHR_materials_unlit": {}},
        "doubleSided": True,
    }


def _primitive(binary: "_Binary", number: int, mesh: TexturedMesh) -> dict[str, Any]:
    bounds = {"min": mesh.positions.min(axis=0).tolist(), "max": mesh.positions.max(axis=0).tolist()}
    return {
        "attributes": {
            "POSITION": binary.accessor(mesh.positions, "VEC3", "f4", _ARRAY_BUFFER, **bounds),
            "TEXCOORD_0": binary.accessor(mesh.texture_coordinates, "VEC2", "f4", _ARRAY_BUFFER),
        },
        "indices": binary.accessor(
            mesh.triangles.reshape(-1), "SCALAR", "u2" if len(mesh.positions) < 2**16 else "u4", _ELEMENT_ARRAY_BUFFER
        ),
        "material": number,
    }


class _Binary:
    """The one buffer, and the views of it."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.length = 0
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def view(self, data: bytes, target: int | None = None) -> int:
        padding = b"\0" * (-len(data) % 4)
        found = {"buffer": 0, "byteOffset": self.length, "byteLength": len(data)}
        self.views.append(found if target is None else found | {"target": target})
        self.pieces += [data, padding]
        self.length += len(data) + len(padding)
        return len(self.views) - 1

    def accessor(self, array: NDArray[Any], kind: str, component: str, target: int, **bounds: Iterable[float]) -> int:
        view = self.view(np.ascontiguousarray(array, f"<{component}").tobytes(), target)
        found = {"bufferView": view, "componentType": _COMPONENTS[component], "count": len(array), "type": kind}
        self.accessors.append(found | bounds)
        return len(self.accessors) - 1
