"""ZIPs, honest and hostile → their top-level pictures."""

import io
import random
import struct
import tracemalloc
import warnings
import zipfile
import zlib

import pytest
from django.test import Client
from pytest_django import Settings

from datasets.collection.uploaded import Upload
from datasets.errors import ApiError
from datasets.models import Dataset
from datasets.pictures.zip_archive import (
    Archive,
    Limits,
    MemberError,
    OverLimit,
    Skipped,
    may_be_picture,
    named_as_picture,
)
from tests.support.pictures import picture, zipped
from tests.support.problems import sentence

Change = dict[str, int]

# Where the fields lie in an entry of the directory, and in the header before a file's bytes.
_DIRECTORY = {"flags": 8, "method": 10, "crc": 16, "packed": 20, "size": 24, "offset": 42}
_HEADER = {"flags": 6, "method": 8, "crc": 14, "packed": 18, "size": 22}
_WIDE = {"crc", "packed", "size", "offset"}


def opened(archive: bytes, **limits: int) -> Archive:
    return Archive(io.BytesIO(archive), Limits(**limits))


def refusal(archive: bytes, **limits: int) -> ApiError:
    with pytest.raises(ApiError) as caught:
        opened(archive, **limits)
    return caught.value


def forged(archive: bytes, **fields: int) -> bytes:
    """The same archive, its first member's fields overwritten in the directory and in its own header."""
    data = bytearray(archive)
    for start, places in ((data.find(b"PK\x01\x02"), _DIRECTORY), (data.find(b"PK\x03\x04"), _HEADER)):
        for name, value in fields.items():
            if name in places:
                struct.pack_into("<I" if name in _WIDE else "<H", data, start + places[name], value)
    return bytes(data)


def directory_only(name: bytes, count: int = 1, stated: int | None = None) -> bytes:
    """An archive that is all directory: `count` entries of one name, of which it states another number."""
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 0, 20, *[0] * 8, len(name), *[0] * 6) + name
    stated = min(count, 0xFFFF) if stated is None else stated
    return entry * count + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, stated, stated, len(entry) * count, 0, 0)


def renamed(archive: bytes, name: str, new: bytes) -> bytes:
    assert len(name.encode()) == len(new)
    return archive.replace(name.encode(), new)


def test_it_finds_the_pictures_at_the_top_level_sorted_by_name() -> None:
    archive = opened(zipped({name: name.encode() for name in ("b.png", "10.jpg", "a.webp", "2.jpg", "Z.gif")}))
    assert archive.names == ["10.jpg", "2.jpg", "Z.gif", "a.webp", "b.png"]
    assert [archive.read(name) for name in archive.names] == [name.encode() for name in archive.names]


def test_it_passes_over_folders_hidden_files_and_other_kinds() -> None:
    others = ["sub/a.jpg", "__MACOSX/._a.jpg", ".DS_Store", "._a.jpg", "list.txt", "page.html", "more.zip", "film.mp4"]
    archive = opened(zipped({"a.jpg": b"a", "sub/": b"", **dict.fromkeys(others, b"x")}))
    assert archive.names == ["a.jpg"]
    assert archive.ignored == len(others)
    assert archive.replaced == []


@pytest.mark.parametrize(
    "name", ["photo", "photo.unknown", "IMG.JPEG", "a.tga", "a.jp2", "a.avif", "a.webp", "tif.TIF"]
)
def test_it_takes_what_may_be_a_picture(name: str) -> None:
    assert may_be_picture(name)
    assert opened(zipped({name: b"x"})).names == [name]


def test_an_ending_promises_a_picture_or_not() -> None:
    assert all(map(named_as_picture, ["a.jpg", "a.JPG", "a.webp", "a.svg", "a.heic"]))
    assert not any(map(named_as_picture, ["a", "README", "a.txt", "a.unknown", "jpg"]))


