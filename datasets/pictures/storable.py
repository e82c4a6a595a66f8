"""Text that others have written → text that every database stores."""

from typing import Any, TypeVar

T = TypeVar("T")


def storable(value: T) -> T:
    """Without NUL and halves of characters, which JSON can spell and databases do not store; lists and objects, too."""
    plain: Any = value
    if isinstance(value, str):
        plain = value.replace("\0", "")
        plain = plain if plain.isascii() else plain.encode(errors="replace").decode()
    elif isinstance(value, dict):
        plain = {storable(key): storable(each) for key, each in value.items()}
    elif isinstance(value, list | tuple):
        plain = [storable(each) for each in value]
    return plain  # type: ignore[no-any-return]
