"""The files of a ZIP → which of them are the projector's configuration, vectors, metadata and sprite.

Written for what TensorBoard 2 and PyTorch's `SummaryWriter.add_embedding` read and write, and for the JSON of the
standalone projector. Of several configurations the one nearest to the top counts, and of its embeddings the first.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from datasets.errors import ApiError, TooLarge
from datasets.pictures import zip_layout
from datasets.pictures.metadata.text import decoded
from datasets.pictures.zip_layout import Located

from . import config, labels
from .config import BadConfig, Embedding
from .labels import Labels

_MAYBE = "config.json"
"""What a standalone configuration may be called, and many other files."""
_CALLED = ("projector_config.pbtxt", "projector_config.json", _MAYBE)
_LONGEST = 2**20
"""Bytes of a configuration."""
_LARGEST = 16 * 2**20
"""Bytes of metadata, as of other ZIPs."""
_TEXTS = (".tsv", ".txt", ".csv", ".tab")
"""Endings of vectors that are written as text; others are bytes."""


@dataclass(frozen=True, kw_only=True)
class ProjectorFolder:
    """What belongs together. Files are told by their paths in the ZIP."""

    config: str
    embedding: Embedding
    embeddings: int
    """How many the configuration names."""
    tensors: str
    metadata: str | None
    sprite: str | None
    rows: int
    """Of the vectors, as far as that is known before they are read."""
    pictures: list[str]
    """Other pictures of the ZIP."""
    others: list[str]

    @property
    def is_text(self) -> bool:
        """Whether the vectors are written as text."""
        return self.tensors.lower().endswith(_TEXTS)


class Files:
    """The files of a ZIP by their paths, and how each is read."""

    def __init__(
        self, files: Sequence[Located], read: Callable[[str], bytes], size: Callable[[str], int], most: int
    ) -> None:
        """`most` is the number of rows that there may be."""
        self.visible = [file for file in files if zip_layout.hidden(file) is None]
        self.hidden = [file.path for file in files if zip_layout.hidden(file) is not None]
        self.read, self.size, self.most = read, size, most
        self._by_parts: dict[tuple[str, ...], str] = {}
        self._by_name: dict[str, list[str]] = {}
        for file in self.visible:
            self._by_parts.setdefault(file.parts, file.path)
            self._by_name.setdefault(file.name, []).append(file.path)

    def find(self, path: str, config: Located) -> str | None:
        """The file that a configuration names: by the path from its folder; else, as paths may be of another machine or
        addresses, the only one of its name."""
        slashed = unicodedata.normalize("NFC", path).replace("\\", "/")
        parts = [part for part in slashed.split("/") if part not in ("", ".")]
        if found := self._by_parts.get((*config.folder, *parts)):
            return found
        called = self._by_name.get(parts[-1], []) if parts else []
        return called[0] if len(called) == 1 else None


def config_among(files: Sequence[Located]) -> Located | None:
    """The configuration that counts, or what may be one."""
    found = [file for file in files if file.parts[-1] in _CALLED and zip_layout.hidden(file) is None]
    return min(found, key=lambda file: (_CALLED.index(file.name), len(file.folder), file.folder), default=None)


def opened(file: Located, files: Files) -> ProjectorFolder | None:
    """Of the configuration in a file; None where a file that may be one is none. Raises `ApiError`."""
    try:
        found = config.embeddings(text_of(file, files))
    except BadConfig as error:
        if file.name == _MAYBE:
            return None
        sentence = f"{file.path[:200]} cannot be used: {error}. Mend it, or take it out of the ZIP."
        raise ApiError(sentence, code="projector-config", name=file.path[:200]) from error
    first = found[0]
    tensors, metadata, sprite = (
        _named(path, file, files) if path else None for path in (first.tensors, first.metadata, first.sprite)
    )
    assert tensors is not None
    sprites = {path for each in found if each.sprite and (path := files.find(each.sprite, file))}
    rest = [other for other in files.visible if other.path not in {file.path, tensors, metadata, sprite}]
    pictures = [other.path for other in rest if zip_layout.named_as_picture(other.name) and other.path not in sprites]
    known = {*pictures}
    folder = ProjectorFolder(
        config=file.path,
        embedding=first,
        embeddings=len(found),
        tensors=tensors,
        metadata=metadata,
        sprite=sprite,
        rows=0,
        pictures=pictures,
        others=[*(other.path for other in rest if other.path not in known), *files.hidden],
    )
    return replace(folder, rows=_rows(folder, files))


def text_of(file: Located, files: Files) -> str:
    """Of a configuration. Raises `BadConfig` where it is too long."""
    if files.size(file.path) > _LONGEST:
        raise BadConfig(f"it is larger than {_LONGEST // 2**10} KiB")
    return files.read(file.path).decode(errors="replace")


def unreadable(config: str, error: Exception) -> ApiError:
    """What is said where a file that the configuration names cannot be read from the ZIP."""
    sentence = f"The Embedding Projector's files in the ZIP cannot be read: {error}."
    return ApiError(sentence, code="projector-config", name=config[:200])


def labels_of(folder: ProjectorFolder, read: Callable[[str], bytes], size: Callable[[str], int]) -> Labels | None:
    """Its metadata, if there is any. Raises `ApiError`."""
    if folder.metadata is None:
        return None
    if size(folder.metadata) > _LARGEST:
        limit = f"{_LARGEST // 2**20} MiB"
        raise TooLarge(f"{folder.metadata[:200]} is over the limit of {limit}.", code="zip-too-large", limit=limit)
    text, _ = decoded(read(folder.metadata), [])
    return labels.read(text)


def _rows(folder: ProjectorFolder, files: Files) -> int:
    shape = folder.embedding.shape
    if not folder.is_text:
        if len(shape) != 2:
            sentence = (
                f"{folder.config[:200]} does not say the shape of {folder.tensors[:200]}: give tensor_shape twice, "
                "the number of rows and of numbers in each."
            )
            raise ApiError(sentence, code="projector-config", name=folder.config[:200])
        count = files.size(folder.tensors) // (4 * shape[1])
    elif found := labels_of(folder, files.read, files.size):
        count = len(found.rows)
    else:
        count = sum(1 for line in files.read(folder.tensors).split(b"\n") if line.strip())
    if count > files.most:
        sentence = f"{folder.tensors[:200]} has {count:,} rows; the limit is {files.most:,}."
        raise TooLarge(sentence, code="zip-entries", limit=files.most)
    return count


def _named(path: str, config: Located, files: Files) -> str:
    """The path in the ZIP of a file that the configuration names. Raises `ApiError`."""
    found = files.find(path, config)
    if found is None:
        sentence = (
            f"{config.path[:200]} names {path[:200]}, which the ZIP does not have: put it in, beside {config.name}."
        )
        raise ApiError(sentence, code="projector-file", name=path[:200])
    return found
