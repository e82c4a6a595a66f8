"""A configuration of the projector that cannot be used → the files that are left to be read as those of any ZIP."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from datasets.errors import ApiError
from datasets.pictures.zip_layout import Located, named_as_picture

from . import config, folder
from .config import BadConfig
from .folder import Files

_SPRITE = re.compile(r"(^|[^a-z])sprites?[^a-z]*$")
"""What the stem of a sprite's name ends with: TensorFlow and PyTorch write `sprite.png`, others `mnist_sprite.png`."""

_QUOTED = re.compile(r""""[^"\n]*"|'[^'\n]*'""")
_FOLDERS = re.compile(r".*[/\\]")


@dataclass(frozen=True, kw_only=True)
class Rest:
    """What is in a ZIP beside the configuration."""

    files: list[Located]
    """All but the configuration and the sprites, which would be taken for one large picture."""
    aside: list[tuple[str, str]]
    """Path and reason of those."""


def rest(among: Sequence[Located], of: Located, files: Files, fault: ApiError) -> Rest:
    """Of the files of a ZIP, where the configuration `of` is not used because of a fault."""
    sprites = _sprites(of, files)
    reason = "it is the sprite of the Embedding Projector, whose configuration was not used"
    aside = [(of.path, f"it was not used: {fault}"), *((path, reason) for path in sorted(sprites))]
    return Rest(files=[file for file in among if file.path != of.path and file.path not in sprites], aside=aside)


def _sprites(of: Located, files: Files) -> set[str]:
    """As far as they can be told: by the configuration, as far as that can be read, or by their names."""
    text = _text(of, files)
    try:
        named = {files.find(each.sprite, of) for each in config.embeddings(text) if each.sprite}
    except BadConfig:
        named = set()
    quoted = {_FOLDERS.sub("", text[1:-1]) for text in _QUOTED.findall(text)}
    return {
        file.path
        for file in files.visible
        if named_as_picture(file.name)
        and (file.path in named or file.name in quoted or _SPRITE.search(file.name.rpartition(".")[0].casefold()))
    }


def _text(of: Located, files: Files) -> str:
    try:
        return folder.text_of(of, files)
    except Exception:  # damaged in the ZIP or too long, which is why it is not used
        return ""
