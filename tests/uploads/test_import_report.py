"""The import report: what became of each file of an archive."""

import io
import json
import zipfile
from typing import Any

import pytest
from django.test import Client
from PIL import Image, ImageFilter
from sklearn.datasets import load_sample_images

from datasets.models import Dataset
from datasets.storage.local_copy import contents
from tests.api.test_pictures import upload
from tests.support.pictures import encode, photograph, picture, zipped

pytestmark = pytest.mark.django_db(transaction=True)


def reported(client: Client, dataset_id: str) -> Any:
    response = client.get(f"/dataset/{dataset_id}/report")
    assert response.status_code == 200
    return json.loads(response.getvalue())


def detailed(place: int) -> Image.Image:
    """A cut of scikit-learn's photograph of a temple."""
    return Image.fromarray(load_sample_images().images[0]).crop((60 * place, 0, 60 * place + 300, 300))


def jpeg(image: Image.Image, quality: int = 92) -> bytes:
    return encode(image, "JPEG", quality=quality)


def test_every_file_has_its_outcome(client: Client, settings: Any) -> None:
    settings.MAX_MEGAPIXELS = 1
    files = {
        "a.jpg": jpeg(detailed(0)),
        "b-copy.jpg": jpeg(detailed(0)),
        "c-saved-anew.jpg": jpeg(detailed(0), quality=60),
        "d-blank.png": picture(555, (100, 100)),
        "e-small.png": encode(detailed(1).resize((20, 20)), "PNG"),
        "f-blurred.jpg": jpeg(detailed(2).filter(ImageFilter.GaussianBlur(12))),
        "g-broken.jpg": b"no picture at all",
        "h-cut.png": encode(detailed(3), "PNG")[:9000],
        "i-large.png": encode(Image.new("L", (2000, 2000)), "PNG"),
        "notes": b"without an ending",
        "notes.txt": b"passed over",
        ".hidden.jpg": photograph(9),
        "folder/inside.jpg": photograph(10),
        "__MACOSX/._a.jpg": b"macOS",
        "z.jpg": jpeg(detailed(5)),
    }
    report = reported(client, upload(client, files))
    outcomes = {file["name"]: (file["outcome"], file["index"]) for file in report["files"]}
    assert outcomes == {
        "a.jpg": ("row", 0),
        "b-copy.jpg": ("duplicate", 1),
        "c-saved-anew.jpg": ("near_duplicate", 2),
        "d-blank.png": ("blank", 3),
        "e-small.png": ("too_small", 4),
        "f-blurred.jpg": ("blurry", 5),
        "g-broken.jpg": ("unreadable", None),
        "h-cut.png": ("truncated", None),
        "i-large.png": ("too_large", None),
        "notes": ("passed_over", None),
        "notes.txt": ("passed_over", None),
        ".hidden.jpg": ("passed_over", None),
        "folder/inside.jpg": ("passed_over", None),
        "__MACOSX/._a.jpg": ("passed_over", None),
        "z.jpg": ("row", 6),
    }
    assert report["counts"]["passed_over"] == 5
    assert report["total"] == sum(report["counts"].values()) == len(files)
    by_name = {file["name"]: file for file in report["files"]}
    assert by_name["b-copy.jpg"]["of"] == by_name["c-saved-anew.jpg"]["of"] == 0
    for file in report["files"]:
        assert file["reason"] or file["outcome"] == "row"
        for remark in file["remarks"]:
            assert "of" in remark or remark["value"] < remark["threshold"]
    assert Dataset.objects.get().count == 7


def test_the_later_of_two_files_of_one_name_counts(client: Client) -> None:
    content = io.BytesIO()
    content.name = "photos.zip"
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a.jpg", jpeg(detailed(0)))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.jpg", jpeg(detailed(1)))
    content.seek(0)
    dataset_id = client.post("/dataset", {"file": content}).content.decode()
    outcomes = [(file["outcome"], file["index"]) for file in reported(client, dataset_id)["files"]]
    assert outcomes == [("row", 0), ("replaced", None)]


@pytest.mark.slow
def test_what_comes_after_the_first_thousand_is_named(client: Client) -> None:
    files = {f"{k:04d}.png": picture(k % 1000, (8, 8)) for k in range(1003)}
    report = reported(client, upload(client, files))
    beyond = [file["name"] for file in report["files"] if file["outcome"] == "beyond"]
    assert beyond == ["1000.png", "1001.png", "1002.png"]
    assert report["total"] == 1003


