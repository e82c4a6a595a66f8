"""The folder of the Embedding Projector in a ZIP: the sprite's cells are the pictures, the tensors their vectors."""

import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings
from django.test import Client
from numpy.typing import NDArray
from PIL import Image

from datasets.models import Dataset
from tests.api.test_pictures import upload
from tests.support.bombs import sliver_png
from tests.support.pictures import colour, encode, photograph, zipped

pytestmark = pytest.mark.django_db(transaction=True)

COUNT, SIDE = 12, 40
VECTORS = np.random.default_rng(5).normal(size=(COUNT, 7)).astype(np.float32)
NAMES = [f"{k:02d}.jpg" for k in range(COUNT)]


def sprite(count: int = COUNT, width: int = SIDE, height: int = SIDE, form: str = "PNG") -> bytes:
    """Cells of one colour each, in rows of ⌈√count⌉."""
    side = int(np.ceil(np.sqrt(count)))
    image = Image.new("RGB", (side * width, side * height), "white")
    for k in range(count):
        down, right = divmod(k, side)
        image.paste(colour(37 * k), (right * width, down * height, (right + 1) * width, (down + 1) * height))
    return encode(image, form)


def tsv(vectors: NDArray[Any] = VECTORS) -> bytes:
    return "".join("\t".join(map(repr, row.tolist())) + "\n" for row in vectors).encode()


def lines(*rows: str) -> bytes:
    return "".join(f"{row}\n" for row in rows).encode()


CONFIG = """embeddings {
  tensor_name: "features"
  tensor_path: "tensors.tsv"
  metadata_path: "metadata.tsv"
  sprite {
    image_path: "sprite.png"
    single_image_dim: 40
    single_image_dim: 40
  }
}
"""
FOLDER = {
    "projector_config.pbtxt": CONFIG.encode(),
    "tensors.tsv": tsv(),
    "metadata.tsv": lines("name\tkind\tage", *(f"{name}\tk{k % 3}\t{k}" for k, name in enumerate(NAMES))),
    "sprite.png": sprite(),
}


def features(client: Client, dataset_id: str) -> NDArray[Any]:
    answer = client.get(f"/dataset/{dataset_id}/features/network?format=npy")
    read: NDArray[Any] = np.load(io.BytesIO(answer.getvalue()))
    return read


