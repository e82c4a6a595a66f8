"""What a file says of pictures, without an upload."""

from typing import Any

from datasets.pictures.metadata import files
from datasets.pictures.metadata.files import Described

ANIMALS = ["ant.png", "bee.png", "cat.png", "dog.png"]
KINDS = [{"kind": f"k{number}"} for number in range(4)]
"""What most files here say of them."""


def read(content: bytes | str, pictures: list[str] = ANIMALS, file: str = "metadata.csv") -> Described:
    data = content.encode() if isinstance(content, str) else content
    return files.read(data, file, pictures)


def values(content: bytes | str, pictures: list[str] = ANIMALS, file: str = "metadata.csv") -> list[dict[str, Any]]:
    """Of each picture, field → value."""
    table = read(content, pictures, file).table
    return [table.row(row) for row in range(len(pictures))]