def test_the_last_of_several_files_of_one_name_wins_and_the_others_are_recorded() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile tells its writer of a name used twice
        for content in (b"first", b"second", b"third"):
            file.writestr("a.jpg", content)
        file.writestr("./a.jpg", b"fourth")
    archive = opened(data.getvalue())
    assert archive.names == ["a.jpg"]
    assert archive.read("a.jpg") == b"fourth"
    assert archive.replaced == [Skipped(name="a.jpg", reason="another file of the same name comes later")] * 3
    assert archive.ignored == 0


def test_only_folders_get_a_sentence_that_helps() -> None:
    refused = refusal(zipped({"cats/": b"", "cats/1.jpg": b"", "dogs/2.jpg": b"", "dogs/list.txt": b""}))
    assert refused.kind == "bad-request"
    assert "2 in 2 folders (“cats”, “dogs”)" in str(refused)
    assert "zip the pictures themselves" in str(refused)


@pytest.mark.parametrize(
    "files",
    [{}, {"a.txt": b""}, {".hidden.jpg": b""}, {"__MACOSX/a.jpg": b""}, {"faces/._1.jpg": b""}, {"faces/": b""}],
    ids=["nothing", "text", "hidden", "macosx", "hidden in folder", "empty folder"],
)
def test_nothing_to_see_is_refused_without_a_word_on_folders(files: dict[str, bytes]) -> None:
    refused = refusal(zipped(files))
    assert (refused.kind, str(refused)) == ("bad-request", "The ZIP has no pictures at its top level.")


@pytest.mark.parametrize("name", ["../x.jpg", "/../abs.jpg", "C:\\x.jpg", "a\\b.jpg", "..\\..\\x.jpg", "a/../x.jpg"])
def test_names_that_lead_elsewhere_are_not_at_the_top_level(name: str) -> None:
    archive = opened(zipped({name: b"bad", "./ok.jpg": b"good"}))
    assert archive.names == ["ok.jpg"]
    assert archive.read("ok.jpg") == b"good"
    assert archive.ignored == 1


@pytest.mark.parametrize(
    "name",
    [
        "łódź.jpg",
        "写真.jpg",
        "😀👩‍👩‍👧.jpg",
        "\u202egpj.exe.jpg",
        "new\nline.jpg",
        "tab\t.jpg",
        " .jpg",
        "x" * 60000 + ".jpg",
    ],
    ids=["latin", "chinese", "emoji", "right-to-left", "newline", "tab", "blank", "long"],
)
def test_it_reads_files_of_any_name(name: str) -> None:
    archive = opened(zipped({name: b"content"}))
    assert archive.names == [name]
    assert archive.read(name) == b"content"


def test_it_reads_names_in_the_code_page_of_old_dos() -> None:
    archive = opened(renamed(zipped({"a_b.jpg": b"content"}), "a_b.jpg", b"a\x84b.jpg"))
    assert archive.names == ["aäb.jpg"]
    assert archive.read("aäb.jpg") == b"content"


def test_a_name_ends_at_its_first_nul() -> None:
    archive = opened(renamed(zipped({"a.jpg_.exe": b"content"}), "a.jpg_.exe", b"a.jpg\0.exe"))
    assert archive.names == ["a.jpg"]


@pytest.mark.parametrize("name", [b"", b"\0a.jpg"])
def test_an_empty_name_is_no_file(name: bytes) -> None:
    assert refusal(directory_only(name)).kind == "bad-request"


@pytest.mark.parametrize("keep", [0, 1, 3, 21, 30, 100, 0.5, -200, -60, -22, -5, -1])
def test_a_truncated_archive_is_refused(keep: float) -> None:
    whole = zipped({f"{k}.png": picture(k) for k in range(5)})
    cut = whole[: int(keep * len(whole)) if 0 < keep < 1 else int(keep)]
    refused = refusal(cut)
    assert refused.kind == "bad-request"
    assert "not a ZIP" in str(refused)