def images(client: Client, dataset_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/dataset/{dataset_id}/images").json()["images"]
    return found


def report(client: Client, dataset_id: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(client.get(f"/dataset/{dataset_id}/report").getvalue())
    return found


def shown(client: Client, dataset_id: str, row: int) -> Any:
    """The colour in the middle of a picture's own file."""
    answer = client.get(f"/dataset/{dataset_id}/images/{row}")
    assert answer["Content-Type"] == "image/png"
    cell = Image.open(io.BytesIO(answer.getvalue())).convert("RGB")
    return cell.getpixel((cell.width // 2, cell.height // 2))


def named(content: bytes) -> io.BytesIO:
    file = io.BytesIO(content)
    file.name = "logs.zip"
    return file


def refused(client: Client, files: dict[str, bytes]) -> Any:
    answer = client.post("/dataset", {"file": named(zipped(files))})
    assert 400 <= answer.status_code < 500
    return answer.json()


@pytest.mark.parametrize("folder", ["", "logs/run 1/"])
def test_cells_tensors_and_metadata_are_the_dataset(client: Client, folder: str) -> None:
    dataset_id = upload(client, {folder + name: content for name, content in FOLDER.items()})
    assert np.array_equal(features(client, dataset_id), VECTORS)
    found = images(client, dataset_id)
    assert [(each["name"], each["metadata"]) for each in found] == [
        (name, {"kind": f"k{k % 3}", "age": k}) for k, name in enumerate(NAMES)
    ]
    assert {(each["width"], each["height"]) for each in found} == {(SIDE, SIDE)}
    assert [shown(client, dataset_id, row) for row in range(COUNT)] == [colour(37 * k) for k in range(COUNT)]
    described = client.get(f"/dataset/{dataset_id}").json()
    assert (described["backbone"], described["engine"], described["remarks"]) == ("own", f"{folder}tensors.tsv", [])


def test_the_report_tells_of_the_files_that_were_sent(client: Client) -> None:
    beside = {"events.out.tfevents.1": b"log", "stray.jpg": photograph(1), "__MACOSX/._sprite.png": b"macOS"}
    found = report(client, upload(client, FOLDER | beside))
    outcomes = {file["name"]: file["outcome"] for file in found["files"] if file["index"] is None}
    assert outcomes == {
        "projector_config.pbtxt": "projector",
        "sprite.png": "projector",
        "tensors.tsv": "vectors",
        "metadata.tsv": "metadata",
        "events.out.tfevents.1": "passed_over",
        "stray.jpg": "passed_over",
        "__MACOSX/._sprite.png": "passed_over",
    }
    assert found["metadata"]["file"] == "metadata.tsv"
    assert found["total"] == COUNT + len(outcomes)


def test_json_and_bytes_of_the_standalone_projector_are_read(client: Client) -> None:
    address = "https://storage.example/oss_data/"
    embedding = {
        "tensorName": "digits",
        "tensorShape": [COUNT, 7],
        "tensorPath": address + "tensors.bytes",
        "metadataPath": address + "labels.txt",
        "sprite": {"imagePath": address + "sprite.jpg", "singleImageDim": [30, 20]},
    }
    files = {
        "config.json": json.dumps({"embeddings": [embedding]}).encode(),
        "data/tensors.bytes": VECTORS.astype("<f4").tobytes(),
        "data/labels.txt": lines(*(f"digit {k % 4}" for k in range(COUNT))),
        "data/sprite.jpg": sprite(width=30, height=20, form="JPEG"),
    }
    dataset_id = upload(client, files)
    assert np.array_equal(features(client, dataset_id), VECTORS)
    assert [
        (each["name"], each["metadata"]["label"], each["width"], each["height"]) for each in images(client, dataset_id)
    ] == [(f"{k:02d}.png", f"digit {k % 4}", 30, 20) for k in range(COUNT)]
    assert np.abs(np.subtract(shown(client, dataset_id, 7), colour(37 * 7))).max() < 12


def test_a_config_json_of_something_else_changes_nothing(client: Client) -> None:
    pictures = {name: photograph(k) for k, name in enumerate(NAMES)}
    dataset_id = upload(client, pictures | {"config.json": b'{"model": "x", "embeddings": 3}'})
    assert [each["name"] for each in images(client, dataset_id)] == NAMES
    assert client.get(f"/dataset/{dataset_id}").json()["backbone"] != "own"


def test_a_column_of_names_without_a_head_names_the_cells(client: Client) -> None:
    names = [f"{word} {k}" for k, word in enumerate(["zebra", "a/b", "łoś", "..x", *["cat"] * 8])]
    dataset_id = upload(client, FOLDER | {"metadata.tsv": lines(*names)})
    expected = sorted([f"{name}.png" for name in names[4:]] + ["zebra 0.png", "a_b 1.png", "łoś 2.png", "x 3.png"])
    found = images(client, dataset_id)
    assert [each["name"] for each in found] == expected
    zebra = expected.index("zebra 0.png")
    assert np.array_equal(features(client, dataset_id)[zebra], VECTORS[0])
    assert shown(client, dataset_id, zebra) == colour(0)


def test_without_metadata_cells_are_called_by_their_rows(client: Client) -> None:
    config = CONFIG.replace('  metadata_path: "metadata.tsv"\n', "").encode()
    dataset_id = upload(client, {**FOLDER, "projector_config.pbtxt": config})
    assert [(each["name"], each["metadata"]) for each in images(client, dataset_id)] == [
        (f"{k:02d}.png", {}) for k in range(COUNT)
    ]


def test_pictures_that_metadata_names_are_taken_rather_than_cells(client: Client) -> None:
    originals = {f"photos/{name}": photograph(k) for k, name in enumerate(NAMES[:5])}
    dataset_id = upload(client, FOLDER | originals)
    assert [each["name"] for each in images(client, dataset_id)] == NAMES
    assert client.get(f"/dataset/{dataset_id}/images/3").getvalue() == photograph(3)
    assert shown(client, dataset_id, 5) == colour(37 * 5)
    assert np.array_equal(features(client, dataset_id), VECTORS)


def test_without_a_sprite_the_pictures_that_metadata_names_are_taken(client: Client) -> None:
    config = CONFIG[: CONFIG.index("  sprite")] + "}\n"
    metadata = lines("path\tkind", *(f"/data/{name}\tk{k}" for k, name in enumerate(NAMES)))
    originals = {f"photos/{NAMES[k]}": photograph(k) for k in (7, 2)}
    files = {"projector_config.pbtxt": config.encode(), "tensors.tsv": tsv(), "metadata.tsv": metadata}
    dataset_id = upload(client, files | originals)
    assert [(each["name"], each["metadata"]) for each in images(client, dataset_id)] == [
        (NAMES[2], {"kind": "k2"}),
        (NAMES[7], {"kind": "k7"}),
    ]
    assert np.array_equal(features(client, dataset_id), VECTORS[[2, 7]])
    remarks = client.get(f"/dataset/{dataset_id}").json()["remarks"]
    assert remarks == ["10 of 12 vectors were not taken: there is no picture of them"]
    assert refused(client, files)["type"] == "urn:wwzd:error:projector-sprite"


def test_of_several_embeddings_the_first_is_taken_and_it_is_said(client: Client) -> None:
    second = CONFIG.replace("tensors.tsv", "other.tsv")
    dataset_id = upload(
        client, {**FOLDER, "projector_config.pbtxt": (CONFIG + second).encode(), "other.tsv": b"1\t2\n"}
    )
    assert np.array_equal(features(client, dataset_id), VECTORS)
    assert "the first of 2 embeddings" in report(client, dataset_id)["remarks"][0]


WORDS = ["łoś", "zebra", "1984", *(f"x{k}" for k in range(3, COUNT))]
LABELLED = b"\xef\xbb\xbf" + b"\r\n".join(
    word.encode() + b"\t" + line for word, line in zip(WORDS, tsv().splitlines(), strict=True)
)
BARE = CONFIG.replace('  metadata_path: "metadata.tsv"\n', "").encode()


@pytest.mark.parametrize("encoding", ["utf-8", "cp1250"])
def test_labels_of_tensors_are_a_field_where_no_metadata_say_more(client: Client, encoding: str) -> None:
    labelled = LABELLED.removeprefix(b"\xef\xbb\xbf") if encoding != "utf-8" else LABELLED
    labelled = labelled.replace("łoś".encode(), "łoś".encode(encoding)) + b"\r\n\r\n"
    words = ["cat" if k % 2 else word for k, word in enumerate(WORDS)]
    for word, label in zip(WORDS, words, strict=True):
        labelled = labelled.replace(b"\n%s\t" % word.encode(), b"\n%s\t" % label.encode())
    dataset_id = upload(client, FOLDER | {"projector_config.pbtxt": BARE, "tensors.tsv": labelled})
    assert np.array_equal(features(client, dataset_id), VECTORS)
    assert [(each["name"], each["metadata"]) for each in images(client, dataset_id)] == [
        (f"{k:02d}.png", {"label": words[k]}) for k in range(COUNT)
    ]
    assert report(client, dataset_id)["metadata"]["file"] == "tensors.tsv (labels)"


def test_labels_of_tensors_stand_beside_other_metadata(client: Client) -> None:
    dataset_id = upload(client, FOLDER | {"tensors.tsv": LABELLED})
    assert np.array_equal(features(client, dataset_id), VECTORS)
    assert [each["metadata"] for each in images(client, dataset_id)] == [
        {"kind": f"k{k % 3}", "age": k, "label": word} for k, word in enumerate(WORDS)
    ]
    table = lines("name\tLabel", *(f"{name}\tmine" for name in NAMES))
    dataset_id = upload(client, FOLDER | {"tensors.tsv": LABELLED, "metadata.tsv": table})
    assert {tuple(each["metadata"].items()) for each in images(client, dataset_id)} == {(("Label", "mine"),)}


def test_labels_that_differ_name_the_cells_and_some_rows_may_lack_them(client: Client) -> None:
    some = [b"%s\t%s" % (b"nan", line) if k < 2 else line for k, line in enumerate(tsv().splitlines())]
    dataset_id = upload(client, FOLDER | {"projector_config.pbtxt": BARE, "tensors.tsv": b"\n".join(some)})
    assert np.array_equal(features(client, dataset_id), VECTORS)
    dataset_id = upload(client, FOLDER | {"projector_config.pbtxt": BARE, "tensors.tsv": LABELLED})
    assert sorted(each["name"] for each in images(client, dataset_id)) == sorted(f"{word}.png" for word in WORDS)


PHOTOS = {f"{k}.jpg": photograph(k) for k in range(4)}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"projector_config.pbtxt": b"embeddings {"}, "it ends in the middle"),
        ({"projector_config.pbtxt": b" " * 2**21}, "larger than 1024 KiB"),
        ({"tensors.tsv": None}, "names tensors.tsv, which the ZIP does not have"),
        (
            {"projector_config.pbtxt": CONFIG.replace("tensors.tsv", "t.bytes").encode(), "t.bytes": b"1"},
            "tensor_shape",
        ),
        ({"tensors.tsv": tsv(VECTORS[:-1])}, "metadata.tsv has 12 rows and tensors.tsv 11"),
        ({"sprite.png": sprite(9)}, "have 9 cells of 40 × 40, and 12 are needed"),
        ({"tensors.tsv": b"1\t2\nx"}, "tensors.tsv cannot be used"),
        ({"projector_config.pbtxt": CONFIG.encode("utf-16")}, "projector_config.pbtxt"),
    ],
)
def test_pictures_beside_a_folder_that_cannot_be_used_are_read(
    client: Client, changes: dict[str, bytes | None], says: str
) -> None:
    files = {name: content for name, content in (FOLDER | changes | PHOTOS).items() if content is not None}
    dataset_id = upload(client, files)
    assert [each["name"] for each in images(client, dataset_id)] == list(PHOTOS)
    described = client.get(f"/dataset/{dataset_id}").json()
    assert described["backbone"] != "own"
    (remark,) = described["remarks"]
    assert "without the Embedding Projector's vectors" in remark
    assert says in remark
    found = report(client, dataset_id)
    assert remark in found["remarks"]
    by_name = {file["name"]: file for file in found["files"]}
    assert by_name["projector_config.pbtxt"]["outcome"] == "projector"
    assert by_name["projector_config.pbtxt"]["reason"].startswith("it was not used: ")
    assert says in by_name["projector_config.pbtxt"]["reason"]
    assert (by_name["sprite.png"]["outcome"], by_name["sprite.png"]["index"]) == ("projector", None)
    assert found["total"] == len(files) == sum(found["counts"].values())


