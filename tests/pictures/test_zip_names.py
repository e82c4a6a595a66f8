"""Names in ZIPs as all kinds of tools write them, and damage that costs at most the entry that has it."""

import io
import struct
import unicodedata

import pytest

from datasets.errors import ApiError
from datasets.pictures.zip_archive import Archive, Limits, MemberError
from tests.support.raw_zips import Stored, raw_zip, unicode_path

_POLISH = ["gżegżółka.png", "jaźń.png", "łódź.png", "żółw.png"]
_UTF8 = 0x800


def opened(archive: bytes) -> Archive:
    return Archive(io.BytesIO(archive), Limits())


def names_of(*files: Stored) -> list[str]:
    return opened(raw_zip(files)).names


def in_code_page(names: list[str], page: str) -> list[str]:
    archive = opened(raw_zip([Stored(raw=name.encode(page), content=name.encode()) for name in names]))
    for name in archive.names:
        if name in names:
            assert archive.read(name) == name.encode()
    return archive.names


def test_names_are_utf8_with_the_flag_and_without() -> None:
    for flags in (0, _UTF8):
        assert names_of(*(Stored(raw=name.encode(), flags=flags) for name in _POLISH)) == _POLISH


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("cp852", _POLISH),
        ("cp1250", _POLISH),
        ("cp852", ["kůň.jpg", "příliš.jpg", "žluťoučký.jpg"]),
        ("cp1250", ["kůň.jpg", "příliš.jpg", "žluťoučký.jpg"]),
        ("cp437", ["Köln.jpg", "Mädchen.jpg", "Straße.jpg"]),
        ("cp850", ["Köln.jpg", "Mädchen.jpg", "Straße.jpg"]),
        ("cp1252", ["Köln.jpg", "Mädchen.jpg", "Straße.jpg"]),
        ("cp850", ["Sørøya.jpg", "blåbær.jpg", "Ærø.jpg"]),
        ("cp437", ["año.jpg", "niño.jpg"]),
        ("cp866", ["Фото 1.png", "дом.jpg", "кошка.png", "собака.png"]),
        ("cp1251", ["Фото 1.png", "дом.jpg", "кошка.png", "собака.png"]),
        ("cp737", ["γάτα.jpg", "σκύλος.jpg"]),
        ("cp1253", ["γάτα.jpg", "σκύλος.jpg"]),
        ("cp932", ["テスト.png", "犬.jpg", "猫の写真.jpg"]),
        ("cp932", ["ゲーム.png", "ネコ.png"]),
        ("gbk", ["我的图片.jpg", "照片1.jpg", "猫.jpg"]),
        ("big5", ["圖片.jpg", "照片.jpg", "貓.jpg"]),
        ("cp949", ["고양이.jpg", "사진.jpg"]),
    ],
)
def test_the_code_page_of_names_is_detected_by_their_text(page: str, names: list[str]) -> None:
    assert in_code_page(names, page) == sorted(names)


@pytest.mark.parametrize("names", [["ソ.png"], ["ソ.png", "写真.png", "十.png", "表.png"], ["表示.png", "能力.png"]])
def test_a_second_byte_like_a_backslash_is_no_folder(names: list[str]) -> None:
    assert any(b"\\" in name.encode("cp932") for name in names)
    assert in_code_page(names, "cp932") == sorted(names)


def test_backslashes_of_old_tools_are_folders_in_any_encoding() -> None:
    for page in ("cp852", "utf-8", "cp437"):
        archive = opened(raw_zip([Stored(raw="góry\\Ala.png".encode(page)), Stored(raw="góry\\Ola.png".encode(page))]))
        assert (archive.folder, archive.names) == ("góry", ["Ala.png", "Ola.png"])


def test_the_unicode_path_field_has_the_true_name() -> None:
    raw = "żółw.png".encode("cp852")
    assert names_of(Stored(raw=raw, extra=unicode_path(raw, "żółw.png".encode()))) == ["żółw.png"]
    # Of the name that the entry had before it was renamed, of an unknown version, and no UTF-8.
    for extra in (
        unicode_path(raw, b"old.png", of=b"other"),
        unicode_path(raw, b"old.png", version=2),
        unicode_path(raw, b"\xff.png"),
        unicode_path(raw, b""),
        struct.pack("<2H", 0x7075, 3) + b"abc",
    ):
        assert names_of(Stored(raw=b"plain.png", extra=extra)) == ["plain.png"]


