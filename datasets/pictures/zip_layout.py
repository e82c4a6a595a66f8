"""Where the files of a ZIP lie → which of them are the pictures, and why the others are not."""

import mimetypes
import unicodedata
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from . import pixplot
from .zip_directory import Entry

METADATA = ("metadata.csv", "metadata.json", "metadata.jsonl", "metadata.tsv")
"""What the file that says something of the pictures is called, in any case of letters; the first one counts."""
VECTORS = ("vectors.npy", "vectors.parquet")
"""What the file of vectors that take the place of the network's is called, as above."""
# Python's own table, without the operating system's: the same archive is judged alike on every machine.
_TYPES = mimetypes.MimeTypes()
_MACHINES_OWN = {"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information"}
"""Folders that operating systems add, full of what only looks like pictures."""
_BEGINNINGS = (
    *(b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"),
    *(b"\xff\x0a", b"\0\0\0\x0cJXL ", b"P4", b"P5", b"P6"),
)
_DOUBTFUL = 100
"""So many files without a picture's ending are looked into; more of them are no accident beside a folder."""


@dataclass(frozen=True, slots=True)
class Located:
    """A file or folder of a ZIP, and where it would be unpacked to."""

    path: str
    """As the archive says it."""
    parts: tuple[str, ...]
    """Folders, then the file's name; composed (NFC)."""
    exact: tuple[str, ...]
    """The same as it was written."""
    is_folder: bool
    entry: Entry

    @property
    def name(self) -> str:
        return self.parts[-1]

    @property
    def folder(self) -> tuple[str, ...]:
        return self.parts[:-1]


@dataclass(kw_only=True)
class Layout:
    pictures: dict[str, Entry] = field(default_factory=dict)
    """What may be pictures, by name without folders."""
    folder: str = ""
    """Where they lie, unless at the top level."""
    metadata: tuple[str, Entry] | None = None
    vectors: tuple[str, Entry] | None = None
    picture_vectors: dict[str, Entry] = field(default_factory=dict)
    """Files with one vector each, by the names of the pictures that they are of."""
    replaced: list[str] = field(default_factory=list)
    """Names of files that a later one of exactly the same name replaces."""
    left: list[tuple[str, str]] = field(default_factory=list)
    """Path and reason of each file that is not taken."""
    elsewhere: int = 0
    """Pictures, by their endings, in visible folders that are not taken."""
    folders: list[str] = field(default_factory=list)
    """Visible folders with pictures."""


def named_as_picture(name: str) -> bool:
    """Whether the file's ending promises a picture."""
    return (_kind(name) or "").startswith("image/")


def may_be_picture(name: str) -> bool:
    """Not ruled out by its ending: pictures are known by their content, and some have no ending at all."""
    kind = _kind(name)
    return kind is None or kind.startswith("image/")


def begins_as_picture(content: bytes) -> bool:
    """Whether the first bytes are those of a picture."""
    riff = content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    return riff or content[4:8] == b"ftyp" or content.startswith(_BEGINNINGS)


def located(path: str, entry: Entry) -> Located:
    """Some tools write a slash or `./` in front, some of Windows' backslashes."""
    slashed = path.replace("\\", "/")
    if path and "/" not in slashed and path != ".":
        exact: tuple[str, ...] = (path,)
        return Located(path, exact if path.isascii() else (unicodedata.normalize("NFC", path),), exact, False, entry)
    exact = tuple(part for part in slashed.split("/") if part not in ("", "."))
    composed = tuple(unicodedata.normalize("NFC", part) for part in exact)
    return Located(path, composed, exact, slashed.endswith("/") or not exact, entry)


def laid_out(files: Sequence[Located], begins: Callable[[Entry], bool]) -> Layout:
    """Choose the level that counts as the top, and what is taken there. `begins` looks into a file."""
    layout = Layout()
    named: dict[tuple[str, ...], int] = {}
    for file in files:
        if hidden(file) is None and named_as_picture(file.name):
            named[file.folder] = named.get(file.folder, 0) + 1
    layout.folders = sorted("/".join(folder) for folder in named if folder)
    top: tuple[str, ...] = ()
    if len(named) == 1 and () not in named and not _has_unnamed_picture(files, begins):
        top = min(named)
    if plot := pixplot.originals(file.parts for file in files):
        top = plot
        named = {folder: count for folder, count in named.items() if folder == plot}  # the others are made of these
        for file in files:
            if (name := pixplot.pictured(file.parts, plot)) is not None:
                layout.picture_vectors[name] = file.entry
    layout.folder = "/".join(top)
    layout.elsewhere = sum(count for folder, count in named.items() if folder != top)
    _take(files, top, layout)
    return layout


def _take(files: Sequence[Located], top: tuple[str, ...], layout: Layout) -> None:
    taken: dict[tuple[str, ...], str] = {}
    notes: dict[tuple[int, int], tuple[str, Entry]] = {}
    vectors: dict[tuple[int, int], tuple[str, Entry]] = {}
    for file in files:
        why, lower = hidden(file), file.name.lower()
        is_above = why is None and file.folder == top[: len(file.folder)]
        if is_above and lower in METADATA:
            notes[-len(file.folder), METADATA.index(lower)] = file.name, file.entry  # the nearest one counts
        elif is_above and lower in VECTORS:
            vectors[-len(file.folder), VECTORS.index(lower)] = file.name, file.entry
        elif why is not None or file.folder != top:
            layout.left.append((file.path, why or "it lies in a folder"))
        elif not may_be_picture(file.name):
            layout.left.append((file.name, "its ending says that it is no picture"))
        elif file.exact in taken:
            layout.replaced.append(taken[file.exact])
            layout.pictures[taken[file.exact]] = file.entry
        else:
            taken[file.exact] = unlike(file.name, layout.pictures)
            layout.pictures[taken[file.exact]] = file.entry
    layout.metadata, layout.vectors = _first(notes, layout), _first(vectors, layout)


def _first(found: dict[tuple[int, int], tuple[str, Entry]], layout: Layout) -> tuple[str, Entry] | None:
    """The file that counts; the others are left."""
    if not found:
        return None
    first = found.pop(min(found))
    layout.left += [(name, f"{first[0]} is taken") for name, _ in found.values()]
    return first


def has_pictures(layout: Layout, begins: Callable[[Entry], bool]) -> bool:
    """Whether any of those that may be pictures is one, by its ending or, of the first ones, by its beginning."""
    if any(map(named_as_picture, layout.pictures)):
        return True
    return any(begins(entry) for entry in list(layout.pictures.values())[:_DOUBTFUL])


def nothing_found(layout: Layout) -> str:
    """The sentence on a ZIP of which no picture is taken."""
    if not layout.elsewhere:
        return "The ZIP has no pictures at its top level."
    shown = ", ".join(f"“{name[:60]}”" for name in layout.folders[:3]) + (" …" if len(layout.folders) > 3 else "")
    return (
        f"The ZIP has no pictures at its top level, but {layout.elsewhere} in {len(layout.folders)} folders ({shown}): "
        "zip the pictures themselves, or one folder of them."
    )


def _has_unnamed_picture(files: Sequence[Located], begins: Callable[[Entry], bool]) -> bool:
    """Whether a file at the top level is a picture although its ending does not say so."""
    doubtful = [file for file in files if not file.folder and hidden(file) is None and may_be_picture(file.name)]
    return len(doubtful) > _DOUBTFUL or any(begins(file.entry) for file in doubtful)


def unlike(name: str, others: Container[str]) -> str:
    """The name, or one like it: two names that are only written in two ways are two files where they come from."""
    stem, dot, ending = name.rpartition(".")
    copy = 2
    unlike = name
    while unlike in others:
        unlike = f"{stem} ({copy}){dot}{ending}" if stem else f"{name} ({copy})"
        copy += 1
    return unlike


def hidden(file: Located) -> str | None:
    """Why a file is not to be seen, wherever it lies."""
    if _MACHINES_OWN.intersection(file.folder):
        return "macOS added it" if "__MACOSX" in file.folder else "the operating system added it"
    if ".." in file.parts:
        return "its name leads out of the archive"
    return "it is hidden" if any(part.startswith(".") for part in file.parts) else None


def _kind(name: str) -> str | None:
    _, dot, ending = name.rpartition(".")
    if not dot or dot + ending in _TYPES.encodings_map:  # such as .gz, where the ending before it counts
        return _TYPES.guess_type(name, strict=False)[0]
    return _kind_of(ending)


@lru_cache(maxsize=1024)
def _kind_of(ending: str) -> str | None:
    return _TYPES.guess_type(f"x.{ending}", strict=False)[0]