def test_a_broken_configuration_tells_the_sprite_as_far_as_it_can_be_read(client: Client) -> None:
    broken = b'embeddings { sprite { image_path: "https://a.example/tiles of all.jpg" '
    files = {"projector_config.pbtxt": broken, "tiles of all.jpg": photograph(7)}
    assert refused(client, files)["type"] == "urn:wwzd:error:projector-config"
    dataset_id = upload(client, files | PHOTOS)
    assert [each["name"] for each in images(client, dataset_id)] == list(PHOTOS)


def test_a_damaged_configuration_costs_only_itself(client: Client) -> None:
    files = {"projector_config.pbtxt": CONFIG.encode(), "other_sprite.png": sprite()} | PHOTOS
    content = zipped(files, compression=zipfile.ZIP_STORED)
    at = content.index(CONFIG.encode()[:40])
    broken = content[:at] + b"x" * 40 + content[at + 40 :]
    dataset_id = client.post("/dataset", {"file": named(broken)}).content.decode()
    assert [each["name"] for each in images(client, dataset_id)] == list(PHOTOS)
    (remark,) = client.get(f"/dataset/{dataset_id}").json()["remarks"]
    assert "damaged in the ZIP" in remark


@pytest.mark.slow
def test_the_rest_of_such_pictures_can_be_had_later(client: Client) -> None:
    photos = {f"{k:04d}.png": encode(Image.new("RGB", (8, 8), colour(k)), "PNG") for k in range(1002)}
    broken = FOLDER | {"tensors.tsv": tsv(VECTORS[:-1])}  # which only the worker finds out
    first = upload(client, broken | photos)
    rest = client.post(f"/dataset/{first}/rest").json()["id"]
    assert [each["name"] for each in images(client, rest)] == ["1000.png", "1001.png"]
    assert client.get(f"/dataset/{rest}").json()["remarks"][0].startswith("1,001 to 1,002")


