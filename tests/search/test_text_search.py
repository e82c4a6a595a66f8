"""Search by a text, through the calls, with a small CLIP of seeded weights: that the right vectors are compared."""

import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
import torch
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from datasets.models import Dataset, WorkerState
from datasets.search import text_query
from datasets.uploads import worker_readiness
from embeddings.backbones import BACKBONES
from embeddings.clip import _import_open_clip
from tests.api.test_pictures import QUIET, upload
from tests.support import small_clip
from tests.support.paths import ROOT
from tests.support.pictures import photograph, zipped
from tests.uploads.test_queue import DATABASE_QUEUE

pytestmark = pytest.mark.django_db(transaction=True)

PICTURES = {f"{k:02d}.jpg": photograph(k) for k in range(24)}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("clip")
    small_clip.register(folder)
    made = small_clip.seeded(small_clip.ARCHITECTURE)
    torch.save(made.state_dict(), folder / "weights.pt")
    return folder / "weights.pt", made


@pytest.fixture(autouse=True)
def clip(network: tuple[Path, Any], settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKBONES, "clip_vit_b32", small_clip.SMALL_CLIP)
    settings.BACKBONE, settings.CLIP_WEIGHTS = "clip_vit_b32", network[0]


def ask(client: Client, text: str, more: str = "") -> Any:
    return client.get(f"/search?text={quote(text)}{more}")


def refused(response: Any, status: int, code: str) -> str:
    body = response.json()
    assert (response.status_code, body["type"]) == (status, f"urn:wwzd:error:{code}")
    assert body["error"].endswith(".")
    return str(body["error"])


def by_brute_force(network: Any, features: Any, text: str, count: int) -> list[tuple[int, float]]:
    """Row and cosine, with the vector that open_clip itself makes of the text."""
    with torch.inference_mode():
        tokens = _import_open_clip().get_tokenizer("ViT-B-32")([text])
        vector = network.encode_text(tokens)[0].double().numpy()
    features = np.asarray(features, np.float64)
    cosines = features @ vector / np.linalg.norm(features, axis=1) / np.linalg.norm(vector)
    return [(int(row), float(cosines[row])) for row in np.argsort(-cosines, kind="stable")[:count]]


def test_a_text_finds_the_pictures_of_the_largest_cosine(client: Client, network: tuple[Path, Any]) -> None:
    dataset_id = upload(client, PICTURES)
    features = client.get(f"/dataset/{dataset_id}/features/network").json()["features"]
    assert np.allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)
    for text in ("a smiling dog", "eine Wiese", "🌧"):
        answer = ask(client, text, f"&in={dataset_id}&k=24").json()
        assert answer["in"] == dataset_id
        expected = by_brute_force(network[1], features, text, 24)
        assert [each["index"] for each in answer["neighbors"]] == [row for row, _ in expected]
        for each, (row, cosine) in zip(answer["neighbors"], expected, strict=True):
            assert each["similarity"] == pytest.approx(cosine, abs=5e-6)
            assert (each["name"], each["in"]) == (f"{row:02d}.jpg", dataset_id)
    first, second = (ask(client, text, f"&in={dataset_id}&k=3").json() for text in ("a dog", "12 white lorries"))
    assert len(first["neighbors"]) == 3
    assert [each["similarity"] for each in first["neighbors"]] != [each["similarity"] for each in second["neighbors"]]


def test_a_catalogue_is_searched_as_an_upload(client: Client, tmp_path: Path, network: tuple[Path, Any]) -> None:
    (tmp_path / "collection.zip").write_bytes(zipped(PICTURES))
    call_command("build_catalogue", str(tmp_path / "collection.zip"), **QUIET)
    found = ask(client, "a smiling dog", "&k=5")
    assert found.status_code == 200
    assert found.json()["in"] == "catalogue"
    dataset_id = upload(client, PICTURES)
    own = ask(client, "a smiling dog", f"&in={dataset_id}&k=5").json()
    assert [each["index"] for each in found.json()["neighbors"]] == [each["index"] for each in own["neighbors"]]
    again = client.get("/search?text=a%20smiling%20dog&k=5", headers={"If-None-Match": found["ETag"]})
    assert again.status_code == 304
    assert '"text_search": true' in client.get("/").content.decode()


def test_a_collection_is_searched_whatever_network_the_server_uses_now(client: Client, settings: Settings) -> None:
    dataset_id = upload(client, PICTURES)
    before = ask(client, "a dog", f"&in={dataset_id}").json()
    settings.BACKBONE = "efficientnet_lite0"
    assert ask(client, "a dog", f"&in={dataset_id}").json() == before
    assert client.get(f"/dataset/{dataset_id}").json()["text_search"] is True


