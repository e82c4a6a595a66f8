"""Who may do what: tokens, sessions, the closed list, throttles, origins; and what every answer tells of itself."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.authtoken.models import Token

from datasets.models import Dataset, Status
from tests.support.paths import ROOT
from tests.support.pictures import photograph, zipped
from tests.support.problems import sentence
from tests.uploads.test_upload import send

pytestmark = pytest.mark.django_db(transaction=True)

ID = "70207d49d53ccdca5d5dfc91d006cd09"


@pytest.fixture(autouse=True)
def _no_counts() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def token() -> str:
    return str(Token.objects.create(user=User.objects.create_user("ada")).key)


def with_token(token: str, scheme: str = "Bearer") -> Client:
    return Client(headers={"Authorization": f"{scheme} {token}"})


def test_no_authentication_is_required_by_default(client: Client) -> None:
    row()
    assert client.get("/dataset").status_code == 200
    assert with_token("no such token").get("/dataset").status_code == 200
    assert client.delete(f"/dataset/{ID}").status_code == 204


def test_writing_takes_a_token_if_so_set(client: Client, settings: Settings, token: str) -> None:
    settings.TOKENS = "write"
    row()
    archive = zipped({"a.jpg": photograph(1)})
    renamed = client.patch(f"/dataset/{ID}", {"name": "x"}, "application/json")
    for response in (send(client, archive), client.delete(f"/dataset/{ID}"), renamed):
        assert response.status_code == 401
        assert response["WWW-Authenticate"].startswith("Bearer")
        assert "Authorization: Bearer" in sentence(response.json(), 401)
    assert send(with_token("0" * 40), archive).status_code == 401
    for path in ("/status", "/dataset", f"/dataset/{ID}", "/health", "/"):
        assert client.get(path).status_code == 200
    for scheme in ("Bearer", "Token", "bearer"):
        assert send(with_token(token, scheme), archive).status_code == 200
    assert with_token(token).delete(f"/dataset/{ID}").status_code == 204


def test_everything_takes_a_token_if_so_set(client: Client, settings: Settings, token: str) -> None:
    settings.TOKENS = "all"
    row()
    for path in ("/status", "/dataset", f"/dataset/{ID}", "/dataset/info", f"/dataset/{ID}/tilemap"):
        assert client.get(path).status_code == 401, path
    assert client.get("/health").status_code == 200
    assert with_token(token).get("/dataset").status_code == 200


def test_no_cache_gives_to_others_what_took_a_token(settings: Settings, token: str) -> None:
    settings.TOKENS = "all"
    client = with_token(token)
    dataset_id = send(client, zipped({f"{k}.jpg": photograph(k) for k in range(3)})).content.decode()
    for path in ("/dataset/info", f"/dataset/{dataset_id}/features/pca", f"/dataset/{dataset_id}/tilemap"):
        response = client.get(path)
        response.close()
        assert response.status_code == 200
        assert "private" in response["Cache-Control"]
        assert "public" not in response["Cache-Control"]
        assert "s-maxage" not in response["Cache-Control"]


def test_people_log_in_for_the_pages(client: Client, settings: Settings, admin_client: Client) -> None:
    settings.TOKENS = "all"
    response = client.get("/")
    assert response.status_code == 302
    assert response["Location"] == "/admin/login/?next=/"
    assert client.get("/admin/login/").status_code == 200
    for path in ("/", "/dataset", "/admin/"):
        assert admin_client.get(path).status_code == 200
    settings.TOKENS = "write"
    assert client.get("/").status_code == 200


def test_a_session_does_not_write_for_another_site(settings: Settings) -> None:
    settings.TOKENS = "write"
    row()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.create_superuser("root"))
    response = browser.delete(f"/dataset/{ID}")
    assert response.status_code == 403
    assert "CSRF" in sentence(response.json(), 403)
    assert Dataset.objects.exists()


def test_a_closed_list_is_not_read_without_a_token(client: Client, settings: Settings, token: str) -> None:
    settings.LISTING = "closed"
    row()
    response = client.get("/dataset")
    assert response.status_code == 401
    assert ID not in response.content.decode()
    assert client.get(f"/dataset/{ID}").status_code == 200
    assert send(client, zipped({"a.jpg": photograph(1)})).status_code == 200
    assert with_token(token).get("/dataset").json()["total"] == 2


def test_the_admin_gives_tokens_out(admin_client: Client) -> None:
    user = User.objects.create_user("grace")
    response = admin_client.post("/admin/authtoken/tokenproxy/add/", {"user": user.pk}, follow=True)
    assert response.status_code == 200
    key = Token.objects.get(user=user).key
    assert key in response.content.decode()


def test_no_answer_varies_by_cookie_without_authentication(client: Client) -> None:
    assert "Cookie" not in client.get("/status").get("Vary", "")


def test_too_many_requests_are_held_back(client: Client, settings: Settings) -> None:
    settings.THROTTLE = "3/hour"
    assert [client.get("/status").status_code for _ in range(4)] == [200, 200, 200, 429]
    response = client.get("/dataset/info")
    assert response.status_code == 429
    assert 3000 < int(response["Retry-After"]) <= 3600
    assert sentence(response.json(), 429)
    assert client.get("/health").status_code == 200
    assert Client(REMOTE_ADDR="192.0.2.7").get("/status").status_code == 200


def test_uploads_have_a_rate_of_their_own(client: Client, settings: Settings) -> None:
    settings.THROTTLE_UPLOADS = "2/day"
    assert [send(client, b"no ZIP").status_code for _ in range(3)] == [400, 400, 429]
    assert client.get("/status").status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [("THROTTLE", "often"), ("THROTTLE_UPLOADS", "0/hour"), ("TOKENS", "yes"), ("RETENTION_DAYS", "-1")],
)
def test_a_setting_that_cannot_be_used_stops_the_start(name: str, value: str) -> None:
    environment = os.environ | {name: value}
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode
    assert name in done.stderr.splitlines()[-1]


def test_listed_origins_alone_may_read(client: Client, settings: Settings) -> None:
    settings.CORS_ORIGINS = ["https://a.example", "https://b.example"]
    for origin in settings.CORS_ORIGINS:
        response = client.get("/status", headers={"Origin": origin})
        assert response["Access-Control-Allow-Origin"] == origin
        assert "Origin" in response["Vary"]
    for headers in ({"Origin": "https://c.example"}, {}):
        response = client.get("/status", headers=headers)
        assert "Access-Control-Allow-Origin" not in response
        assert "Origin" in response["Vary"]


@pytest.mark.parametrize("path", ["/status", "/nothing", "/", "/health", "/dataset", f"/dataset/{ID}"])
def test_every_response_has_a_server_timing(client: Client, path: str) -> None:
    response = client.get(path)
    timing = re.fullmatch(
        r'total;dur=([0-9]+\.[0-9]), db;dur=([0-9]+\.[0-9]);desc="([0-9]+) queries"', response["Server-Timing"]
    )
    assert timing
    assert float(timing[2]) <= float(timing[1]) + 0.1
    for name in ("ETag", "Content-Range", "Retry-After", "Location", "Preference-Applied", "Server-Timing", "Link"):
        assert name in response["Access-Control-Expose-Headers"]


def test_queries_are_counted(client: Client) -> None:
    row()
    assert 'desc="0 queries"' not in client.get(f"/dataset/{ID}")["Server-Timing"]


def test_what_has_expired_goes_and_the_rest_stays(settings: Settings) -> None:
    settings.RETENTION_DAYS = 30
    now = timezone.now()
    for digit, status, days in (("a", Status.READY, 31), ("b", Status.FAILED, 31), ("c", Status.READY, 29)):
        row(digit * 32, status=status, finished_at=now - timedelta(days=days))
    row("d" * 32, status=Status.QUEUED, created_at=now - timedelta(days=31))
    old = Dataset.objects.get(hash="a" * 32)
    old.store("tilemap", b"JPEG")
    call_command("delete_expired")
    assert set(Dataset.objects.values_list("hash", flat=True)) == {"c" * 32, "d" * 32}
    assert not default_storage.exists("a" * 32)


def test_without_a_retention_nothing_expires() -> None:
    row(finished_at=timezone.now() - timedelta(days=10_000))
    with pytest.raises(CommandError, match="RETENTION_DAYS is not set"):
        call_command("delete_expired")
    assert Dataset.objects.exists()


def row(dataset_id: str = ID, **facts: object) -> Dataset:
    return Dataset.objects.create(**{"hash": dataset_id, "status": Status.READY} | facts)