@pytest.mark.slow
def test_what_wwzd_exports_comes_back_as_it_was(client: Client) -> None:
    about = b"file,kind,age,=formula\n" + b"".join(b"%02d.jpg,-k%d,%d.5,true\n" % (k, k % 3, k) for k in range(COUNT))
    first = upload(client, {name: photograph(k) for k, name in enumerate(NAMES)} | {"metadata.csv": about})
    exported = client.get(f"/dataset/{first}/export?format=projector").getvalue()
    sent = zipfile.ZipFile(io.BytesIO(exported))
    again = upload(client, {name: sent.read(name) for name in sent.namelist()})
    assert again != first
    assert np.array_equal(features(client, again), features(client, first))
    before, after = images(client, first), images(client, again)
    assert [(each["name"], each["metadata"]) for each in after] == [(each["name"], each["metadata"]) for each in before]
    assert after[3]["metadata"] == {"kind": "-k0", "age": 3.5, "=formula": True}
    tile = np.asarray(Image.open(io.BytesIO(sent.read("sprite.jpg"))))[:50, 150:200]
    cell = Image.open(io.BytesIO(client.get(f"/dataset/{again}/images/3").getvalue()))
    assert np.array_equal(np.asarray(cell), tile)
    assert "the first of 3 embeddings" in client.get(f"/dataset/{again}").json()["remarks"][0]
    once_more = client.get(f"/dataset/{again}/export?format=projector").getvalue()
    assert zipfile.ZipFile(io.BytesIO(once_more)).read("metadata.tsv") == sent.read("metadata.tsv")