@pytest.mark.parametrize("content", [b"", b"\0", b"PK", b"PK\x03\x04", b"PK\x05\x06", b"GIF89a" * 99, bytes(70_000)])
def test_what_is_no_zip_is_refused(content: bytes) -> None:
    refused = refusal(content)
    assert refused.kind == "bad-request"
    assert "not a ZIP" in str(refused)


def test_it_reads_through_a_comment_and_bytes_before_the_archive() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("a.jpg", b"content")
        file.comment = b"PK\x01\x02 a comment " * 99
    for archive in (data.getvalue(), b"#!/bin/sh\n" * 99 + data.getvalue()):
        assert opened(archive, members=10_000).read("a.jpg") == b"content"


def test_it_reads_zip64() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file, file.open("a.jpg", "w", force_zip64=True) as member:
        member.write(b"content")
    assert opened(data.getvalue()).read("a.jpg") == b"content"


def test_it_reads_zip64_end_records() -> None:
    data = zipped({"a.jpg": b"content", "b.jpg": b"another"})
    end = data.rindex(b"PK\x05\x06")
    size, offset = struct.unpack_from("<2L", data, end + 12)
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 2, 2, size, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    stub = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    archive = data[:end] + record + locator + stub
    assert opened(archive).read("b.jpg") == b"another"
    assert refusal(archive, members=1).kind == "too-large"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
@pytest.mark.parametrize("content", [b"", b"x", bytes(3_000_000), picture(5)], ids=["empty", "byte", "zeros", "png"])
def test_it_reads_members_of_each_method(method: int, content: bytes) -> None:
    assert opened(zipped({"a.png": content}, method)).read("a.png") == content


def test_a_member_of_another_method_is_skipped_and_the_others_are_read() -> None:
    archive = opened(zipped({"a.png": picture(1)}, zipfile.ZIP_LZMA))
    with pytest.raises(MemberError, match="use deflate"):
        archive.read("a.png")
    archive = opened(forged(zipped({"a.png": picture(1), "b.png": picture(2)}), method=9))
    with pytest.raises(MemberError, match="method"):
        archive.read("a.png")
    assert archive.read("b.png") == picture(2)


def test_an_encrypted_member_is_skipped_and_the_others_are_read() -> None:
    archive = opened(forged(zipped({"a.png": picture(1), "b.png": picture(2)}), flags=1))
    with pytest.raises(MemberError, match="encrypted"):
        archive.read("a.png")
    assert archive.read("b.png") == picture(2)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
@pytest.mark.parametrize(
    "lie",
    [{"size": 10}, {"crc": 1}, {"packed": 10}, {"packed": 0}, {"offset": 2**31}, {"offset": 7}],
    ids=str,
)
def test_a_member_that_lies_about_itself_is_damaged(method: int, lie: Change) -> None:
    archive = opened(forged(zipped({"a.png": picture(1), "b.png": picture(2)}, method), **lie))
    with pytest.raises(MemberError, match=r"damaged in the ZIP: \w+"):
        archive.read("a.png")
    assert archive.read("b.png") == picture(2)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
@pytest.mark.parametrize("lie", [{"size": 1_000_000}, {"packed": 2**31}], ids=str)
def test_a_member_that_declares_too_much_gives_what_it_has_or_is_damaged(method: int, lie: Change) -> None:
    archive = opened(forged(zipped({"a.png": picture(1)}, method), **lie))
    try:
        content = archive.read("a.png")
    except MemberError as error:  # which of them find out depends on Python's version
        reason = str(error)
        assert len(reason) > len("damaged in the ZIP: ")
    else:
        assert content == picture(1)


def test_an_offset_beyond_all_files_is_damaged() -> None:
    """ZIP64 has room for offsets that no file system can seek to."""
    data = bytearray(zipped({"a.png": picture(1)}))
    start, end = data.find(b"PK\x01\x02"), data.rfind(b"PK\x05\x06")
    extra = struct.pack("<2HQ", 1, 8, 2**64 - 1)
    struct.pack_into("<H", data, start + 30, len(extra))
    struct.pack_into("<L", data, start + 42, 0xFFFFFFFF)
    struct.pack_into("<L", data, end + 12, end - start + len(extra))
    archive = opened(bytes(data[:end] + extra + data[end:]))
    with pytest.raises(MemberError):
        archive.read("a.png")


