"""What files call pictures → which picture is meant: composed and in lower case, by a path's last part, by a stem."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote

_ENDINGS = (
    "jpg|jpeg|jpe|jfif|png|apng|gif|bmp|dib|tif|tiff|webp|avif|heic|heif|hif|jxl|jp2|j2k|j2c|jpf|jpx|ppm|pgm|pbm|pnm|pam"
    "|tga|ico|svg|psd|raw|dng|cr2|cr3|nef|arw|orf|rw2|raf|pef|srw"
)
_PICTURE = re.compile(rf"[^\t;|\"\n]+\.({_ENDINGS})(?:[?#]\S*)?", re.IGNORECASE)
_OF_PICTURE = re.compile(rf"\.({_ENDINGS})$", re.IGNORECASE)
_ENDING = re.compile(r"\.(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{2,5}$")
EXACT, SAME, STEM = 0, 1, 2
"""How a name was recognised: letter by letter; composed, in lower case or in a path; without its ending."""
_AROUND = " \t\r\n\ufeff\u200b\"'`<>"
"""Characters that programs put around names."""
_MEMO = 100_000
_LONGEST = 4096
"""Characters of a name or an address."""


class PictureNames:
    """Recognises pictures by what files call them."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self._exact: dict[str, int] = {}
        self._same: dict[str, int] = {}
        self._stems: dict[str, int] = {}
        for row, name in enumerate(names):
            self._exact[name] = row
            base = _base(folded(name))
            _put(self._same, base, row)
            _put(self._stems, _ENDING.sub("", base), row)
        self._memo: dict[Any, tuple[int, int] | None] = {}

    def find(self, cell: Any) -> tuple[int, int] | None:
        """The row of the picture that a cell names, and how it was recognised; None for none, or for several."""
        if cell is None or isinstance(cell, bool | float):
            return None
        try:
            return self._memo[cell]
        except KeyError:
            if len(self._memo) >= _MEMO:
                self._memo.clear()
            found = self._memo[cell] = self._find(str(cell))
            return found

    def _find(self, text: str) -> tuple[int, int] | None:
        if (row := self._exact.get(text)) is not None:
            return row, EXACT
        if len(text) > _LONGEST:
            return None
        for base in _bases(text):
            if (row := self._exact.get(base)) is not None:
                return row, SAME
            same = folded(base)
            if (row := self._same.get(same)) is not None:
                return (row, SAME) if row >= 0 else None
            stem = _stem(same)
            if (row := self._stems.get(same, self._stems.get(stem) if stem else None)) is not None:
                return (row, STEM) if row >= 0 else None
        return None


def looks_like_file(cell: Any) -> bool:
    """Whether a cell is called as picture files are."""
    return isinstance(cell, str) and "." in cell and len(cell) < _LONGEST and bool(_PICTURE.fullmatch(cell.strip()))


def _put(known: dict[str, int], key: str, row: int) -> None:
    """Keep which row a name is of; −1 where it is of several."""
    known[key] = -1 if key in known else row


def folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _bases(text: str) -> Iterator[str]:
    """A path's last part without quotes around it, and, where it is an address, without what belongs to that alone."""
    base = _base(plain_path(text.strip(_AROUND)))
    if base:
        yield base
    if "?" in base or "#" in base or "%" in base:
        base = base.partition("#")[0].partition("?")[0]
        yield base
        yield _base(unquote(base))


def plain_path(text: str) -> str:
    return text.strip().replace("\\", "/")


def _base(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2].strip()


def _stem(base: str) -> str:
    """Without a picture's ending; empty where there is none: in `v1.2` the dot is the name's own."""
    found = _OF_PICTURE.search(base)
    return base[: found.start()] if found else ""
