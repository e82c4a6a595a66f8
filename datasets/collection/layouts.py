"""The layouts that a collection has beside PCA and UMAP, and what is measured of all of them: files in its folder.

layouts/<name>.npy            `(n, 2 or 3) float32`
layouts/<name>.json           what it is; written last, and removed first
layouts/<name>-quality.npz    `distortion`, `(n,) float32`
layouts/<name>-quality.json   how far the layout can be trusted; written last
"""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embeddings.reducers import REDUCERS
from embeddings.vector_files import Vectors, replacing, save

from .folder import CollectionFolder, link

FORMAT = 1
"""Of both cards. One of another format is passed over, and computed anew when it is asked for."""

_NAME = re.compile(r"[a-z]+(-[a-z0-9]+)*-[0-9a-f]{6}")
"""What `embeddings.layouts.layout_name` makes."""


@dataclass(frozen=True, kw_only=True)
class LayoutCard:
    """What a layout is."""

    name: str
    kind: str
    parameters: dict[str, Any]
    dimensions: int
    seconds: float
    versions: dict[str, str]
    created: float
    """Seconds since 1970."""
    placed: int = 0
    """How many of its last pictures were placed in it after it had been computed."""

    @property
    def version(self) -> str:
        """Another one whenever it was computed anew."""
        return f"{self.name}-{self.created:.3f}"

    @property
    def supervised_by(self) -> str | None:
        """The field that drew pictures together, if one did."""
        return self.parameters.get("target")


def is_name(name: str) -> bool:
    return len(name) <= 80 and _NAME.fullmatch(name) is not None


def cards(folder: CollectionFolder) -> list[LayoutCard]:
    """Of all that are there, the oldest first."""
    names = [path.stem for path in folder.layouts.glob("*.json")]
    found = [card for name in names if (card := card_of(folder, name))]
    return sorted(found, key=lambda card: (card.created, card.name))


def card_of(folder: CollectionFolder, name: str) -> LayoutCard | None:
    content = _read(_card_path(folder, name)) if is_name(name) else None
    # Cards from before had what their kind says now.
    return LayoutCard(**{key: content[key] for key in content.keys() - {"can_place"}}) if content else None


def store(folder: CollectionFolder, card: LayoutCard, places: Vectors) -> None:
    save(folder.layout_path(card.name), places)
    _write(_card_path(folder, card.name), asdict(card))


def share(folder: CollectionFolder, name: str, target: CollectionFolder) -> None:
    """Link a layout, and what was measured of it, to another collection of the same rows.

    Raises `FileNotFoundError` where it has just been deleted.
    """
    measured = [path for path in (_distortion_path(folder, name), _quality_card_path(folder, name)) if path.exists()]
    for path in (folder.layout_path(name), *measured, _card_path(folder, name)):
        link(path, target.layouts / path.name)


def is_further(name: str) -> bool:
    """Whether a file of this name in the folder of layouts belongs to one of these: they come and go."""
    return is_name(name.partition(".")[0].removesuffix("-quality"))


def remove(folder: CollectionFolder, name: str) -> None:
    """With what was measured of it, and its tiles of points. The card goes first."""
    for path in (
        _card_path(folder, name),
        _quality_card_path(folder, name),
        *folder.point_paths(name),
        folder.layout_path(name),
        _distortion_path(folder, name),
    ):
        path.unlink(missing_ok=True)


def places(folder: CollectionFolder, name: str) -> Vectors:
    """`(n, 2 or 3) float32`, memory-mapped. Raises `FileNotFoundError`."""
    if name not in REDUCERS and not is_name(name):
        raise FileNotFoundError(name)
    return np.asarray(np.load(folder.layout_path(name), mmap_mode="r", allow_pickle=False))


def quality_of(folder: CollectionFolder, name: str) -> dict[str, Any] | None:
    """What was measured of a layout, if it was."""
    content = _read(_quality_card_path(folder, name))
    return content and _UNKNOWN | content


_UNKNOWN: dict[str, Any] = {
    "stability": None,
    "other_seeds": 0,
    "seed": None,
    "parameters": {},
    "explained_variance": None,
    "supervised_by": None,
}
"""What was not measured before."""


def distortion(folder: CollectionFolder, name: str) -> Vectors:
    """`(n, 1) float32`. Raises `FileNotFoundError`."""
    with np.load(_distortion_path(folder, name), allow_pickle=False) as arrays:
        found: Vectors = arrays["distortion"][:, None]
        return found


def store_quality(folder: CollectionFolder, name: str, content: dict[str, Any], distortion: Vectors) -> None:
    with replacing(_distortion_path(folder, name)) as file:
        np.savez(file, distortion=distortion)
    _write(_quality_card_path(folder, name), content)


def _card_path(folder: CollectionFolder, name: str) -> Path:
    return folder.layouts / f"{name}.json"


def _quality_card_path(folder: CollectionFolder, name: str) -> Path:
    return folder.layouts / f"{name}-quality.json"


def _distortion_path(folder: CollectionFolder, name: str) -> Path:
    return folder.layouts / f"{name}-quality.npz"


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
        return content if content.pop("format") == FORMAT else None
    except (FileNotFoundError, ValueError, KeyError, AttributeError):
        return None


def _write(path: Path, content: dict[str, Any]) -> None:
    with replacing(path) as file:
        file.write(json.dumps({"format": FORMAT, **content}).encode())