def test_entries_that_overlap_are_refused() -> None:
    archive = zipped({"a.png": picture(1), "b.png": picture(2)}, zipfile.ZIP_STORED)
    first = archive.find(b"PK\x01\x02")
    second = archive.find(b"PK\x01\x02", first + 4)
    data = bytearray(archive)
    struct.pack_into("<L", data, second + 42, 0)
    refused = refusal(bytes(data))
    assert refused.kind == "bad-request"
    assert "overlap" in str(refused)


def test_too_many_members_are_refused() -> None:
    archive = zipped({f"{k}.txt": b"" for k in range(20)} | {"a.jpg": b""})
    assert opened(archive, members=21).names == ["a.jpg"]
    refused = refusal(archive, members=20)
    assert refused.kind == "too-large"
    assert "21 entries; the limit is 20" in str(refused)


def test_members_are_counted_whatever_number_the_archive_states() -> None:
    assert refusal(directory_only(b"a.jpg", 2000, stated=1), members=1000).kind == "too-large"


def test_a_directory_too_large_is_refused_before_it_is_read() -> None:
    archive = directory_only(b"a" * 60_000, 300)
    file = io.BytesIO(archive)
    tracemalloc.start()
    try:
        with pytest.raises(ApiError) as caught:
            Archive(file, Limits(members=1000))
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
    assert caught.value.kind == "too-large"


def test_a_directory_of_many_small_entries_is_refused_before_it_is_unpacked() -> None:
    archive = directory_only(b"a", 100_000)
    tracemalloc.start()
    try:
        assert refusal(archive, members=10_000).kind == "too-large"
        assert tracemalloc.get_traced_memory()[1] < 3 * len(archive)
    finally:
        tracemalloc.stop()


def test_a_member_too_large_is_skipped_and_the_others_are_read() -> None:
    archive = opened(zipped({"a.bmp": bytes(5000), "b.png": picture(1)}), member_bytes=4000)
    with pytest.raises(OverLimit, match="too large"):
        archive.read("a.bmp")
    assert archive.read("b.png") == picture(1)


def test_a_large_member_that_unpacks_out_of_proportion_is_skipped() -> None:
    bomb = zipped({"a.bmp": bytes(40 * 2**20), "b.png": picture(1)})
    archive = opened(bomb)
    with pytest.raises(OverLimit, match="200 times"):
        archive.read("a.bmp")
    assert archive.read("b.png") == picture(1)
    assert len(opened(bomb, ratio=2000).read("a.bmp")) == 40 * 2**20


def test_a_page_of_one_colour_is_no_bomb() -> None:
    assert len(opened(zipped({"a.bmp": bytes(20 * 2**20)})).read("a.bmp")) == 20 * 2**20


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_bomb_that_declares_little_takes_little_memory(method: int) -> None:
    archive = opened(forged(zipped({"a.png": bytes(50 * 2**20)}, method), size=1000))
    tracemalloc.start()
    try:
        with pytest.raises(MemberError):
            archive.read("a.png")
        assert tracemalloc.get_traced_memory()[1] < 5 * 2**20
    finally:
        tracemalloc.stop()


def test_a_total_too_large_is_refused() -> None:
    archive = zipped({f"{k}.bmp": bytes(1000) for k in range(10)} | {"big.txt": bytes(10_000)})
    assert len(opened(archive, total_bytes=10_000).names) == 10
    refused = refusal(archive, total_bytes=9_999)
    assert refused.kind == "too-large"
    assert "unpacks to more" in str(refused)


def test_a_declared_size_counts_no_more_than_the_limit_of_a_member() -> None:
    archive = forged(zipped({f"{k}.png": picture(k) for k in range(3)}), size=2**32 - 2)
    opened(archive, member_bytes=1000, total_bytes=4000)


