"""Two hosts' copies of a folder in a store, which is a third folder here: what one changes the other finds."""

import json
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from datasets.models import NotStored, StoredFolder
from datasets.storage import local_copy, objects

pytest.importorskip("obstore", reason="it comes with: make test-scale")
pytestmark = pytest.mark.django_db(transaction=True)

NAME = "datasets/0123"


@pytest.fixture
def bucket(bucket: Path) -> Path:
    StoredFolder.objects.renew(NAME)
    return bucket


@pytest.fixture
def here(bucket: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    write(folder, "manifest.json", b"{}")
    write(folder, "layouts/pca.npy", b"places")
    write(folder, "features.npy", b"features" * 100)
    write(folder, "tilemaps/000.jpg", b"tiles")
    write(folder, "layouts/.forming.npy", b"half")
    StoredFolder.objects.store(NAME, folder)
    return folder


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / "there"


def write(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def follow(folder: Path) -> None:
    assert StoredFolder.objects.update_copy(NAME, folder)


def names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in local_copy.contents(folder)]


def objects_in(bucket: Path) -> int:
    return sum(path.is_file() for path in bucket.rglob("*"))


def test_another_host_has_what_everybody_needs_and_fetches_the_rest(here: Path, there: Path) -> None:
    follow(there)
    assert names(there) == ["layouts/pca.npy", "manifest.json"]
    assert local_copy.is_stored(there / "features.npy")
    assert not local_copy.is_stored(there / "features-1.npy")
    assert local_copy.fetched(there / "features.npy").read_bytes() == b"features" * 100
    with local_copy.opened(there / "tilemaps/000.jpg") as file:
        file.seek(2)
        assert file.read(2) == b"le"
    assert not (there / "tilemaps/000.jpg").exists()
    for name in ("layouts/pca.npy", "features.npy"):
        assert (there / name).stat().st_mtime_ns == (here / name).stat().st_mtime_ns


def test_what_is_changed_added_and_removed_follows(here: Path, there: Path, bucket: Path) -> None:
    follow(there)
    write(there, "saved_views.json", b"[]")
    (there / "layouts/pca.npy").unlink()
    write(there, "manifest.json", b'{"a": 1}')
    StoredFolder.objects.store(NAME, there)
    follow(here)
    assert (here / "manifest.json").read_bytes() == b'{"a": 1}'
    assert (here / "saved_views.json").exists()
    assert not (here / "layouts/pca.npy").exists()
    assert (here / "features.npy").exists()
    assert objects_in(bucket) == len(StoredFolder.objects.get().files) == 4


def test_what_two_hosts_change_at_once_is_joined(here: Path, there: Path) -> None:
    follow(there)
    write(here, "layouts/a.json", b"a")
    write(there, "layouts/b.json", b"b")
    StoredFolder.objects.store(NAME, here)
    StoredFolder.objects.store(NAME, there)
    follow(here)
    assert (here / "layouts/b.json").read_bytes() == b"b"
    follow(there)
    assert (there / "layouts/a.json").read_bytes() == b"a"


def test_nothing_is_sent_twice(here: Path, bucket: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in bucket.rglob("*") if path.is_file()}
    revision = StoredFolder.objects.get().revision
    assert StoredFolder.objects.store(NAME, here) == revision
    os.utime(here / "features.npy")  # computed again, with the same result
    assert StoredFolder.objects.store(NAME, here) != revision
    assert {path: path.stat().st_mtime_ns for path in bucket.rglob("*") if path.is_file()} == before


def test_who_is_late_stores_nothing(here: Path, there: Path, bucket: Path) -> None:
    follow(there)
    write(there, "manifest.json", b"late")

    def refuse(revision: str) -> bool:
        return False

    with pytest.raises(NotStored):
        StoredFolder.objects.store(NAME, there, publish=refuse)
    assert json.loads((here / "manifest.json").read_bytes()) == {}
    StoredFolder.objects.discard(NAME)
    with pytest.raises(NotStored):
        StoredFolder.objects.store(NAME, there)
    assert not StoredFolder.objects.update_copy(NAME, there)


def test_what_another_host_removed_is_stored_anew(here: Path, there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at the row and the row's change."""
    follow(there)
    write(there, "layouts/b.json", b"b")
    put = objects.ObjectStore.put
    revisions: list[str] = []

    def put_late(self: objects.ObjectStore, files: Iterable[tuple[str, Path]]) -> None:
        if not revisions:
            revisions.append(StoredFolder.objects.keep(NAME, lambda path: path != "manifest.json"))
        put(self, files)

    monkeypatch.setattr(objects.ObjectStore, "put", put_late)
    StoredFolder.objects.store(NAME, there)
    stored = StoredFolder.objects.get()
    assert set(stored.files) == {
        "manifest.json",
        "layouts/b.json",
        "layouts/pca.npy",
        "features.npy",
        "tilemaps/000.jpg",
    }
    (here / "manifest.json").unlink()
    follow(here)
    assert (here / "manifest.json").read_bytes() == b"{}"


def test_files_of_a_folder_that_grows_are_copied_within_the_store(
    here: Path, bucket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = tmp_path / "child"
    (child / "layouts").mkdir(parents=True)
    os.link(here / "features.npy", child / "features.npy")
    write(child, "layouts/pca.npy", b"more places")
    StoredFolder.objects.renew("datasets/4567")
    sent: list[str] = []
    put = objects.ObjectStore.put

    def put_noted(self: objects.ObjectStore, files: Iterable[tuple[str, Path]]) -> None:
        found = list(files)
        sent.extend(key for key, _ in found)
        put(self, found)

    monkeypatch.setattr(objects.ObjectStore, "put", put_noted)
    StoredFolder.objects.store("datasets/4567", child, like=[NAME])
    assert [key.rpartition("/")[2] for key in sent] == ["pca.npy"]
    StoredFolder.objects.discard(NAME)
    copy = tmp_path / "copy"
    assert StoredFolder.objects.update_copy("datasets/4567", copy)
    assert local_copy.fetched(copy / "features.npy").read_bytes() == b"features" * 100


def test_a_folder_that_is_made_anew_has_nothing_of_the_old_one(here: Path, there: Path, bucket: Path) -> None:
    follow(there)
    StoredFolder.objects.renew(NAME)
    assert objects_in(bucket) == 0
    follow(there)
    assert names(there) == []


def test_an_edit_sees_what_other_hosts_did(here: Path, there: Path) -> None:
    follow(there)
    write(here, "saved_views.json", b"first")
    StoredFolder.objects.store(NAME, here)
    with StoredFolder.objects.edited(NAME, there) as edit:
        assert (there / "saved_views.json").read_bytes() == b"first"
        write(there, "saved_views.json", b"first, second")
        edit.store()
    follow(here)
    assert (here / "saved_views.json").read_bytes() == b"first, second"


def test_an_old_copy_is_not_taken_for_a_change(here: Path, there: Path) -> None:
    write(here, "saved_views.json", b"first")
    StoredFolder.objects.store(NAME, here)
    follow(there)
    write(here, "saved_views.json", b"second")
    StoredFolder.objects.store(NAME, here)
    write(there, "layouts/b.json", b"computed meanwhile")
    StoredFolder.objects.store(NAME, there)
    follow(here)
    assert (here / "saved_views.json").read_bytes() == b"second"
    assert (here / "layouts/b.json").exists()


def test_what_an_edit_replaces_is_there_until_the_edit_is_certain(here: Path, there: Path) -> None:
    def edit_half() -> None:
        with StoredFolder.objects.edited(NAME, here) as edit:
            write(here, "manifest.json", b'{"a": 1}')
            edit.store()
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        edit_half()
    follow(there)
    assert (there / "manifest.json").read_bytes() == b"{}"


def test_what_was_stored_in_vain_is_stored_again(here: Path, there: Path) -> None:
    def store_in_vain() -> None:
        with transaction.atomic():
            StoredFolder.objects.store(NAME, here)
            raise OSError("the database is full")

    write(here, "manifest.json", b'{"a": 1}')
    with pytest.raises(OSError, match="the database is full"):
        store_in_vain()
    StoredFolder.objects.store(NAME, here)
    follow(there)
    assert (there / "manifest.json").read_bytes() == (here / "manifest.json").read_bytes() == b'{"a": 1}'


def test_what_was_left_outdated_is_brought_up_to_date_later(here: Path, there: Path) -> None:
    follow(there)
    write(here, "pointer.json", b"1")
    StoredFolder.objects.store(NAME, here)
    with StoredFolder.objects.edited(NAME, there, leave=["pointer.json"]) as edit:
        write(there, "saved_views.json", b"views")
        edit.store()
    assert not (there / "pointer.json").exists()
    StoredFolder.objects.update_copy(NAME, there, StoredFolder.objects.get().revision)
    assert (there / "pointer.json").read_bytes() == b"1"


def test_what_is_changed_and_not_stored_yet_outlives_another_change(here: Path, there: Path) -> None:
    follow(there)
    write(there, "saved_views.json", b"first")
    StoredFolder.objects.store(NAME, there)
    follow(here)
    write(here, "saved_views.json", b"first, second")
    write(there, "layouts/b.json", b"computed meanwhile")
    StoredFolder.objects.store(NAME, there)
    follow(here)
    assert (here / "saved_views.json").read_bytes() == b"first, second"
    StoredFolder.objects.store(NAME, here)
    follow(there)
    assert (there / "saved_views.json").read_bytes() == b"first, second"


def test_a_copy_does_not_go_back(here: Path, there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    follow(there)
    write(here, "layouts/b.json", b"1")
    StoredFolder.objects.store(NAME, here)
    locked = local_copy.locked

    @contextmanager
    def locked_later(folder: Path) -> Iterator[None]:
        """By another thread first, which brings what was stored meanwhile."""
        monkeypatch.setattr(local_copy, "locked", locked)
        write(here, "layouts/b.json", b"2")
        StoredFolder.objects.store(NAME, here)
        follow(there)
        with locked(folder):
            yield

    monkeypatch.setattr(local_copy, "locked", locked_later)
    follow(there)
    assert (there / "layouts/b.json").read_bytes() == b"2"
    assert local_copy.state(there) == StoredFolder.objects.get().state


def test_a_copy_is_as_old_as_itself(here: Path, bucket: Path) -> None:
    """What is swept is old and unknown, and a copy is unknown until a row speaks of it."""
    source = StoredFolder.objects.get().state.key("features.npy")
    os.utime(bucket / source, (0, 0))
    objects.store().copy([(source, "datasets/0123/new/features.npy")])
    written = dict(objects.store().listed("datasets"))["datasets/0123/new/features.npy"]
    assert timezone.now() - written < timedelta(minutes=1)
    assert (bucket / "datasets/0123/new/features.npy").samefile(bucket / source)


def test_what_no_row_speaks_of_is_swept(here: Path, bucket: Path) -> None:
    write(bucket, f"datasets/gone/{secrets.token_hex(4)}/x/manifest.json", b"{}")
    kept = objects_in(bucket) - 1
    StoredFolder.objects.remove_unknown(timedelta(hours=1))
    assert objects_in(bucket) == kept + 1  # it may just be being written
    time.sleep(0.01)
    StoredFolder.objects.remove_unknown(timedelta(0))
    assert objects_in(bucket) == kept


def test_a_store_that_is_away_is_told(settings: Settings, here: Path) -> None:
    settings.STORAGE_URL = "s3://bucket/wwzd"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        patch.setenv("AWS_ACCESS_KEY_ID", "key")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        write(here, "manifest.json", b"changed")
        with pytest.raises(objects.StorageAway):
            StoredFolder.objects.store(NAME, here)