def test_without_metadata_an_export_comes_back_with_its_names(client: Client) -> None:
    names = ["=a.jpg", "b.webp", "c", "d.png"]
    first = upload(client, {name: photograph(k) for k, name in enumerate(names)})
    sent = zipfile.ZipFile(io.BytesIO(client.get(f"/dataset/{first}/export?format=projector").getvalue()))
    again = upload(client, {name: sent.read(name) for name in sent.namelist()})
    assert [each["name"] for each in images(client, again)] == ["=a.jpg", "b.webp", "c.png", "d.png"]
    assert np.array_equal(features(client, again), features(client, first))


def test_more_than_a_thousand_cells_can_be_had_later(client: Client) -> None:
    count = 1003
    vectors = np.random.default_rng(1).normal(size=(count, 3)).astype(np.float32)
    config = CONFIG.replace("40", "4").replace('  metadata_path: "metadata.tsv"\n', "")
    files = {"projector_config.pbtxt": config.encode(), "tensors.tsv": tsv(vectors), "sprite.png": sprite(count, 4, 4)}
    first = upload(client, files)
    assert np.array_equal(features(client, first), vectors[:1000])
    rest = client.post(f"/dataset/{first}/rest").json()["id"]
    assert np.array_equal(features(client, rest), vectors[1000:])
    assert [each["name"] for each in images(client, rest)] == ["1000.png", "1001.png", "1002.png"]
    assert report(client, rest)["counts"]["projector"] == 2


def test_the_id_is_of_what_was_sent(client: Client) -> None:
    sent = zipped(FOLDER)
    first, second = (client.post("/dataset", {"file": named(sent)}).content for _ in range(2))
    assert first == second
    assert upload(client, FOLDER | {"tensors.tsv": tsv(VECTORS + 1)}).encode() != first
    assert Dataset.objects.count() == 2


