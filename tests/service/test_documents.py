"""The documents do what they say: their commands and their Python are run against the service."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.clustered_pictures import FILES
from tests.support.paths import ROOT
from tests.support.pictures import encode, photograph, zipped
from tests.support.service import Service

API = ROOT / "docs" / "api.md"
DOCUMENTS = (ROOT / "README.md", API, ROOT / "docs" / "uploads.md")
"""Those with commands that are run."""
ADDRESS = "http://localhost:5000"

_ID = re.compile("[0-9a-f]{32}")
_NUMBER = re.compile(r'(Retry-After: )[0-9]+|-?[0-9]+\.[0-9]+|(,)(?:"[0-9]+")?$', re.MULTILINE)
"""Figures, and a picture's cluster at the end of a line."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A command, and what the document shows of its output."""

    command: str
    shown: str


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """With the demo, as after a first start."""
    data = tmp_path_factory.mktemp("docs") / "data"
    running = Service(data)
    for name in ("migrate", "build_demo", "build_point_tiles"):
        running.manage(name)
    yield running.start()
    running.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with photos in it, and a ZIP of other ones with metadata and a copy that was saved anew."""
    (tmp_path / "photos").mkdir()
    for number in range(12):
        (tmp_path / "photos" / f"{number:02d}.jpg").write_bytes(photograph(number))
    # Small ones: larger, what they show is so smooth that the report would call some of them blurry.
    daisies = {f"daisy-{number:02d}.jpg": photograph(40 + number, (48, 40)) for number in range(1, 13)}
    daisies["daisy-08.jpg"] = encode(Image.open(io.BytesIO(daisies["daisy-04.jpg"])), "JPEG", quality=60)
    rows = ("file,kind,age", "daisy-01.jpg,wild,3", "daisy-02.jpg,garden,", "daisy-03.jpg,wild,9")
    # Many of two photographs each, so that there are clusters.
    tulips = {name.replace("meadow", "tulip"): small(data) for name, data in FILES.items() if "wood" not in name}
    (tmp_path / "flowers.zip").write_bytes(zipped(daisies | tulips | {"metadata.csv": "\n".join(rows).encode()}))
    return tmp_path


def small(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        return encode(image.resize((48, 40)), "JPEG")


def lines(text: str) -> list[Line]:
    """The commands of indented blocks; what stands below each, up to the next one, is its output."""
    found: list[Line] = []
    for block in re.findall(r"(?:^    .*\n)+", text, re.MULTILINE):
        for part in re.split(r"^    \$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            found.append(Line(command=command, shown=re.sub("^    ", "", shown, flags=re.MULTILINE).strip()))
    return found


def run(found: list[Line], folder: Path, service: Service) -> list[tuple[int, str]]:
    """Exit status and output of each command, in one shell, which keeps their variables."""
    script = "".join(f"{line.command}\nstatus=$?; echo; echo END $status\n" for line in found)
    done = subprocess.run(
        ["bash", "-c", script.replace(ADDRESS, service.url(""))],
        cwd=folder,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    parts = re.findall(r"(.*?)\nEND ([0-9]+)\n", done.stdout, re.DOTALL)
    assert len(parts) == len(found), done.stdout + done.stderr
    return [(int(status), output.replace("\r", "").strip()) for output, status in parts]


def assert_alike(shown: str, real: str, *, is_cut: bool) -> None:
    """The same but for ids, numbers and what else differs from one machine to another."""
    shown, real = (_ID.sub("ID", text) for text in (shown, real))
    if is_cut:
        start = re.split("[-0-9]", shown)[0]
        assert len(start) > 10
        assert real.startswith(start)
    elif shown.startswith("{"):
        assert_same_shape(json.loads(shown.replace(",…", "")), json.loads(real))
    else:
        assert _NUMBER.sub(r"\1\2N", shown) == _NUMBER.sub(r"\1\2N", real)


def assert_same_shape(shown: Any, real: Any) -> None:
    if isinstance(shown, dict):
        assert set(shown) == set(real)
        for key, value in shown.items():
            assert_same_shape(value, real[key])
    elif isinstance(shown, list):
        assert isinstance(real, list)
        assert bool(shown) == bool(real)
        if shown:
            assert_same_shape(shown[0], real[0])
    elif isinstance(shown, int | float) and not isinstance(shown, bool):
        assert isinstance(real, int | float)
    else:
        assert type(shown) is type(real)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_every_curl_line_does_what_is_shown(service: Service, folder: Path, document: Path) -> None:
    found = lines(document.read_text())
    assert sum("curl" in line.command for line in found) >= 4
    for line, (status, output) in zip(found, run(found, folder, service), strict=True):
        assert status == 0, f"{line.command}\n{output}"
        if line.shown:
            assert_alike(line.shown, output, is_cut="head -c" in line.command)
    fetched = re.findall(r" -o (\S+)", " ".join(line.command for line in found))
    for name in fetched:
        content = (folder / name).read_bytes()
        assert len(content) > 100
        assert not content.startswith(b'{"error"'), name
        if name.endswith(".jpg"):
            assert content.startswith(b"\xff\xd8")


def test_every_call_is_shown(service: Service) -> None:
    text = "".join(document.read_text() for document in DOCUMENTS)
    commands = re.sub(r"\$ID|[0-9a-f]{32}", "{identity}", " ".join(line.command for line in lines(text)))
    commands = commands.replace("/catalogue/points/", "/dataset/{identity}/points/")  # uploads have none
    for path in service.get("/schema").json()["paths"]:
        if path in {"/health", "/schema", "/status"}:  # the table of all calls describes them
            continue
        example = path.replace("{identity}/{reducer}/{start}/{end}", "{identity}/pca/0/0")
        example = example.replace("{reducer}/{start}/{end}", "pca/0/1").replace("{reducer}", "umap")
        example = re.sub("/tilemaps/{[a-z]+}", "/tilemaps/000", example)
        example = example.replace("{index}", "0").replace("{name}", "kind").replace("{layout}", "umap")
        example = re.sub("/points/umap/{[a-z]+}", "/points/umap/$NODES", example)
        example = example.replace("{level}/{id}", "1/1")
        example = example.replace("/catalogue/", "/dataset/{identity}/")  # of which the same is told
        assert ADDRESS + example in commands, path


def test_the_python_makes_a_frame_and_a_plot(service: Service, folder: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", API.read_text(), re.DOTALL)
    (folder / "photos" / "99.jpg").write_bytes(b"not a picture")
    code = code.replace(ADDRESS, service.url("")) + "\nprint(frame.to_json())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=os.environ | {"MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    frame = json.loads(done.stdout)
    assert list(frame) == ["x", "y", "z", "name"]
    assert list(frame["name"].values()) == [f"{number:02d}.jpg" for number in range(12)]
    assert np.isfinite([list(frame[axis].values()) for axis in "xyz"]).all()