def test_thousands_of_ignored_files_are_counted(client: Client) -> None:
    files = {f"folder/{k}.txt": b"" for k in range(10_050)} | {"a.jpg": photograph(1)}
    report = reported(client, upload(client, files))
    assert report["counts"] == {"passed_over": 10_050, "row": 1}
    assert report["unlisted"] == 50
    assert len(report["files"]) == 10_001


def test_a_report_needs_a_dataset(client: Client) -> None:
    assert client.get("/dataset/0123456789abcdef0123456789abcdef/report").status_code == 404


def test_an_upload_without_a_readable_picture_reports_each_file(client: Client) -> None:
    files = {"a.jpg": b"no picture", "b.png": photograph(1, form="PNG")[:300], "metadata.csv": b"file,x\na.jpg,1\n"}
    file = io.BytesIO(zipped(files | {"notes.txt": b"-", "in/c.jpg": photograph(2)}))
    file.name = "photos.zip"
    response = client.post("/dataset", {"file": file})
    assert response.status_code == 400
    dataset = Dataset.objects.get()
    path = f"/dataset/{dataset.hash}/report"
    assert response["Link"] == f'<{path}>; rel="describedby"'
    report = reported(client, dataset.hash)
    assert {file["name"]: (file["outcome"], file["index"]) for file in report["files"]} == {
        "a.jpg": ("unreadable", None),
        "b.png": ("truncated", None),
        "in/c.jpg": ("passed_over", None),
        "metadata.csv": ("metadata", None),
        "notes.txt": ("passed_over", None),
    }
    assert report["total"] == 5
    assert client.get(path)["Cache-Control"] == "no-cache"
    assert client.get(f"/dataset/{dataset.hash}").json()["links"] == {
        "self": f"/dataset/{dataset.hash}",
        "report": path,
    }
    # Nothing else is left of it, and it goes when it is deleted.
    assert [path.name for path in contents(dataset.folder)] == ["report.json"]
    assert client.get(f"/dataset/{dataset.hash}/tilemap").status_code == 404
    assert client.delete(f"/dataset/{dataset.hash}").status_code == 204
    assert client.get(path).status_code == 404
    assert not dataset.folder.exists()


def test_an_upload_that_fails_after_its_files_were_read_keeps_its_report(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OSError("no more memory, say")

    monkeypatch.setattr("embeddings.pipeline.Pipeline.place", fail)
    archive = zipped({"a.jpg": photograph(1), "b.jpg": b"no picture"})

    def send() -> Any:
        file = io.BytesIO(archive)
        file.name = "photos.zip"
        return client.post("/dataset", {"file": file})

    assert send().status_code == 500
    dataset = Dataset.objects.get()
    assert reported(client, dataset.hash)["counts"] == {"row": 1, "unreadable": 1}
    assert [path.name for path in contents(dataset.folder)] == ["report.json", "source.zip"]
    monkeypatch.undo()
    assert send().content.decode() == dataset.hash
    assert reported(client, dataset.hash)["counts"] == {"row": 1, "unreadable": 1}


def test_an_archive_that_cannot_be_opened_has_no_report(client: Client) -> None:
    file = io.BytesIO(b"no ZIP")
    file.name = "photos.zip"
    response = client.post("/dataset", {"file": file})
    assert response.status_code == 400
    assert not response.has_header("Link")


def test_a_cut_jpeg_has_a_row_with_a_remark_and_what_is_not_read_is_named(client: Client) -> None:
    cut = photograph(3, (300, 200))
    raw = b"II*\0\x10\0\0\0CR\2\0" + bytes(500)
    dataset_id = upload(
        client, {"a.jpg": photograph(1), "b.jpg": cut[: int(len(cut) * 0.8)], "c.cr2": raw, "d.heic": b"-"}
    )
    files = {file["name"]: file for file in reported(client, dataset_id)["files"]}
    assert (files["a.jpg"]["outcome"], files["b.jpg"]["outcome"], files["b.jpg"]["index"]) == ("row", "truncated", 1)
    assert files["b.jpg"]["remarks"][0]["kind"] == "truncated"
    assert "ends early" in files["b.jpg"]["reason"]
    assert (files["c.cr2"]["outcome"], files["c.cr2"]["index"]) == ("unreadable", None)
    assert "RAW photograph (CR2): convert it" in files["c.cr2"]["reason"]
    assert files["d.heic"]["outcome"] == "unreadable"
