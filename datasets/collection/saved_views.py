"""Views that people saved: a small JSON file beside the collection, which itself never changes.

    {"format": 1, "views": [{"id": "5d5a36a7b315", "name": "Cats", "note": "…", "state": "view=pca&camera=…"}, …]}

A view's state is the page's affair: what its address holds, as text. The order of the list is that of the views.
"""

import hashlib
import json
import re
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from datasets.errors import ApiError, PreconditionFailed
from embeddings.vector_files import replacing

FILE = "saved_views.json"
"""In an upload's folder."""
FORMAT = 1
MOST = 100
"""Views of a collection."""
ID = re.compile("[0-9a-f]{12}")

_writing = threading.Lock()
"""The web process alone writes them, in several threads."""


@dataclass(frozen=True, kw_only=True)
class SavedView:
    """What was seen of a collection."""

    id: str
    name: str
    note: str
    state: str


LENGTHS = {"name": 80, "note": 2000, "state": 80_000}
"""Characters at most. A state may hold two sets of 200,000 rows, as a bit for each."""
_KEYS = {field.name for field in fields(SavedView)}
_SENTENCE = (
    f"Send an object with “views”, a list of at most {MOST} objects, and nothing else. Each has a “name” of at most "
    f"{LENGTHS['name']} characters, a “note” of {LENGTHS['note']}, a “state” of {LENGTHS['state']}, and may have the "
    "“id” that it was given, 12 hexadecimal digits."
)


def read(path: Path) -> list[SavedView]:
    """All of them; none where the file is missing, damaged or of another format."""
    try:
        stored = json.loads(path.read_text())
        return [SavedView(**view) for view in stored["views"]] if stored["format"] == FORMAT else []
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        return []


def etag(views: Sequence[SavedView]) -> str:
    """Equal lists have equal ones."""
    return f'"{hashlib.sha256(_encoded(views)).hexdigest()[:32]}"'


def store(path: Path, views: Sequence[SavedView], holds: Callable[[str], bool]) -> None:
    """Put these in place of those that are there, if `holds` of their tag. Raises `PreconditionFailed`."""
    with _writing:
        if not holds(etag(read(path))):
            raise PreconditionFailed(
                "These views were changed meanwhile: fetch them again, and send your change to what is there now."
            )
        with replacing(path) as file:
            file.write(_encoded(views))


def _encoded(views: Sequence[SavedView]) -> bytes:
    content = {"format": FORMAT, "views": [asdict(view) for view in views]}
    return json.dumps(content, ensure_ascii=False).encode()


def check(data: Any) -> list[SavedView]:
    """The views in the body of a request, each with an id of its own. Raises `ApiError`."""
    listed = data.get("views") if isinstance(data, dict) and set(data) == {"views"} else None
    if not isinstance(listed, list) or len(listed) > MOST:
        raise _invalid("views")
    found: list[SavedView] = []
    taken: set[str] = set()
    for number, entry in enumerate(listed):
        view = _checked(entry, number)
        if not view.id or view.id in taken:
            view = replace(view, id=secrets.token_hex(6))
        taken.add(view.id)
        found.append(view)
    return found


def _checked(entry: Any, number: int) -> SavedView:
    where = f"views[{number}]"
    if not isinstance(entry, dict) or not LENGTHS.keys() <= entry.keys() <= _KEYS:
        raise _invalid(where)
    for key, most in LENGTHS.items():
        if not isinstance(entry[key], str) or len(entry[key]) > most:
            raise _invalid(f"{where}.{key}")
    known = entry.get("id", "")
    if "id" in entry and (not isinstance(known, str) or not ID.fullmatch(known)):
        raise _invalid(f"{where}.id")
    note = "\n".join(_line(line) for line in entry["note"].splitlines())
    return SavedView(id=known, name=_line(entry["name"]), note=note.strip(), state=_line(entry["state"]))


def _line(text: str) -> str:
    """Without characters that nothing shows, among them halves of surrogates, which no file can hold."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _invalid(name: str) -> ApiError:
    return ApiError(f"“{name}” cannot be taken. {_SENTENCE}", code="parameter-invalid", name=name)
