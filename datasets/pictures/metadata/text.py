"""The bytes of a file of metadata → its text, whatever program wrote it: UTF-8, UTF-16, UTF-32 or a code page.

A code page is told by the names of the pictures, where any of them has a letter beyond ASCII and stands in the file,
else by charset-normalizer.
"""

import codecs
import re
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import PurePosixPath

from charset_normalizer import from_bytes

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CODE_PAGES = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257"),
    *("iso8859_2", "iso8859_5", "iso8859_9", "iso8859_15", "koi8_r", "cp852", "cp850", "cp437", "cp866"),
    *("mac_roman", "mac_latin2", "cp932", "euc_jp", "gb18030", "big5", "euc_kr"),
]
"""Of equally good ones the first counts."""
_COMMON, _HANDICAP = {"cp1252", "cp1250", "cp1251", "cp932"}, 0.15
"""What files of this kind mostly are, and how much more of a mess they may be and still be likelier than the others."""
_OF_TWO_BYTES = {"cp932", "euc_jp", "gb18030", "big5", "euc_kr"}
_AMID_LETTERS = re.compile(r"[^\W\d_][¹³¿£¥¯¼¾]|[¹³¿£¥¯¼¾][^\W\d_]")
"""What Polish, Czech and Hungarian letters of CP1250 look like in CP1252."""
_MIXED = re.compile(r"[A-Za-z][\u0370-\u06ff]|[\u0370-\u06ff][A-Za-z]")
"""Latin letters and those of another alphabet in one word."""
_SAMPLE = 2**15
"""Bytes of lines beyond ASCII that are looked at."""
_WITNESSES = 50
"""Names that are looked for."""
_BAD_SHARE = 0.3
"""Of the characters beyond ASCII that may be bad in UTF-8 for it to be UTF-8 all the same."""


def decoded(data: bytes, names: Sequence[str]) -> tuple[str, list[str]]:
    """The text without marks and zeros, and what there is to remark. `names` are the pictures'."""
    text, remarks = _decoded(data, names)
    text = text.lstrip("\ufeff").replace("\0", "")
    return text.replace("\r\n", "\n").replace("\r", "\n"), remarks


def _decoded(data: bytes, names: Sequence[str]) -> tuple[str, list[str]]:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _lenient(data[len(mark) :], encoding)
    if encoding := _of_two_bytes(data[:4096]):
        return _lenient(data, encoding)
    try:
        return data.decode(), []
    except UnicodeDecodeError:
        pass
    text, remarks = _lenient(data, "utf-8")
    beyond = sum(len(found) for found in re.findall(r"[^\x00-\x7f]+", text))
    if text.count("\ufffd") <= _BAD_SHARE * beyond:
        return text, remarks
    encoding = _code_page(data, names)
    text, bad = _lenient(data, encoding)
    return text, [f"it is not UTF-8 and was read as {encoding}", *bad]


def _lenient(data: bytes, encoding: str) -> tuple[str, list[str]]:
    text = data.decode(encoding, "replace")
    bad = text.count("\ufffd")
    return text, [f"{bad} of its characters cannot be read"] if bad else []


def _of_two_bytes(start: bytes) -> str:
    """UTF-16 without a mark: every other byte of what is ASCII is zero. Empty for anything else."""
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) < len(start) / 20 or min(even, odd) > max(even, odd) / 10:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _code_page(data: bytes, names: Sequence[str]) -> str:
    guessed = _guesses(data)
    order = [*guessed, *(name for name in _CODE_PAGES if name not in guessed)]
    witnesses = list(islice(_beyond_ascii(names), _WITNESSES))
    found = {encoding: _found(data, witnesses, encoding) for encoding in order} if witnesses else {}
    return max(order, key=lambda encoding: found.get(encoding, 0))


def _beyond_ascii(names: Iterable[str]) -> Iterable[str]:
    return (PurePosixPath(name).stem for name in names if not name.isascii())


def _found(data: bytes, stems: Iterable[str], encoding: str) -> int:
    """How many of the names stand in the file, were it of this encoding."""
    count = 0
    for stem in stems:
        try:
            count += stem.encode(encoding) in data
        except UnicodeEncodeError:
            continue
    return count


def _guesses(data: bytes) -> list[str]:
    """What the detector thinks of the lines that tell something, the likeliest first."""
    lines = b"\n".join(islice(re.findall(rb"[^\r\n]*[\x80-\xff][^\r\n]*", data[: 2**20]), 500))[:_SAMPLE]
    found = {match.encoding: match for match in from_bytes(lines, cp_isolation=list(_CODE_PAGES), threshold=0.4)}

    def rank(encoding: str) -> tuple[bool, bool, float, float, bool, int]:
        """In a short text the detector sees Chinese in any two bytes, and CP1250 and CP1252 are one to it."""
        match = found[encoding]
        unlikely = encoding in _OF_TWO_BYTES and not match.coherence
        mess = match.chaos + (0 if encoding in _COMMON else _HANDICAP)
        text = lines.decode(encoding, "replace")
        mixed, symbols = bool(_MIXED.search(text)), bool(_AMID_LETTERS.search(text))
        return unlikely, mixed, mess, -match.coherence, symbols, _CODE_PAGES.index(encoding)

    return sorted(set(found) & set(_CODE_PAGES), key=rank)