def test_a_name_that_is_wrongly_flagged_as_utf8_is_made_readable() -> None:
    files = [Stored(raw=f"good-{k}.png".encode(), flags=_UTF8) for k in range(3)]
    assert names_of(*files, Stored(raw=b"na\xefve.png", flags=_UTF8)) == [
        "good-0.png",
        "good-1.png",
        "good-2.png",
        "naïve.png",
    ]


def test_decomposed_names_are_composed() -> None:
    decomposed = unicodedata.normalize("NFD", "żółw.png")
    assert decomposed != "żółw.png"
    assert names_of(Stored(raw=decomposed.encode(), flags=_UTF8)) == ["żółw.png"]


def test_two_files_whose_names_are_written_in_two_ways_are_both_there() -> None:
    composed, decomposed = "ż.png".encode(), unicodedata.normalize("NFD", "ż.png").encode()
    archive = opened(raw_zip([Stored(raw=decomposed, content=b"first"), Stored(raw=composed, content=b"second")]))
    assert archive.names == ["ż (2).png", "ż.png"]
    assert {archive.read(name) for name in archive.names} == {b"first", b"second"}
    assert archive.replaced == []


@pytest.mark.parametrize("prefix", ["/", "./", "././", "//", "\\", ".\\", "/./"])
def test_a_slash_or_dot_in_front_is_no_folder(prefix: str) -> None:
    archive = opened(raw_zip([Stored(raw=f"{prefix}a.png".encode()), Stored(raw=b"b.png")]))
    assert (archive.names, archive.folder, archive.ignored) == (["a.png", "b.png"], "", 0)


@pytest.mark.parametrize(
    "extra",
    [
        b"\xfe\xca\x28\x00" + bytes(8),
        b"\x01\x00\x08\x00" + bytes(4),
        b"\x75\x70\xff\xff",
        b"abc",
        b"\x01\x00\x03\x00abc",
    ],
    ids=["longer than it says", "short ZIP64", "cut Unicode Path", "no field", "odd ZIP64"],
)
def test_a_damaged_extra_field_costs_nothing(extra: bytes) -> None:
    archive = opened(raw_zip([Stored(raw=b"a.png"), Stored(raw=b"b.png", extra=extra), Stored(raw=b"c.png")]))
    assert archive.names == ["a.png", "b.png", "c.png"]
    assert archive.read("b.png") == b"content"


@pytest.mark.parametrize("wrong", [0, 5, 200, 60_000])
def test_an_extra_field_of_a_wrong_length_costs_no_other_file(wrong: int) -> None:
    files = [Stored(raw=f"{k}.png".encode(), extra=bytes(12)) for k in range(5)]
    files[1] = Stored(raw=b"1.png", extra=bytes(12), extra_bytes=wrong)
    archive = opened(raw_zip(files))
    assert set(archive.names) >= {"0.png", "2.png", "3.png", "4.png"}
    assert len(archive.names) == 5
    assert archive.read("3.png") == b"content"


def test_a_local_header_with_another_name_costs_nothing() -> None:
    archive = opened(raw_zip([Stored(raw="é.png".encode(), flags=_UTF8, local_name=b"e.png"), Stored(raw=b"b.png")]))
    assert archive.names == ["b.png", "é.png"]
    assert archive.read("é.png") == b"content"


def test_a_damaged_local_header_costs_its_own_file() -> None:
    archive = opened(raw_zip([Stored(raw=b"a.png", local_signature=b"PK\x03\x05"), Stored(raw=b"b.png")]))
    with pytest.raises(MemberError, match="damaged in the ZIP"):
        archive.read("a.png")
    assert archive.read("b.png") == b"content"


def test_entries_that_cannot_be_found_are_reported() -> None:
    data = raw_zip([Stored(raw=b"a.png"), Stored(raw=b"b.png"), Stored(raw=b"c.png")])
    second = data.find(b"PK\x01\x02", data.find(b"PK\x01\x02") + 4)
    archive = opened(data[:second] + b"XX" + data[second + 2 :])
    assert archive.names == ["a.png", "c.png"]
    assert [skipped.reason for skipped in archive.lost] == ["its entry in the ZIP's directory is damaged"]


# What overlaps.


@pytest.mark.parametrize("count", [2, 200])
def test_entries_of_one_and_the_same_bytes_are_refused(count: int) -> None:
    content = bytes(5000)
    files = [Stored(raw=b"0.png", content=content)]
    files += [Stored(raw=f"{k}.png".encode(), content=content, offset=0) for k in range(1, count)]
    with pytest.raises(ApiError, match="overlap") as caught:
        opened(raw_zip(files))
    assert caught.value.kind == "bad-request"


