"""The report of a catalogue: what became of each file of its source and of the files of metadata."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from datasets.catalogue import build_directory, build_report, builder, installation, installed_catalogue
from datasets.catalogue.build_directory import BuildDirectory
from datasets.catalogue.sources import OpenSource
from datasets.pictures import pipeline_settings
from tests.api.test_pictures import upload
from tests.support.pictures import photograph, picture, zipped
from tests.support.problems import sentence

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("small_network")]

PIXELS = 10**8
MIXED = {
    "a.jpg": photograph(1),
    "b-copy.jpg": photograph(1),
    "c-blank.png": picture(555, (100, 100)),
    "d-broken.jpg": b"no picture at all",
    "e-cut.png": photograph(3, form="PNG")[:400],
    "f.jpg": photograph(4),
    "notes": b"without an ending",
    "notes.txt": b"passed over",
    ".hidden.jpg": photograph(9),
    "z-broken.jpg": b"nor this",
}


def write(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def manage(command: str, *options: Any, **more: Any) -> str:
    said = io.StringIO()
    call_command(command, *map(str, options), stdout=said, stderr=said, **more)
    return said.getvalue()


def report(client: Client, path: str = "/catalogue/report") -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    assert answer["Cache-Control"] == "public, no-cache"
    found = json.loads(answer.getvalue())
    assert found["total"] == sum(found["counts"].values()) == len(found["files"]) + found["unlisted"]
    return found


def outcomes(found: Any) -> dict[str, tuple[str, int | None]]:
    return {file["name"]: (file["outcome"], file["index"]) for file in found["files"]}


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_it_says_of_the_same_files_what_an_upload_says(client: Client, tmp_path: Path, kind: str) -> None:
    source = write(tmp_path / "mixed", MIXED)
    if kind == "zip":
        source = tmp_path / "mixed.zip"
        source.write_bytes(zipped(MIXED))
    manage("build_catalogue", source)
    found = report(client)
    as_upload = report_of_upload(client)
    for key in ("files", "counts", "rows", "total", "unlisted", "remarks"):
        assert found[key] == as_upload[key], key
    assert outcomes(found)["b-copy.jpg"] == ("duplicate", 1)
    assert (found["metadata"], found["metadata_files"]) == (None, [])
    (listed,) = client.get("/catalogues").json()["catalogues"]
    assert report(client, f"/dataset/{listed['id']}/report") == found


def report_of_upload(client: Client) -> Any:
    found: Any = json.loads(client.get(f"/dataset/{upload(client, MIXED)}/report").getvalue())
    return found


def test_what_a_source_has_beside_its_pictures_is_told(client: Client, tmp_path: Path) -> None:
    source = write(tmp_path / "photos", {"a.jpg": photograph(1)})
    write(source / "more", {"b.jpg": photograph(2)})
    manage("build_catalogue", source)
    assert {file["name"]: file["reason"] for file in report(client)["files"]} == {"a.jpg": "", "more": "it is a folder"}
    archive = tmp_path / "photos.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("in/a.jpg", "in/b.jpg", "other/c.jpg", "__MACOSX/in/._a.jpg"):
            file.writestr(name, photograph(5))
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr("in/b.jpg", photograph(6))
    manage("build_catalogue", archive)
    assert outcomes(report(client)) == {
        "a.jpg": ("row", 0),
        "b.jpg": ("row", 1),
        "in/b.jpg": ("replaced", None),
        "other/c.jpg": ("passed_over", None),
        "__MACOSX/in/._a.jpg": ("passed_over", None),
    }


@pytest.mark.slow
def test_a_build_that_was_interrupted_reports_what_an_undisturbed_one_does(
    client: Client, data: Path, tmp_path: Path
) -> None:
    tiny = {f"{k:04d}.png": picture(k, (8, 8)) for k in range(1000)}
    files = {f"{'0500' if k < 2 else '2'}{k}x.jpg": b"no picture" for k in range(5)} | {"3": b"no ending"}
    source = write(tmp_path / "photos", tiny | files)
    manage("build_catalogue", source)
    calm = report(client)
    assert (calm["counts"]["passed_over"], calm["counts"]["unreadable"], calm["rows"]) == (1, 5, 1000)
    for until in (700, 1003):  # in the first range, and among the files that come after its last picture
        interrupted(data, source, until)
        assert (data / "build" / "ranges" / "000.json").exists() == (until > 1000)
    (source / "late.txt").write_bytes(b"it came while the build was interrupted")
    manage("build_catalogue", source)
    later = report(client)
    assert outcomes(later) == outcomes(calm) | {"late.txt": ("passed_over", None)}
    manage("fit_reducers", "--again")
    assert report(client) == later


def interrupted(data: Path, source: Path, until: int) -> None:
    """A build that someone stops after so many files."""
    done = 0

    def stop(count: int) -> None:
        nonlocal done
        done += count
        if done >= until:
            raise KeyboardInterrupt

    pipeline = pipeline_settings.pipeline()
    with OpenSource(source) as opened:
        work = build_directory.open_work(data, opened, pipeline, name="photos", demo=False, restart=False)
        with pytest.raises(KeyboardInterrupt):
            builder.extract(work, opened, pipeline, PIXELS, stop)


def test_files_are_listed_up_to_a_limit_and_all_are_counted(client: Client, tmp_path: Path) -> None:
    files = {f"{k:05d}.txt": b"" for k in range(build_directory.LISTED + 50)}
    manage("build_catalogue", write(tmp_path / "photos", files | {"a.jpg": photograph(1), "b.jpg": b"no picture"}))
    found = report(client)
    assert found["counts"] == {"passed_over": build_directory.LISTED + 50, "row": 1, "unreadable": 1}
    assert (len(found["files"]), found["unlisted"], found["rows"]) == (build_directory.LISTED, 52, 1)
    assert "52 files are counted and not listed" in found["remarks"][0]


def test_of_many_pictures_those_without_a_row_and_with_a_remark_are_listed_first(tmp_path: Path) -> None:
    count = build_directory.LISTED
    facts = {
        **{"width": [100] * count, "height": [100] * count, "size": [1] * count, "sharpness": [0.5] * count},
        **{"contrast": [0.0 if k % 100 == 0 else 40.0 for k in range(count)], "digest": ["00" * 16] * count},
        **{"media_type": ["image/jpeg"] * count, "fingerprint": ["00" * 8] * count},
        **{"tile_width": [48] * count, "tile_height": [48] * count, "truncated": [False] * count},
    }
    skipped = [{"name": f"{k}z.jpg", "reason": "damaged", "kind": "too_large"} for k in range(30)]
    record = {"names": [f"{k:06d}.jpg" for k in range(count)], "facts": facts, "skipped": skipped, "taken": count + 30}
    work = BuildDirectory(path=tmp_path)
    work.note_passed_over([])
    found = build_report.reported(work, [record])
    listed = [file["outcome"] for file in found["files"]]
    assert {kind: listed.count(kind) for kind in set(listed)} == {"too_large": 30, "blank": 100, "row": count - 130}
    assert found["counts"] == {"blank": 100, "row": count - 100, "too_large": 30}
    assert (found["unlisted"], found["rows"], found["total"]) == (30, count, count + 30)


def built(tmp_path: Path) -> None:
    manage("build_catalogue", write(tmp_path / "photos", {f"{k}.jpg": photograph(k) for k in range(6)}))


def test_files_of_metadata_that_are_read_later_are_told(client: Client, tmp_path: Path) -> None:
    built(tmp_path)
    before = client.get("/catalogue/report")
    assert client.get("/catalogue/report", headers={"If-None-Match": before["ETag"]}).status_code == 304
    (tmp_path / "a.csv").write_text("file,age\n0.jpg,3\nnobody.jpg,4\n")
    (tmp_path / "b.csv").write_text("file,kind\n0.jpg,wild\n1.jpg,garden\n")
    (tmp_path / "none.csv").write_text("file,kind\nx.jpg,wild\ny.jpg,garden\n")
    (tmp_path / "bad.json").write_text("{")
    manage("import_metadata", tmp_path / "a.csv", tmp_path / "b.csv")
    assert client.get("/catalogue/report", headers={"If-None-Match": before["ETag"]}).status_code == 200
    found = report(client)
    assert [each["file"] for each in found["metadata_files"]] == ["a.csv", "b.csv"]
    assert found["metadata"] == found["metadata_files"][-1]
    first = found["metadata_files"][0]
    assert (first["fields"], first["pictures"], first["unmatched"], first["unmatched_names"]) == (
        1,
        1,
        1,
        ["nobody.jpg"],
    )
    assert outcomes(found)["a.csv"] == ("metadata", None)
    assert "name no picture (nobody.jpg)" in next(file["reason"] for file in found["files"] if file["name"] == "a.csv")
    assert found["counts"]["metadata"] == 2
    for name in ("none.csv", "bad.json"):
        with pytest.raises(CommandError):
            manage("import_metadata", tmp_path / name)
    (tmp_path / "a.csv").write_text("file,age\n0.jpg,3\n")
    manage("import_metadata", tmp_path / "a.csv")
    found = report(client)
    assert [(each["file"], each["fields"], each["unmatched"]) for each in found["metadata_files"]] == [
        ("b.csv", 1, 0),
        ("none.csv", 0, 2),
        ("bad.json", 0, 0),
        ("a.csv", 1, 0),
    ]
    assert found["metadata_files"][2]["remarks"][0].startswith("it was not used: ")


def test_where_there_is_none_it_is_said_why(client: Client, data: Path, tmp_path: Path) -> None:
    assert client.get("/catalogue/report").status_code == 404
    arrays = {name: np.zeros((10, 3), np.float32) for name in ("pca", "umap")}
    installation.install(data, arrays, name="Old")
    answer = client.get("/catalogue/report")
    assert "was not built here" in sentence(answer.json(), 404)
    assert answer.json()["type"] == "urn:wwzd:error:report-missing"
    built(tmp_path)
    folder = installed_catalogue.installed_folder(data)
    kept = report(client)
    folder.report_path.unlink()
    (folder.path / "passed_over.json").unlink()
    answer = client.get(f"/dataset/{folder.path.name}/report")
    assert "built before reports were made" in sentence(answer.json(), 404)
    manage("fit_reducers", "--again")
    again = report(client)
    assert again["files"] == kept["files"]
    assert "which files were passed over is not known" in again["remarks"][0]


def test_the_export_holds_it(client: Client, tmp_path: Path) -> None:
    built(tmp_path)
    archive = zipfile.ZipFile(io.BytesIO(client.get("/catalogue/export").getvalue()))
    assert json.loads(archive.read("report.json")) == report(client)
    assert "report.json" in json.loads(archive.read("manifest.json"))["files"]
