"""Choosing a faster precision by what it does to the neighbours, with the real network and real quantisation."""

import io
import json
import time
from pathlib import Path

import numpy as np
import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from pytest_django import Settings

from datasets.pictures import pipeline_settings
from embeddings.extractors import can_run
from embeddings.precision import PrecisionChoice, PrecisionReport, Speed, why_not
from tests.support.pictures import photograph


@pytest.fixture
def source(tmp_path: Path, settings: Settings) -> Path:
    settings.PRECISION = "auto"
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(80):
        (folder / f"{index:03d}.jpg").write_bytes(photograph(index))
    return folder


def choose(*arguments: str) -> str:
    output = io.StringIO()
    call_command("choose_precision", *arguments, stdout=output, stderr=io.StringIO())
    return output.getvalue()


def test_equal_features_have_perfect_fidelity() -> None:
    features = np.random.default_rng(1).normal(size=(50, 20)).astype(np.float32)
    fidelity = PrecisionReport.measure(features, features)
    assert fidelity.recall == 1
    assert fidelity.cosine_min == pytest.approx(1)


def test_other_features_lose_their_neighbours() -> None:
    random = np.random.default_rng(1)
    first, second = (random.normal(size=(200, 20)).astype(np.float32) for _ in range(2))
    fidelity = PrecisionReport.measure(first, second)
    assert fidelity.recall < 0.2
    assert abs(fidelity.cosine_mean) < 0.2


def test_speed_is_measured_in_turn_and_decides_with_the_neighbours() -> None:
    speed = Speed.measure(lambda: time.sleep(0.01), lambda: time.sleep(0.03), 10)
    assert 2 < speed.reference / speed.other < 4
    features = np.random.default_rng(1).normal(size=(50, 20)).astype(np.float32)
    faithful = PrecisionReport.measure(features, features)
    assert "bf16 is slower than fp32 on this machine" in why_not("bf16", faithful, speed)
    faster = Speed(reference=speed.other, other=speed.reference)
    assert why_not("bf16", faithful, faster) == ""
    unfaithful = PrecisionReport.measure(features, features[::-1])
    assert "of the neighbours" in why_not("bf16", unfaithful, faster)


@pytest.mark.slow
def test_a_forced_int8_network_is_used_and_changes_every_id(source: Path) -> None:
    before = pipeline_settings.pipeline().signature
    output = choose("int8", str(source), "--force")
    assert "recall@10" in output
    assert "pictures/s" in output
    card = json.loads((pipeline_settings.models_folder(pipeline_settings.weights()) / "precision.json").read_text())
    assert card["speed"]["reference"] > 0
    assert card["speed"]["other"] > 0
    pipeline = pipeline_settings.pipeline()
    assert pipeline.choice.precision == "int8"
    assert pipeline.signature != before
    assert "int8" in str(pipeline.extractor.info)
    crops = [np.full((224, 224, 3), shade, np.uint8) for shade in (10, 200)]
    assert pipeline.extract(crops).shape == (2, 1280)
    choose("fp32")
    assert pipeline_settings.pipeline().signature == before


@pytest.mark.slow
def test_a_precision_that_loses_neighbours_is_refused_and_leaves_nothing(source: Path, data: Path) -> None:
    with pytest.raises(CommandError, match="of the neighbours, less than 95%"):
        choose("int8", str(source))
    assert pipeline_settings.pipeline().choice == PrecisionChoice()
    assert not list((data / "models").rglob("int8*"))


@pytest.mark.slow
def test_the_setting_overrules_the_choice(source: Path, settings: Settings) -> None:
    choose("bf16", str(source), "--force")
    assert pipeline_settings.pipeline().choice.precision == "bf16"
    settings.PRECISION = "fp32"
    assert pipeline_settings.pipeline().choice.precision == "fp32"


@pytest.mark.slow
def test_a_choice_holds_for_its_weights_only(source: Path, data: Path) -> None:
    choose("bf16", str(source), "--force")
    weights = pipeline_settings.weights()
    path = pipeline_settings.models_folder(weights) / "precision.json"
    path.write_text(path.read_text().replace(weights.digest, "0" * 64))
    assert pipeline_settings.pipeline().choice == PrecisionChoice()


@pytest.mark.slow
def test_a_missing_quantised_network_is_reported_by_the_system_check(source: Path, data: Path) -> None:
    choose("int8", str(source), "--force")
    for path in (data / "models").rglob("int8*"):
        path.unlink()
    assert "datasets.E003" in {message.id for message in run_checks()}


@pytest.mark.slow
def test_bf16_is_reported_only_where_the_cpu_has_it(source: Path) -> None:
    choose("bf16", str(source), "--force")
    assert pipeline_settings.pipeline().extractor.info.precision == ("bf16" if can_run("bf16") else "fp32")
    choose("fp32")
    if not can_run("bf16"):
        with pytest.raises(CommandError, match="no faster"):
            choose("bf16", str(source))
        assert pipeline_settings.pipeline().choice == PrecisionChoice()


def test_too_few_pictures_are_refused(tmp_path: Path, source: Path) -> None:
    for path in sorted(source.iterdir())[20:]:
        path.unlink()
    with pytest.raises(CommandError, match="20 readable pictures; 50 are needed"):
        choose("int8", str(source))
    with pytest.raises(CommandError, match="name a folder or a ZIP"):
        choose("int8")
