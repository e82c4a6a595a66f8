"""The raw names in a ZIP → text, whatever made the archive.

Names are UTF-8 where they can be read so, whether the archive says it or not. The others are in the code page of the
machine that packed them, which no ZIP tells: cp437 by the book, unless that makes signs of them that no name has.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

from charset_normalizer import from_bytes

from .zip_directory import UTF8_NAME, Entry

_BY_THE_BOOK = "cp437"
# What Windows, DOS and their localised versions used; of equally good ones the first is taken.
_CODE_PAGES = [
    *("cp1252", "cp1250", "cp852", "cp850", "cp932", "gb18030", "big5", "cp949"),
    *("cp1251", "cp866", "cp1253", "cp737", "cp1254", "cp857", "cp1257", "cp775", "cp1255", "cp862", "cp1256", "cp874"),
    "koi8_r",
]
_EVIDENCE_BYTES = 16_384
# Which first bytes the common characters of the big code pages have, and the least second one.
_COMMON = {
    "gb18030": (0xB0, 0xD7, 0xA1),
    "big5": (0xA4, 0xC6, 0x40),
    "cp932": (0x88, 0x97, 0x40),
    "cp949": (0xB0, 0xC8, 0xA1),
}
_FAR_EAST = {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC"}
_WORDS = re.compile(rb"[^\x00-\x2e\x30-\x40\x5b\x5d-\x60\x7b-\x7f]*[\x80-\xff][^\x00-\x2e\x30-\x40\x7b-\x7f]*")


def decoded(entries: Sequence[Entry]) -> list[str]:
    """Each entry's name, in their order. One code page is chosen for all that need one: together they tell more."""
    names = [entry.unicode or _utf8(entry.raw) for entry in entries]
    if _by_chance([entry for entry in entries if entry.unicode is None and not entry.flags & UTF8_NAME], names):
        names = [
            name if entry.unicode or entry.flags & UTF8_NAME or entry.raw.isascii() else None
            for entry, name in zip(entries, names, strict=True)
        ]
    foreign = [entry.raw for entry, name in zip(entries, names, strict=True) if name is None]
    page = code_page(foreign)
    return [_by(page, entry.raw) if name is None else name for entry, name in zip(entries, names, strict=True)]


def _by_chance(unsaid: Sequence[Entry], names: Sequence[str | None]) -> bool:
    """Whether those that can be read as UTF-8 are it by chance only: most others of the archive are not."""
    if None not in names:
        return False
    unsaid = [entry for entry in unsaid if not entry.raw.isascii()]
    foreign = sum(_utf8(entry.raw) is None for entry in unsaid)
    return foreign >= len(unsaid) - foreign


def code_page(names: Sequence[bytes]) -> str:
    """The encoding of names that are no UTF-8."""
    words = list(dict.fromkeys(word for name in names for word in _WORDS.findall(name)))
    if not any(_oddity(word.decode(_BY_THE_BOOK)) for word in words):
        return _BY_THE_BOOK
    evidence, length = [], 0
    for word in words:
        evidence.append(word)
        if (length := length + len(word) + 1) > _EVIDENCE_BYTES:
            break
    joined = b"\n".join(evidence)
    oddities = {page: _mean_oddity(joined, page) for page in _CODE_PAGES}
    least = min(oddities.values())
    if least == math.inf:
        return _BY_THE_BOOK
    return min(
        (page for page, oddity in oddities.items() if oddity <= least + 0.02), key=lambda page: _mess(joined, page)
    )


def _mess(joined: bytes, page: str) -> tuple[float, float]:
    """What the detector thinks of a code page: how unlikely the text, then how unlike any language."""
    match = from_bytes(joined, cp_isolation=[page], threshold=0.9).best()
    return (match.chaos, -match.coherence) if match else (1.0, 0.0)


def _mean_oddity(joined: bytes, page: str) -> float:
    try:
        words = joined.decode(page).split("\n")
    except UnicodeDecodeError:
        return math.inf
    return sum(_oddity(word) + _rarity(word, page) for word in words) / len(words)


def _rarity(word: str, page: str) -> float:
    """Any two bytes make some character of the Far East, most of them one that nobody uses."""
    if page not in _COMMON:
        return 0.0
    first, last, least = _COMMON[page]
    rare = 0.0
    for character in word:
        if _script(character) in {"CJK", "HANGUL"}:
            lead, trail = character.encode(page)[:2]
            rare += 0.0 if first <= lead <= last and trail >= least else 0.5
    return rare


def _by(page: str, raw: bytes) -> str:
    try:
        return raw.decode(page)
    except UnicodeDecodeError:
        return raw.decode(_BY_THE_BOOK)


def _utf8(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _oddity(word: str) -> float:
    """How many things in a word no person would have written: 0 where it may well be one."""
    odd = 0.0
    for character in word:
        if ord(character) > 127 and _script(character) is None:
            odd += 1
        elif "\uff61" <= character <= "\uff9f":  # half-width katakana, which any bytes look like
            odd += 0.6
    for one, other in _pairs(word):
        foreign = ord(one) > 127 or ord(other) > 127
        if foreign and other == "\\" and one != "\\":
            odd += 0.5
        if not foreign or not (one.isalpha() and other.isalpha()):
            continue
        if one.islower() and other.isupper():
            odd += 1
        if one > "\x7f" and other > "\x7f" and _script(one) == _script(other) == "LATIN":
            odd += 0.2
        if "CJK" in {_script(one), _script(other)} and (one.isascii() or other.isascii()):
            odd += 0.3
        scripts = {_script(one), _script(other)}
        if len(scripts) > 1 and not scripts <= _FAR_EAST and not scripts <= _FAR_EAST | {"LATIN"}:
            odd += 1
    return odd


def _pairs(word: str) -> Iterable[tuple[str, str]]:
    return zip(word, word[1:], strict=False)


@lru_cache(maxsize=4096)
def _script(character: str) -> str | None:
    """Of a letter or the mark on one, such as LATIN; None for signs, lines and private characters."""
    category = unicodedata.category(character)
    name = unicodedata.name(character, "")
    if category[0] not in "LM" and name != "KATAKANA-HIRAGANA PROLONGED SOUND MARK" or not name:
        return None
    if character in "ªº":
        return None
    return name.split()[0].removeprefix("HALFWIDTH").removeprefix("FULLWIDTH") or "KATAKANA"
