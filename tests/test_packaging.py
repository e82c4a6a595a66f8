"""The project's metadata and its lock agree with requirements.txt, and the version stands in one place."""

import importlib.metadata
import json
import re
from collections.abc import Iterator

import pytest
from django.test import Client
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from setuptools.config.pyprojecttoml import read_configuration

import wwzd
from tests.support.paths import ROOT

LOCK = (ROOT / "requirements.lock").read_text()


def required() -> list[Requirement]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_search_by_text_changes_no_version_of_what_the_service_runs_on() -> None:
    lines = (ROOT / "requirements-text.txt").read_text().splitlines()
    own = [Requirement(line) for line in lines if line and not line.startswith(("#", "-r"))]
    assert "-r requirements.txt" in lines
    assert not {each.name for each in own} & {each.name for each in required()}
    assert {each.name for each in own} >= {"open_clip_torch", "ftfy", "regex"}
    locked_too = {each.name: version_of(each) for each in own if canonicalize_name(each.name) in locked()}
    assert locked_too == {each: version_of(pin) for each in locked_too for pin in locked()[canonicalize_name(each)]}


def locked() -> dict[str, list[Requirement]]:
    """Name → its pins; several where platforms or versions of Python need different ones."""
    found: dict[str, list[Requirement]] = {}
    for line in re.findall(r"^(\S.*?) \\$", LOCK, re.MULTILINE):
        requirement = Requirement(line)
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def version_of(pin: Requirement) -> str:
    (specifier,) = pin.specifier
    assert specifier.operator == "=="
    return specifier.version


def needed_here(requirement: Requirement, extras: frozenset[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras | {""})


def closure() -> Iterator[Requirement]:
    """What requirements.txt needs on this machine, and what that needs in turn, as the installed packages say."""
    waiting = [
        (requirement, frozenset(requirement.extras))
        for requirement in required()
        if needed_here(requirement, frozenset())
    ]
    seen = set()
    while waiting:
        requirement, extras = waiting.pop()
        yield requirement
        name = canonicalize_name(requirement.name)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        for line in importlib.metadata.requires(name) or []:
            further = Requirement(line)
            if needed_here(further, extras):
                waiting.append((further, frozenset(further.extras)))


@pytest.mark.parametrize("requirement", required(), ids=lambda requirement: requirement.name)
def test_the_lock_has_every_pin_of_the_requirements(requirement: Requirement) -> None:
    assert [version_of(pin) for pin in locked()[canonicalize_name(requirement.name)]] == [version_of(requirement)]


def test_the_lock_has_all_that_the_requirements_need_in_turn() -> None:
    pins = locked()
    found = list(closure())
    assert len(found) > len(required())
    for requirement in found:
        here = [pin for pin in pins.get(canonicalize_name(requirement.name), []) if needed_here(pin, frozenset())]
        assert len(here) == 1, f"{requirement}: run make lock"
        assert requirement.specifier.contains(version_of(here[0]), prereleases=True), f"{requirement}: run make lock"


def test_each_entry_of_the_lock_has_hashes_and_no_address() -> None:
    entries = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)[1:]
    assert len(entries) == sum(map(len, locked().values()))
    for entry in entries:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
    assert "://" not in LOCK


def test_the_metadata_are_the_requirements_and_the_version_of_the_package() -> None:
    project = read_configuration(ROOT / "pyproject.toml", expand=True)["project"]
    assert project["version"] == wwzd.__version__
    assert [Requirement(line) for line in project["dependencies"]] == required()
    assert (ROOT / project["license-files"][0]).read_text().startswith("MIT License")


def test_the_interface_has_the_version_of_the_package(client: Client) -> None:
    document = json.loads(b"".join(client.get("/schema?format=json")))
    assert document["info"]["version"] == wwzd.__version__
