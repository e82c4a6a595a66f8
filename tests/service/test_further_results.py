"""What a catalogue lacks is computed by a process of its own, which ends when it is done."""

import io
import zipfile
from pathlib import Path

import pytest
from django.core.management import call_command

from datasets.catalogue import installed_catalogue
from tests.support.pictures import photograph
from tests.support.service import Service, alive, children_of, command_of

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads the process tree from /proc"),
    pytest.mark.django_db(transaction=True),
]


def test_they_are_computed_beside_the_worker(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "collection.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for index in range(12):
            archive.writestr(f"{index:02d}.jpg", photograph(index % 11))
    call_command("build_catalogue", str(path), stdout=io.StringIO(), stderr=io.StringIO())
    installed_catalogue.installed_folder(data).similarity_path.unlink()
    service = Service(data).start()
    try:
        worker = service.child("worker")
        service.wait_for(lambda: service.get("/catalogue/duplicates").status == 200, 60)
        groups = service.get("/catalogue/duplicates").json()["groups"]
        assert [entry["index"] for entry in groups[0]["images"]] == [0, 11]
        service.wait_for(lambda: not any("compute_results" in command_of(pid) for pid in children_of(worker)), 60)
        assert alive(worker)
    finally:
        service.stop()
