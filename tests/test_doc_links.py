"""Links of the documents lead to files and headings that exist, and the settings that they list are read."""

import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.support.paths import ROOT

_CODE = re.compile(r"^```(?s:.*?)^```$|^(?: {4}.*\n)+|`[^`\n]*`", re.MULTILINE)
_LINK = re.compile(r"\[(?:!\[[^\]]*\]\([^)]*\)|[^\]])*\]\(([^)\s]+)\)")


def documents() -> list[Path]:
    """All Markdown files that are or will be under version control."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / line for line in listed.splitlines() if (ROOT / line).exists()]


def prose(document: Path) -> str:
    """Without code, in which brackets mean something else."""
    return _CODE.sub("", document.read_text())


def anchors(document: Path) -> set[str]:
    """Of the headings, as code forges make them: lower case, without punctuation, hyphens for spaces."""
    headings = re.findall(
        r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.M | re.S), re.MULTILINE
    )
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def problems_of_links(document: Path) -> list[str]:
    found = []
    for target in _LINK.findall(prose(document)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = document.parent / name if name else document
        if not file.exists():
            found.append(f"{target}: there is no such file")
        elif anchor and (file.suffix != ".md" or anchor not in anchors(file)):
            found.append(f"{target}: there is no such heading")
    return found


def test_documents_are_found() -> None:
    assert {"README.md", "CONTRIBUTING.md", "docs/api.md"} <= {str(path.relative_to(ROOT)) for path in documents()}


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_lead_to_files_and_headings(document: Path) -> None:
    assert problems_of_links(document) == []


def test_broken_links_are_noticed(tmp_path: Path) -> None:
    text = (
        "# One title\n[a](#one-title) [b](#two) [c](gone.md) ![d](gone.png) [e](https://example.org)\n"
        "`[f](code.md)`\n\n    [g](code.md)\n"
    )
    (tmp_path / "page.md").write_text(text)
    assert [problem.split(":")[0] for problem in problems_of_links(tmp_path / "page.md")] == [
        "#two",
        "gone.md",
        "gone.png",
    ]


def test_every_document_and_picture_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        seen.add(document)
        targets = [target.partition("#")[0] for target in _LINK.findall(prose(document))]
        files = {(document.parent / target).resolve() for target in targets if target and ":" not in target}
        waiting += [file for file in files - seen if file.suffix == ".md"]
        seen |= {file for file in files if file.suffix != ".md"}
    assert set(documents()) | set((ROOT / "docs").iterdir()) <= seen


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_that_documents_name_exist(document: Path) -> None:
    if document.parent.name == "data":  # its paths are those of the data folder
        return
    named = re.findall(r"`((?:wwzd|viewer|datasets|embeddings|tests|benchmarks)/[\w./-]*)`", document.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_that_documents_name_exist(document: Path) -> None:
    text = document.read_text()
    commands = set(re.findall(r"manage\.py ([a-z_]+)", text)) - set(get_commands())
    benchmarks = {
        name for name in re.findall(r"benchmarks\.([a-z_]+)", text) if not (ROOT / "benchmarks" / f"{name}.py").exists()
    }
    targets = set(re.findall(r"`make ([a-z-]+)`|^    make ([a-z-]+)$", text, re.MULTILINE))
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert commands | (benchmarks - {"md"}) | ({name for pair in targets for name in pair if name} - known) == set()


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 130


def test_every_setting_is_described_once() -> None:
    source = "".join((ROOT / "wwzd" / name).read_text() for name in ("settings.py", "apps.py"))
    read = re.findall(r"""(?:env\.\w+|positive|rate|choice|environ\.setdefault)\(\s*"([A-Z0-9_]+)\"""", source)
    described = re.findall(r"^\| `([A-Z0-9_]+)` \|", (ROOT / "docs" / "configuration.md").read_text(), re.MULTILINE)
    assert len(described) > 30
    assert sorted(described) == sorted(set(read))


def test_settings_that_documents_name_exist() -> None:
    described = re.findall(r"^\| `([A-Z0-9_]+)` \|", (ROOT / "docs" / "configuration.md").read_text(), re.MULTILINE)
    others = {"ID", "BACKUP", "JOBS", "PATH", "WWZD_USER", "PIP_EXTRA_INDEX_URL", "PYTHON", "VERSION", "TORCH_INDEX"}
    for document in documents():
        used = re.findall(r"`([A-Z][A-Z0-9_]+)=[^`]*`|^    ([A-Z][A-Z0-9_]+)=", document.read_text(), re.MULTILINE)
        assert {name for pair in used for name in pair if name} <= {*described, *others}, document
