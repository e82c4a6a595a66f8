"""Files that the page packs: what comes along, what is left out, and what is said of it at the end."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, expect

from tests.support.chromium import Visit
from tests.support.pictures import photograph, zipped
from tests.support.service import Service


def written(folder: Path, files: dict[str, bytes]) -> Path:
    """A folder with these files in it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def shown(visit: Visit, service: Service) -> tuple[str, list[str]]:
    """The id of the dataset that is looked at, and its names, once it is all computed."""
    visit.wait("wwzd.viewer.collection?.kind === 'dataset'", 240)
    dataset_id = str(visit.page.evaluate("wwzd.viewer.collection.id"))
    service.wait_for(lambda: service.get(f"/dataset/{dataset_id}").json()["status"] == "ready")
    return dataset_id, [image["name"] for image in service.get(f"/dataset/{dataset_id}/images").json()["images"]]


def test_a_folder_comes_with_its_metadata_and_without_what_is_hidden(
    visit: Visit, service: Service, tmp_path: Path
) -> None:
    files = {f"{index}.jpg": photograph(500 + index) for index in range(4)}
    hidden = {"._0.jpg": b"macOS", ".hidden.jpg": photograph(1), ".cache/a.jpg": photograph(2), "@eaDir/b.jpg": b"-"}
    table = b"file,kind\n" + b"".join(f"{name},wild\n".encode() for name in files)
    others = {"metadata.csv": table, "sub/metadata.csv": b"file,kind\n0.jpg,wrong\n", "notes.txt": b"-"}
    folder = written(tmp_path / "holiday", files | hidden | others)
    visit.open()
    visit.page.set_input_files("#folder", folder)
    dataset_id, names = shown(visit, service)
    assert names == sorted(files)
    field = service.get(f"/dataset/{dataset_id}/images/fields/kind").json()
    assert (field["texts"], field["values"]) == (["wild"], [0, 0, 0, 0])
    expect(visit.page.locator("#uploader")).to_contain_text(
        "2 files are no pictures and were left out.", timeout=60_000
    )


@pytest.mark.parametrize("moment", [-1e9, 0, 3e8, 5e9])
def test_any_date_of_a_file_can_be_packed(visit: Visit, service: Service, tmp_path: Path, moment: float) -> None:
    paths = []
    for index in range(2):
        path = tmp_path / f"{index}.jpg"
        path.write_bytes(photograph(600 + index + int(moment) % 97))
        os.utime(path, (moment, moment))
        paths.append(path)
    visit.open()
    visit.page.set_input_files("#files", paths)
    assert shown(visit, service)[1] == ["0.jpg", "1.jpg"]


def test_several_zips_and_a_zip_among_pictures_get_a_true_sentence(visit: Visit) -> None:
    visit.open()
    archive = zipped({"a.jpg": photograph(1)})

    def choose(*names: str) -> None:
        files = [FilePayload(name=name, mimeType="", buffer=archive) for name in names]
        visit.page.set_input_files("#files", files)

    alert = visit.page.locator("#uploader [role=alert]")
    choose("a.zip", "b.zip")
    expect(alert).to_have_text("These are 2 ZIPs: drop one at a time, each becomes a collection of its own.")
    choose("a.zip", "b.jpg")
    expect(alert).to_have_text("“a.zip” is a ZIP among other files: drop it alone, or the pictures without it.")


def test_a_zip_with_a_stray_beside_a_full_folder_says_so(visit: Visit) -> None:
    files = {"stray.jpg": photograph(1)} | {f"photos/{index}.jpg": photograph(700 + index) for index in range(5)}
    visit.open()
    visit.page.set_input_files("#files", FilePayload(name="stray.zip", mimeType="", buffer=zipped(files)))
    expect(visit.page.locator("#uploader .outcome")).to_contain_text(
        "5 pictures in folders were not taken", timeout=120_000
    )
