"""What names a server: made once in its data folder, on any file system."""

import errno
from pathlib import Path

import pytest

from wwzd import data_folder


def no_links(path: Path, target: Path) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


@pytest.mark.parametrize("has_links", [True, False])
def test_it_is_made_once_and_for_its_owner_only(
    tmp_path: Path, has_links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_links:
        monkeypatch.setattr(Path, "hardlink_to", no_links)
    folder = tmp_path / "one"
    first = data_folder.server_id(folder)
    assert len(first) == 12
    assert data_folder.server_id(folder) == first
    assert data_folder.server_id(tmp_path / "other") != first
    assert data_folder.secret_key(folder) == data_folder.secret_key(folder)
    assert {path.name for path in folder.iterdir()} == {"server_id", "secret_key"}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_one_that_another_process_has_made_meanwhile_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slower(path: Path, target: Path) -> None:
        path.write_text("another")
        raise FileExistsError

    monkeypatch.setattr(Path, "hardlink_to", slower)
    assert data_folder.server_id(tmp_path / "one") == "another"
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["server_id"]
