"""Bodies of JSON that are too deep, too large or broken, of each call that takes one."""

import pytest
from django.test import Client
from pytest_django import Settings

from datasets.errors import URN
from tests.api.test_pictures import upload
from tests.support.pictures import photograph
from tests.support.problems import sentence

pytestmark = pytest.mark.django_db(transaction=True)
CALLS = [("patch", ""), ("patch", "/clusters/1/1"), ("post", "/layouts"), ("put", "/views")]


@pytest.fixture
def address(client: Client) -> str:
    return f"/dataset/{upload(client, {f'{k}.jpg': photograph(k) for k in range(3)})}"


@pytest.mark.parametrize(("method", "call"), CALLS)
def test_it_is_refused_with_a_sentence(
    client: Client, address: str, method: str, call: str, settings: Settings
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 150_000
    for body, status, code in (
        ("[" * 100_000, 400, "parse-error"),
        ('{"name":' * 20_000, 413, "too-large"),
        ('{"name": ', 400, "parse-error"),
        (b"\xff\xfe", 400, "parse-error"),
    ):
        answer = getattr(client, method)(address + call, body, content_type="application/json")
        assert answer.status_code == status, body[:20]
        sentence(answer.json(), status)
        assert answer.json()["type"] == URN + code
    assert client.get(address).json()["name"] == client.get("/dataset").json()["datasets"][0]["name"]
