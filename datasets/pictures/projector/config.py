"""The text of `projector_config.pbtxt`, or of the standalone projector's JSON → what it says of its embeddings.

The names of the fields are those of TensorBoard's `projector_config.proto`; JSON writes `tensorPath` for `tensor_path`.
"""

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_BLANK = re.compile(r"(?:\s|#[^\n]*)*+")
_PIECE = re.compile(_BLANK.pattern + r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[\w.+-]+|[{}<>\[\]:,;])""")
_NAME = re.compile(r"[A-Za-z_]\w*")
_PUNCTUATION, _OPENING, _CLOSING = {":", ",", ";"}, {"{", "<"}, {"}", ">"}
_DEPTH = 20
"""Of messages in messages; the format has two."""

Message = dict[str, list[Any]]
"""Fields, each with all its values, by their names in lower case and without underscores."""


class BadConfig(ValueError):
    """The text cannot be used; the message says why, as the end of a sentence."""


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """One set of vectors, and what belongs to it. A path that is not said is empty."""

    tensors: str
    shape: tuple[int, ...]
    """`(n, d)`, where it is said."""
    metadata: str
    sprite: str
    cell: tuple[int, ...]
    """Width and height of a cell of the sprite."""


def embeddings(text: str) -> list[Embedding]:
    """All that have a file of vectors, in their order. Raises `BadConfig`."""
    message = _from_json(text) if text.lstrip()[:1] == "{" else _from_text(text)
    found = [entry for entry in message.get("embeddings", []) if isinstance(entry, dict)]
    if not found:
        raise BadConfig("it names no embeddings")
    named = [_embedding(entry) for entry in found]
    with_tensors = [embedding for embedding in named if embedding.tensors]
    if not with_tensors:
        raise BadConfig("none of its embeddings has a tensor_path: vectors of a checkpoint are not read")
    return with_tensors


def _embedding(entry: Message) -> Embedding:
    sprite = next((value for value in entry.get("sprite", []) if isinstance(value, dict)), {})
    return Embedding(
        tensors=_text(entry, "tensor_path"),
        shape=_numbers(entry, "tensor_shape"),
        metadata=_text(entry, "metadata_path"),
        sprite=_text(sprite, "image_path"),
        cell=_numbers(sprite, "single_image_dim"),
    )


def _text(message: Message, name: str) -> str:
    """The last value counts, as in the format."""
    values = message.get(_key(name), [""])
    return values[-1].strip() if isinstance(values[-1], str) else ""


def _numbers(message: Message, name: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(value) for value in message.get(_key(name), []))
    except (TypeError, ValueError, OverflowError):
        raise BadConfig(f"its {name} is not made of whole numbers") from None
    if any(not 0 < number < 2**32 for number in numbers):
        raise BadConfig(f"its {name} is not made of numbers from 1 on")
    return numbers


def _from_json(text: str) -> Message:
    try:
        return _lower(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise BadConfig(f"it is no JSON ({' '.join(str(error).split())[:100]})") from None


def _lower(data: Mapping[str, Any]) -> Message:
    message: Message = {}
    for name, value in data.items():
        values = value if isinstance(value, list) else [value]
        message[_key(name)] = [_lower(each) if isinstance(each, dict) else each for each in values if each is not None]
    return message


def _from_text(text: str) -> Message:
    """Of the text form of protocol buffers."""
    root: Message = {}
    inside = [root]
    name = ""
    pieces = _pieces(text)
    for piece in pieces:
        if piece in _PUNCTUATION:
            continue
        if piece in _CLOSING and not name:
            inside.pop()
            if not inside:
                raise BadConfig("it closes more braces than it opens")
        elif not name:
            if not _NAME.fullmatch(piece):
                raise BadConfig(f"{piece[:40]} stands where a field's name should")
            name = _key(piece)
        elif piece in _CLOSING:
            raise BadConfig(f"{piece} stands where a value should")
        else:
            values = inside[-1].setdefault(name, [])
            name = ""
            if piece in _OPENING:
                values.append({})
                inside.append(values[-1])
            elif piece == "[":
                values.extend(_listed(pieces))
            else:
                values.append(_value(piece))
        if len(inside) > _DEPTH:
            raise BadConfig("its braces are nested too deeply")
    if len(inside) > 1 or name:
        raise BadConfig("it ends in the middle")
    return root


def _listed(pieces: Iterator[str]) -> Iterator[str]:
    for piece in pieces:
        if piece == "]":
            return
        if piece not in _PUNCTUATION:
            yield _value(piece)


def _pieces(text: str) -> Iterator[str]:
    end = 0
    while found := _PIECE.match(text, end):
        end = found.end()
        yield found[1]
    rest = _BLANK.sub("", text[end:], count=1)
    if rest:
        raise BadConfig(f"it cannot be read at {' '.join(rest.split())[:40]}")


def _value(piece: str) -> str:
    if piece[0] not in "\"'":
        return piece
    try:
        raw, _ = codecs.escape_decode(piece[1:-1].encode())
    except ValueError:
        raise BadConfig(f"{piece[:40]} is no text") from None
    return bytes(raw).decode(errors="replace")


def _key(name: str) -> str:
    return name.replace("_", "").lower()