def test_pictures_of_another_network_are_refused_with_what_would_be_needed(
    client: Client, settings: Settings, network: tuple[Path, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = upload(client, PICTURES)
    settings.BACKBONE = "efficientnet_lite0"
    other = upload(client, PICTURES)
    assert client.get(f"/dataset/{other}").json()["text_search"] is False
    sentence = refused(ask(client, "a dog", f"&in={other}"), 409, "no-text-search")
    assert sentence == (
        "These pictures were computed with efficientnet_lite0, which takes no texts. Pictures that are computed with "
        "BACKBONE=clip_vit_b32 can be."
    )
    own = upload(client, PICTURES | {"vectors.npy": vectors(len(PICTURES))})
    assert "vectors of their own" in refused(ask(client, "a dog", f"&in={own}"), 409, "no-text-search")
    Dataset.objects.filter(hash=other).update(network="")
    assert "not known which network" in refused(ask(client, "a dog", f"&in={other}"), 409, "no-text-search")
    # Other weights, none, and none to run them.
    settings.CLIP_WEIGHTS = tmp_path / "other.pt"
    assert "name their file in CLIP_WEIGHTS" in refused(ask(client, "a dog", f"&in={ours}"), 409, "no-text-search")
    settings.CLIP_WEIGHTS.write_bytes(b"others")
    assert "name their file in CLIP_WEIGHTS" in refused(ask(client, "a dog", f"&in={ours}"), 409, "no-text-search")
    settings.CLIP_WEIGHTS = network[0]
    monkeypatch.setitem(sys.modules, "open_clip", None)
    assert "requirements-text.txt" in refused(ask(client, "a dog", f"&in={ours}"), 409, "no-text-search")
    assert client.get(f"/dataset/{ours}").json()["text_search"] is False


def vectors(count: int) -> bytes:
    file = io.BytesIO()
    np.save(file, np.random.default_rng(1).normal(size=(count, 8)).astype(np.float32))
    return file.getvalue()


def test_a_text_that_cannot_be_searched_for_is_refused(client: Client) -> None:
    dataset_id = upload(client, PICTURES)
    here = f"&in={dataset_id}"
    for query in ("", "text=", "text=%20%0A", "text=a%00b", "text=" + "a" * 501):
        sentence = refused(client.get(f"/search?{query}{here}"), 400, "parameter-invalid")
        assert sentence == "“text” is a text of 1 to 500 characters that is not blank."
    assert ask(client, "dog " * 75, here).status_code == 200
    assert "the network reads 75" in refused(ask(client, "dog " * 76, here), 400, "text-too-long")
    refused(ask(client, "&nbsp;", here), 400, "text-unreadable")
    for strange in ("\x00", "\u200b\U0001f600", "<end_of_text>", "a" * 500):
        assert ask(client, strange, here).status_code in {200, 400}
    refused(client.get(f"/search?text=dog&k=0{here}"), 400, "parameter-invalid")
    refused(ask(client, "dog", "&in=0123456789abcdef0123456789abcdef"), 404, "dataset-unknown")
    refused(ask(client, "dog"), 404, "catalogue-missing")


def test_without_a_worker_a_text_is_not_looked_for(client: Client, settings: Settings) -> None:
    dataset_id = upload(client, {"a.jpg": photograph(1), "b.jpg": photograph(2)})
    settings.TASKS_BACKEND = "database"
    settings.TASKS = DATABASE_QUEUE
    WorkerState.objects.all().delete()
    response = ask(client, "a dog", f"&in={dataset_id}")
    refused(response, 503, "no-worker")
    assert int(response["Retry-After"]) > 0


def test_a_search_is_offered_for_pictures_of_any_precision(network: tuple[Path, Any]) -> None:
    digest = hashlib.sha256(network[0].read_bytes()).hexdigest()
    assert text_query.offers(f"clip_vit_b32:{digest}:int80123456789abcdef")
    assert not text_query.offers(f"clip_vit_b32:{digest[::-1]}:fp32")
    assert not text_query.offers("network:of:tomorrow")


def test_the_system_check_names_the_file_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "datasets.E002" not in {message.id for message in run_checks()}
    monkeypatch.setitem(sys.modules, "open_clip", None)
    (message,) = (message for message in run_checks() if message.id == "datasets.E002")
    assert "requirements-text.txt" in message.msg


def test_no_command_starts_with_a_backbone_whose_package_is_not_installed() -> None:
    script = (
        "import sys\n"
        "sys.modules['open_clip'] = None\n"
        "from django.core.management import execute_from_command_line\n"
        "execute_from_command_line(['manage.py', 'check'])\n"
    )
    environment = os.environ | {"BACKBONE": "clip_vit_b32", "DJANGO_SETTINGS_MODULE": "wwzd.settings"}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("django.core.exceptions.ImproperlyConfigured: The backbone clip_vit_b32 needs")
    assert "requirements-text.txt" in last


@pytest.mark.slow
def test_a_quantised_network_for_pictures_is_searched_by_texts_all_the_same(
    client: Client, settings: Settings, tmp_path: Path, network: tuple[Path, Any]
) -> None:
    settings.PRECISION = "auto"
    (tmp_path / "pictures.zip").write_bytes(zipped({f"{k:02d}.jpg": photograph(k) for k in range(80)}))
    call_command("choose_precision", "int8", str(tmp_path / "pictures.zip"), "--force", **QUIET)
    dataset_id = upload(client, PICTURES)
    assert Dataset.objects.get().precision == "int8"
    features = client.get(f"/dataset/{dataset_id}/features/network").json()["features"]
    found = ask(client, "a smiling dog", f"&in={dataset_id}&k=5").json()["neighbors"]
    expected = by_brute_force(network[1], features, "a smiling dog", 5)
    assert [each["index"] for each in found] == [row for row, _ in expected]


def test_prepare_fetches_the_weights_that_are_not_at_hand(
    settings: Settings, data: Path, network: tuple[Path, Any]
) -> None:
    settings.CLIP_WEIGHTS = None
    settings.CLIP_URL = f"{network[0].as_uri()}#sha256={'0' * 64}"
    with pytest.raises(CommandError, match="could not fetch file:"):
        call_command("prepare", **QUIET)
    digest = hashlib.sha256(network[0].read_bytes()).hexdigest()
    settings.CLIP_URL = f"{network[0].as_uri()}#sha256={digest}"
    output = io.StringIO()
    call_command("prepare", stdout=output)
    fetched = data / "models" / "clip_vit_b32" / "weights.pt"
    assert fetched.read_bytes() == network[0].read_bytes()
    assert f"Weights: clip_vit_b32, {fetched} (models/clip_vit_b32)" in output.getvalue()
    assert not worker_readiness.must_prepare()
    assert text_query.offers(f"clip_vit_b32:{digest}:fp32")
