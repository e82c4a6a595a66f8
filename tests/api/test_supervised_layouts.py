"""Layouts supervised by a field of the pictures: which fields can, under what they are kept, what is told of it."""

import io
import zipfile
from typing import Any

import numpy as np
import pytest
from django.test import Client

from datasets.models import DerivedResult
from tests.api.test_layouts import ask, listed
from tests.support.clustered_pictures import FILES
from tests.support.pictures import zipped
from tests.support.vectors import array

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = [name for k, name in enumerate(FILES) if k % 3 == 0]
"""Eight of each of three kinds."""


def table() -> str:
    """A field of each type; some pictures lack some values."""
    lines = ["file,kind,age,weight,wild,caption,same"]
    for k, name in enumerate(NAMES):
        kind = "" if k == 3 else name.split("-")[0]
        weight = "" if k == 5 else f"{k / 7:.3f}"
        lines.append(f"{name},{kind},{k % 5},{weight},{'true' if k % 2 else 'false'},text {k},x")
    return "\n".join(lines) + "\n"


@pytest.fixture
def base(client: Client) -> str:
    file = io.BytesIO(
        zipped({name: FILES[name] for name in NAMES} | {"metadata.csv": table().encode()}, zipfile.ZIP_STORED)
    )
    file.name = "kinds.zip"
    return f"/dataset/{client.post('/dataset', {'file': file}).content.decode()}"


def test_it_is_kept_under_its_field_and_told(client: Client, base: str) -> None:
    plain = ask(client, base, "umap").json()
    assert plain["supervised_by"] is None
    assert "target" not in plain["parameters"]
    made = ask(client, base, "umap", target="kind").json()
    assert (made["status"], made["supervised_by"]) == ("ready", "kind")
    assert {name: made["parameters"][name] for name in ("target", "target_weight", "target_metric")} == {
        "target": "kind",
        "target_weight": 0.5,
        "target_metric": "categorical",
    }
    assert made["name"].startswith("umap-target-kind-")
    # What the type chooses, said: the same layout.
    assert ask(client, base, "umap", target="kind", target_metric="categorical").json() == made
    assert ask(client, base, "umap", target="kind", target_weight=0.9).json()["name"] != made["name"]
    assert listed(client, base)[made["name"]]["supervised_by"] == "kind"
    places = [array(client, f"{base}/layouts/{each['name']}") for each in (plain, made)]
    assert not np.array_equal(*places)
    quality = client.get(f"{base}/layouts/{made['name']}/quality").json()
    assert quality["supervised_by"] == "kind"
    assert 0 < quality["stability"] <= 1
    assert client.get(f"{base}/layouts/{plain['name']}/quality").json()["supervised_by"] is None


@pytest.mark.parametrize(
    ("field", "metric"), [("age", "categorical"), ("weight", "l2"), ("wild", "categorical"), ("cluster", "categorical")]
)
def test_the_type_of_a_field_chooses_the_metric(client: Client, base: str, field: str, metric: str) -> None:
    made = ask(client, base, "densmap", target=field).json()
    assert (made["status"], made["parameters"]["target_metric"]) == ("ready", metric)
    assert np.isfinite(array(client, f"{base}/layouts/{made['name']}")).all()


def test_whole_numbers_can_be_taken_for_numbers(client: Client, base: str) -> None:
    made = ask(client, base, "umap", target="age", target_metric="l2").json()
    assert made["parameters"]["target_metric"] == "l2"
    assert made["name"] != ask(client, base, "umap", target="age").json()["name"]


@pytest.mark.parametrize(
    ("parameters", "code", "name", "sentence"),
    [
        ({"target": "colour"}, "field-unknown", "colour", "There is no field “colour”; known are kind, age"),
        (
            {"target": "caption"},
            "parameter-invalid",
            "target",
            "“caption” has 24 different values of 24 pictures: choose a field whose values several pictures share.",
        ),
        ({"target": "same"}, "parameter-invalid", "target", "“same” has one value at most"),
        (
            {"target": "kind", "target_metric": "l2"},
            "parameter-invalid",
            "target_metric",
            "The values of “kind” are no numbers: take “target_metric” categorical.",
        ),
        ({"target": "kind", "target_weight": 1.5}, "parameter-invalid", "target_weight", "“target_weight” is a number"),
        ({"target": 3}, "parameter-invalid", "target", "“target” is a text of at most 200 characters."),
        ({"target": "weight", "target_metric": "categorical"}, "parameter-invalid", "target", "“weight” has 23"),
    ],
)
def test_what_cannot_supervise_is_refused(
    client: Client, base: str, parameters: dict[str, Any], code: str, name: str, sentence: str
) -> None:
    answer = ask(client, base, "umap", **parameters)
    assert answer.status_code == 400
    assert answer.json()["type"].endswith(f":{code}")
    assert answer.json()["params"]["name"] == name
    assert answer.json()["error"].startswith(sentence)
    assert not DerivedResult.objects.exists()


def test_other_kinds_take_no_field(client: Client, base: str) -> None:
    assert ask(client, base, "tsne", target="kind").status_code == 400
    by_kind = {kind["name"]: kind for kind in client.get(f"{base}/layouts").json()["kinds"]}
    parameters = {each["name"]: each for each in by_kind["umap"]["parameters"]}
    assert parameters["target_metric"]["choices"] == ["auto", "categorical", "l2"]
    assert (parameters["target"]["needs"], parameters["target_weight"]["needs"]) == (None, "target")
    assert parameters["min_dist"]["choices"] == []