def test_a_file_within_another_is_refused() -> None:
    inner = raw_zip([Stored(raw=b"b.png", content=bytes(500))])
    outer = Stored(raw=b"a.png", content=inner)
    within = Stored(raw=b"b.png", content=bytes(500), offset=30 + len(b"a.png"))
    with pytest.raises(ApiError, match="overlap"):
        opened(raw_zip([outer, within]))


def test_files_side_by_side_do_not_overlap() -> None:
    """Whatever local extra fields lie between them, or bytes before the archive."""
    archive = raw_zip([Stored(raw=f"{k}.png".encode(), content=bytes(k)) for k in range(50)])
    assert len(opened(archive).names) == len(opened(b"#!/bin/sh\n" + archive).names) == 50


# One folder at the top.


def listed(*paths: str) -> Archive:
    return opened(raw_zip([Stored(raw=path.encode(), content=b"\xff\xd8\xff" + path.encode()) for path in paths]))


@pytest.mark.parametrize(
    ("others", "folder"),
    [
        ([], "photos"),
        (["photos/"], "photos"),
        (["__MACOSX/._photos", "__MACOSX/photos/._a.jpg", "photos/.DS_Store", "photos/._a.jpg"], "photos"),
        (["photos/Thumbs.db", "photos/desktop.ini", "photos/notes.txt", "empty/", "docs/readme.txt"], "photos"),
        (["@eaDir/a.jpg/SYNO_THUMB.jpg", ".thumbnails/a.jpg", "photos/.cache/b.jpg"], "photos"),
        (["list.txt", "metadata.csv"], "photos"),
    ],
    ids=["bare", "entry", "macOS", "Windows", "caches", "texts at the top"],
)
def test_the_only_folder_with_pictures_is_taken_as_the_top(others: list[str], folder: str) -> None:
    archive = listed("photos/b.jpg", "photos/a.jpg", *others)
    assert archive.folder == folder
    assert [name for name in archive.names if name.endswith(".jpg")] == ["a.jpg", "b.jpg"]
    assert archive.read("a.jpg") == b"\xff\xd8\xffphotos/a.jpg"
    assert archive.in_folders == 0


def test_the_only_folder_may_lie_in_others() -> None:
    archive = listed("2024/summer/sea/a.jpg", "2024/summer/sea/b.jpg", "2024/summer/notes.txt")
    assert (archive.folder, archive.names) == ("2024/summer/sea", ["a.jpg", "b.jpg"])


@pytest.mark.parametrize(
    ("paths", "taken"),
    [
        (["p/a.jpg", "p/metadata.csv", "metadata.csv"], "p/metadata.csv"),
        (["p/a.jpg", "metadata.csv"], "metadata.csv"),
        (["p/q/a.jpg", "p/Metadata.JSON", "metadata.csv"], "p/Metadata.JSON"),
        (["p/a.jpg", "p/metadata.json", "p/metadata.csv"], "p/metadata.csv"),
        (["p/a.jpg", "other/metadata.csv"], None),
        (["a.jpg", "p/metadata.csv"], None),
        (["a.jpg", "metadata.csv", "p/metadata.csv"], "metadata.csv"),
    ],
)
def test_metadata_come_from_the_pictures_folder_or_one_above(paths: list[str], taken: str | None) -> None:
    archive = listed(*paths)
    assert (archive.metadata is None) == (taken is None)
    if taken is not None and archive.metadata is not None:
        assert archive.read(archive.metadata) == b"\xff\xd8\xff" + taken.encode()
        assert archive.metadata not in archive.names


def test_pictures_at_the_top_exclude_folders_with_a_remark() -> None:
    archive = listed("stray.jpg", *(f"photos/{k}.jpg" for k in range(40)))
    assert (archive.names, archive.folder, archive.in_folders) == (["stray.jpg"], "", 40)


def test_a_picture_without_an_ending_at_the_top_is_one() -> None:
    archive = listed("IMG_0001", "photos/a.jpg")
    assert (archive.names, archive.folder, archive.in_folders) == (["IMG_0001"], "", 1)
    files = [Stored(raw=b"LICENSE", content=b"Permission is hereby granted"), Stored(raw=b"photos/a.jpg")]
    archive = opened(raw_zip(files))
    assert (archive.names, archive.folder) == (["a.jpg"], "photos")


def test_of_several_folders_none_is_taken() -> None:
    with pytest.raises(ApiError, match="3 in 2 folders"):
        listed("cats/a.jpg", "cats/b.jpg", "dogs/a.jpg")
    with pytest.raises(ApiError, match="2 in 2 folders"):
        listed("photos/a.jpg", "photos/small/a.jpg")