WITH_NAN = VECTORS.copy()
WITH_NAN[4, 2] = np.nan
BYTES = CONFIG.replace("tensors.tsv", "tensors.bytes")
SHAPED = BYTES.replace("  metadata", "  tensor_shape: 12\n  tensor_shape: 7\n  metadata")


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"projector_config.pbtxt": b"embeddings {"}, "projector-config", "it ends in the middle"),
        ({"projector_config.pbtxt": b"\x00\xff"}, "projector-config", "cannot be read at"),
        ({"projector_config.pbtxt": b'model_checkpoint_path: "x"'}, "projector-config", "names no embeddings"),
        ({"projector_config.pbtxt": b'embeddings { tensor_name: "x" }'}, "projector-config", "has a tensor_path"),
        ({"projector_config.pbtxt": b" " * 2**21}, "projector-config", "larger than 1024 KiB"),
        (
            {"projector_config.pbtxt": CONFIG.replace("    single_image_dim: 40\n", "").encode()},
            "projector-config",
            "give single_image_dim twice",
        ),
        ({"projector_config.pbtxt": BYTES.encode(), "tensors.bytes": b"1"}, "projector-config", "give tensor_shape"),
        ({"tensors.tsv": None}, "projector-file", "names tensors.tsv, which the ZIP does not have"),
        ({"metadata.tsv": None}, "projector-file", "names metadata.tsv"),
        ({"sprite.png": None}, "projector-file", "names sprite.png"),
        ({"tensors.tsv": tsv(VECTORS[:-1])}, "projector-count", "metadata.tsv has 12 rows and tensors.tsv 11"),
        ({"metadata.tsv": lines("label", *NAMES)}, "projector-count", "a single column has no head"),
        ({"sprite.png": sprite(9)}, "projector-sprite", "have 9 cells of 40 × 40, and 12 are needed"),
        ({"sprite.png": b"nonsense"}, "projector-sprite", "sprite.png cannot be used"),
        ({"sprite.png": sprite()[:-60]}, "projector-sprite", "sprite.png cannot be used"),
        ({"sprite.png": sliver_png(40_000, 40_000)}, "projector-sprite", "over the limit of 100 megapixels"),
        ({"tensors.tsv": tsv().replace(b"\t", b"\tx", 9)}, "vectors-unreadable", "not numbers"),
        ({"tensors.tsv": tsv().replace(b"\t", b",")}, "vectors-unreadable", "0 numbers"),
        ({"tensors.tsv": tsv() + b"1\t2\n", "metadata.tsv": lines(*"abcdefghijklm")}, "vectors-unreadable", "row 13"),
        ({"tensors.tsv": tsv(WITH_NAN)}, "vectors-unreadable", "row 4 holds numbers"),
        ({"tensors.tsv": b""}, "vectors-unreadable", "tensors.tsv cannot be used"),
        (
            {"projector_config.pbtxt": SHAPED.encode(), "tensors.bytes": VECTORS.tobytes()[:-4]},
            "vectors-unreadable",
            "it has 332 bytes, and 12 × 7 float32 numbers have 336",
        ),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused_and_leaves_nothing(
    client: Client, changes: dict[str, bytes | None], code: str, says: str, settings: LazySettings
) -> None:
    files = {name: content for name, content in (FOLDER | changes).items() if content is not None}
    answer = refused(client, files)
    assert answer["type"] == f"urn:wwzd:error:{code}"
    assert says in answer["error"]
    assert [path for path in (settings.DATA_DIR / "datasets").glob("*/*") if path.is_file()] == []


def test_a_folder_of_more_rows_than_a_zip_may_have_entries_is_refused(client: Client, settings: LazySettings) -> None:
    settings.MAX_MEMBERS = 11
    answer = refused(client, FOLDER)
    assert answer["type"] == "urn:wwzd:error:zip-entries"
    assert "has 12 rows; the limit is 11" in answer["error"]


def test_a_folder_is_added_to_pictures_of_such_a_folder(client: Client) -> None:
    first = upload(client, FOLDER)
    others = np.random.default_rng(6).normal(size=VECTORS.shape).astype(np.float32)
    rows = (f"more-{name}\tk{k % 3}\t{k}" for k, name in enumerate(NAMES))
    more = FOLDER | {"tensors.tsv": tsv(others), "metadata.tsv": lines("name\tkind\tage", *rows)}
    answer = client.post(f"/dataset/{first}/images", {"file": named(zipped(more))})
    assert answer.status_code in (200, 202), answer.content
    grown = answer.json()["id"]
    described = client.get(f"/dataset/{grown}").json()
    assert (described["status"], described["count"], described["added"]) == ("ready", 2 * COUNT, COUNT)
    assert np.array_equal(features(client, grown), np.concatenate([VECTORS, others]))
    assert [image["name"] for image in images(client, grown)][COUNT:] == [f"more-{name}" for name in NAMES]
    assert client.get(f"/dataset/{grown}/images/{COUNT + 2}").status_code == 200


def test_a_folder_cannot_be_added_to_pictures_with_the_networks_vectors(client: Client) -> None:
    first = upload(client, {name: photograph(k) for k, name in enumerate(NAMES)})
    answer = client.post(f"/dataset/{first}/images", {"file": named(zipped(FOLDER))})
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:wwzd:error:own-vectors"
    assert len(client.get("/dataset").json()["datasets"]) == 1


def test_of_a_broken_folder_that_is_added_to_such_pictures_it_is_said_what_is_wrong(client: Client) -> None:
    first = upload(client, FOLDER)
    broken = FOLDER | PHOTOS | {"projector_config.pbtxt": b"embeddings {"}
    answer = client.post(f"/dataset/{first}/images", {"file": named(zipped(broken))})
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:wwzd:error:projector-config"