def test_a_zip_in_a_zip_is_ignored() -> None:
    archive = opened(zipped({"inner.zip": zipped({"a.jpg": b""}), "b.jpg": b""}))
    assert archive.names == ["b.jpg"]
    assert archive.ignored == 1


def test_damaged_archives_are_refused_or_skipped_and_nothing_else() -> None:
    choose = random.Random(7)
    sound = [
        zipped({f"{k}.png": picture(k) for k in range(3)}, method)
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
    ]
    for _ in range(1500):
        data = bytearray(choose.choice(sound))
        for _ in range(choose.randint(1, 4)):
            place = choose.randrange(max(0, len(data) - choose.choice([80, 250, 9999])), len(data))
            if choose.random() < 0.7:
                data[place] = choose.choice([0, 1, 127, 255, choose.randrange(256)])
            else:
                data[place : place + 8] = b"\xff" * 8
        try:
            archive = opened(bytes(data))
        except ApiError:
            continue
        for name in archive.names:
            try:
                content = archive.read(name)
            except MemberError:
                continue
            assert zlib.crc32(content) == archive._entries[name].crc


# By way of the whole service.


def answer(client: Client, archive: bytes) -> tuple[int, str]:
    file = io.BytesIO(archive)
    file.name = "photos.zip"
    response = client.post("/dataset", {"file": file})
    if response.status_code == 200:
        return 200, response.content.decode()
    body = response.json()
    assert response["Access-Control-Allow-Origin"] == "*"
    return response.status_code, sentence(body, response.status_code)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("archive", "sentence"),
    [
        (b"x", "not a ZIP"),
        (zipped({"a.png": picture(1)})[:-40], "not a ZIP"),
        (zipped({}), "no pictures at its top level"),
        (zipped({"cats/a.png": picture(1), "dogs/a.png": picture(1)}), "2 in 2 folders"),
        (forged(zipped({"a.png": picture(1)}), flags=1), "encrypted"),
        (zipped({"a.png": picture(1)}, zipfile.ZIP_LZMA), "use deflate"),
        (directory_only(b""), "no pictures"),
    ],
    ids=["garbage", "truncated", "nothing", "folders", "encrypted", "lzma", "no name"],
)
def test_an_archive_without_a_usable_picture_answers_400(client: Client, archive: bytes, sentence: str) -> None:
    status, error = answer(client, archive)
    assert status == 400
    assert sentence in error
    assert not Dataset.objects.ready().exists()


@pytest.mark.django_db(transaction=True)
def test_an_archive_over_a_limit_answers_413(client: Client, settings: Settings) -> None:
    settings.MAX_MEMBERS = 20
    assert answer(client, zipped({f"{k}.png": b"" for k in range(21)}))[0] == 413
    settings.MAX_UNPACKED_MB = 1
    assert answer(client, zipped({"a.bmp": bytes(2**20 + 1)}))[0] == 413
    settings.MAX_UNPACKED_MB, settings.MAX_PICTURE_MB = 100, 1
    assert answer(client, zipped({"a.bmp": bytes(2**20 + 1)}))[0] == 413
    settings.MAX_UPLOAD_MB = 1
    assert answer(client, zipped({"a.bmp": bytes(2**22)}, zipfile.ZIP_STORED))[0] == 413


@pytest.mark.django_db(transaction=True)
def test_what_is_wrong_with_single_members_is_recorded(client: Client) -> None:
    archive = forged(
        zipped({"a.png": picture(1), "b.png": picture(2), "c.txt": b"", "d/e.png": picture(3), "f": b"no picture"}),
        flags=1,
    )
    status, dataset_id = answer(client, archive)
    assert status == 200
    dataset = Dataset.objects.get(hash=dataset_id)
    assert Upload(dataset).names(range(dataset.count)) == ["b.png"]
    assert dataset.skipped == [{"name": "a.png", "reason": "it is encrypted"}]
    assert dataset.ignored == 3
