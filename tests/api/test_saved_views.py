"""Views that people saved: kept in their order beside an upload or the catalogue, and refused where they do not fit."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from datasets.collection import saved_views
from datasets.collection.uploaded import upload as uploaded
from datasets.errors import URN
from tests.api.test_pictures import QUIET, upload
from tests.support.pictures import photograph, zipped
from tests.support.problems import sentence

pytestmark = pytest.mark.django_db(transaction=True)
CATS = {"name": "Cats", "note": "All of them.\nLeft: kittens.", "state": "view=pca&is.kind=cat&camera=0,0,3,0,0,0"}
DOGS = {"name": "Dogs", "note": "", "state": "is.kind=dog"}


@pytest.fixture
def dataset_id(client: Client) -> str:
    return upload(client, {f"{k}.jpg": photograph(k) for k in range(3)})


@pytest.fixture
def address(dataset_id: str) -> str:
    return f"/dataset/{dataset_id}/views"


def put(client: Client, address: str, views: Any, **headers: str) -> Any:
    body = json.dumps({"views": views} if isinstance(views, list) else views)
    return client.put(address, body, content_type="application/json", headers=headers)


def code(answer: Any) -> str:
    sentence(answer.json(), answer.status_code)
    return str(answer.json()["type"].removeprefix(URN))


def test_there_are_none_at_first(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.json() == {"views": [], "limit": saved_views.MOST}
    assert answer["Cache-Control"] == "no-cache"


def test_views_are_kept_in_their_order_with_ids(client: Client, address: str) -> None:
    answer = put(client, address, [CATS, DOGS])
    assert answer.status_code == 200
    first, second = answer.json()["views"]
    assert first == {**CATS, "id": first["id"]}
    assert second == {**DOGS, "id": second["id"]}
    assert len({first["id"], second["id"]}) == 2
    assert client.get(address).json() == answer.json()
    assert client.get(address)["ETag"] == answer["ETag"]
    renamed = {**first, "name": "Kittens"}
    assert put(client, address, [second, renamed]).json()["views"] == [second, renamed]
    assert put(client, address, []).json()["views"] == []


def test_a_list_that_somebody_else_changed_is_not_overwritten(client: Client, address: str) -> None:
    before = client.get(address)["ETag"]
    assert put(client, address, [CATS], **{"If-Match": before}).status_code == 200
    late = put(client, address, [DOGS], **{"If-Match": before})
    assert (late.status_code, code(late)) == (412, "precondition-failed")
    now = client.get(address)
    assert [view["name"] for view in now.json()["views"]] == ["Cats"]
    assert put(client, address, [*now.json()["views"], DOGS], **{"If-Match": now["ETag"]}).status_code == 200


def test_a_repeated_id_becomes_another(client: Client, address: str) -> None:
    twice = [{**CATS, "id": "0123456789ab"}, {**DOGS, "id": "0123456789ab"}]
    ids = [view["id"] for view in put(client, address, twice).json()["views"]]
    assert ids[0] == "0123456789ab"
    assert ids[1] != ids[0]


def test_texts_are_kept_as_lines_that_can_be_shown(client: Client, address: str) -> None:
    odd = {"name": " Łąka\n w\u0000 maju \ud800", "note": "first\x07 line\r\n\nthird  ", "state": "a=%20\nb"}
    (view,) = put(client, address, [odd]).json()["views"]
    assert (view["name"], view["note"], view["state"]) == ("Łąka w maju", "first line\n\nthird", "a=%20 b")


@pytest.mark.parametrize(
    ("views", "name"),
    [
        ({}, "views"),
        ({"views": [], "more": 1}, "views"),
        ([CATS] * 101, "views"),
        (["Cats"], "views[0]"),
        ([CATS, {"name": "Dogs"}], "views[1]"),
        ([{**CATS, "colour": "red"}], "views[0]"),
        ([{**CATS, "name": 3}], "views[0].name"),
        ([{**CATS, "name": "x" * 81}], "views[0].name"),
        ([{**CATS, "note": "x" * 2001}], "views[0].note"),
        ([{**CATS, "state": "x" * 80_001}], "views[0].state"),
        ([{**CATS, "id": "../../etc"}], "views[0].id"),
        ([{**CATS, "id": None}], "views[0].id"),
    ],
)
def test_what_cannot_be_kept_is_refused(client: Client, address: str, views: Any, name: str) -> None:
    answer = put(client, address, views)
    assert (answer.status_code, code(answer)) == (400, "parameter-invalid")
    assert answer.json()["params"] == {"name": name}
    assert client.get(address).json()["views"] == []


def test_bodies_that_are_too_large_or_no_json_are_refused(client: Client, address: str) -> None:
    def status(body: str) -> int:
        return client.put(address, body, content_type="application/json").status_code

    assert status('{"views": [' + " " * 3_000_000 + "]}") == 413
    assert status("[" * 100_000) == 400
    assert status("{") == 400
    assert client.put(address, "x", content_type="text/plain").status_code == 415


def test_a_damaged_file_has_none(client: Client, dataset_id: str, address: str) -> None:
    put(client, address, [CATS])
    path = uploaded(dataset_id).saved_views_path
    whole = path.read_bytes()
    for content in (b"{", b"[]", b'{"format": 1}', whole.replace(b'"format": 1', b'"format": 9'), b'{"views": [3]}'):
        path.write_bytes(content)
        assert client.get(address).json()["views"] == []
    assert put(client, address, [DOGS]).json()["views"][0]["name"] == "Dogs"


def test_whoever_may_only_read_saves_none(client: Client, address: str, settings: Settings) -> None:
    settings.TOKENS = "write"
    assert client.get(address).status_code == 200
    answer = put(client, address, [CATS])
    assert (answer.status_code, code(answer)) == (401, "not-authenticated")


def test_unknown_datasets_and_a_missing_catalogue_have_none(client: Client) -> None:
    for address in (f"/dataset/{'0' * 32}/views", "/catalogue/views"):
        assert client.get(address).status_code == 404
        assert put(client, address, [CATS]).status_code == 404


@pytest.mark.slow
def test_those_of_the_catalogue_stay_where_it_is_fitted_anew(client: Client, tmp_path: Path) -> None:
    (tmp_path / "collection.zip").write_bytes(zipped({f"{k:02d}.jpg": photograph(k) for k in range(24)}))
    call_command("build_catalogue", str(tmp_path / "collection.zip"), **QUIET)
    kept = put(client, "/catalogue/views", [CATS, DOGS]).json()
    assert [view["name"] for view in kept["views"]] == ["Cats", "Dogs"]
    call_command("fit_reducers", "--again", **QUIET)
    assert client.get("/catalogue/views").json() == kept
