"""How answers are sent: tags, compression, parts, and the files that they are kept in."""

import gzip
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from datasets.catalogue import installation, installed_catalogue
from datasets.models import BusyFlag, Dataset, Status
from datasets.tilemaps.layout import Tilemap
from datasets.uploads import recovery
from datasets.uploads.busy_flag import LIFETIME
from embeddings import vector_files
from embeddings.vector_files import Vectors
from tests.support.paths import ROOT
from tests.support.problems import sentence
from tests.support.service import Answer, Service

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

pytestmark = pytest.mark.django_db(transaction=True)

BIG, SMALL = 202_599, 2_345
HASH = "70207d49d53ccdca5d5dfc91d006cd09"
DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": zstd.decompress,
    "br": brotli.decompress,
    "gzip": gzip.decompress,
}
VECTORS = "/pca/0/2/standalone"
KEPT_PATHS = [VECTORS, "/umap/1/1/standalone", f"/dataset/{HASH}/features/umap"]
TAGGED_PATHS = [*KEPT_PATHS, "/dataset/info", "/tilemaps/000", "/pca/3/3/standalone", f"/dataset/{HASH}/tilemap"]


@pytest.fixture(autouse=True)
def cache(settings: Settings, tmp_path: Path) -> Path:
    settings.CACHE_DIR = tmp_path / "cache"
    return tmp_path / "cache" / "answers"


def rows(total: int, seed: int) -> Vectors:
    return np.random.default_rng(seed).normal(scale=3, size=(total, 3)).astype(np.float32)


def install(data: Path, total: int, seed: int = 0) -> dict[str, Vectors]:
    arrays = {"pca": rows(total, seed), "umap": rows(total, seed + 1)}
    installation.install(data, arrays, name="Test")
    path = installed_catalogue.tilemap_path(data / "tilemaps", 0)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(np.random.default_rng(seed).bytes(300_000))
    return arrays


@pytest.fixture
def installed(data: Path) -> dict[str, Vectors]:
    """Three ranges and a fourth of 5 rows, whose JSON is too small to be kept."""
    return install(data, 3_005)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """A ready upload of 1000 pictures."""
    made = Dataset(hash=HASH, name="a.zip", status=Status.READY, count=1000, finished_at=timezone.now())
    made.store("tilemap", Tilemap().jpeg())
    for seed, reducer in enumerate(("pca", "umap")):
        made.store(reducer, vector_files.dumped(rows(1000, seed)))
    made.save()
    return made


def get(client: Client, path: str, **headers: str) -> Answer:
    response = client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    # Read whole and closed at once, for a file may lie behind it.
    answer = Answer(status=response.status_code, headers=dict(response.items()), body=response.getvalue())
    response.close()
    return answer


def files(cache: Path) -> dict[Path, int]:
    """Every kept file and when it was written."""
    return {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()}


# Tags


@pytest.mark.parametrize("path", TAGGED_PATHS)
def test_a_tag_is_strong_and_stays_and_gives_304(
    client: Client, installed: object, dataset: object, cache: Path, path: str
) -> None:
    first = get(client, path)
    etag = first.headers["ETag"]
    assert etag.startswith('"')
    content = first.body
    shutil.rmtree(cache, ignore_errors=True)
    again = get(Client(), path)
    assert again.headers["ETag"] == etag
    assert again.body == content
    for tags in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        response = get(client, path, If_None_Match=tags)
        assert response.status == 304
        assert response.body == b""
        for name in ("ETag", "Cache-Control", "Access-Control-Allow-Origin"):
            assert response.headers[name] == first.headers[name]
        assert response.headers.get("Vary") == first.headers.get("Vary")
    response = get(client, path, If_None_Match='"other"')
    assert response.status == 200
    assert response.body == content


def test_a_part_of_other_bytes_is_not_continued(client: Client, installed: object) -> None:
    etag = get(client, VECTORS).headers["ETag"]
    assert get(client, VECTORS, If_Match=etag).status == 200
    for tag in ('"other"', f"W/{etag}"):
        response = get(client, VECTORS, If_Match=tag)
        assert response.status == 412
        assert b'"error"' in response.body


def test_another_catalogue_has_other_tags_and_is_served_at_once(client: Client, data: Path, installed: object) -> None:
    paths = [VECTORS, "/dataset/info", "/tilemaps/000", "/umap/0/0/standalone"]
    before = {path: get(client, path) for path in paths}
    contents = {path: response.body for path, response in before.items()}
    install(data, SMALL, seed=7)
    for path, response in before.items():
        after = get(client, path, If_None_Match=response.headers["ETag"])
        assert after.status == 200
        assert after.headers["ETag"] != response.headers["ETag"]
        assert after.body != contents[path]


def test_a_dataset_computed_again_has_another_tag(client: Client, dataset: Dataset) -> None:
    path = f"/dataset/{HASH}/features/pca"
    etag = get(client, path).headers["ETag"]
    dataset.finished_at = timezone.now() + timedelta(seconds=1)
    dataset.save()
    assert get(client, path, If_None_Match=etag).status == 200


def test_busy_comes_before_not_modified(client: Client, installed: object) -> None:
    etag = get(client, VECTORS).headers["ETag"]
    assert BusyFlag.objects.claim("someone", LIFETIME)
    response = get(client, VECTORS, If_None_Match=etag)
    assert response.status == 503
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", TAGGED_PATHS)
def test_head_has_the_headers_of_get(client: Client, installed: object, dataset: object, path: str) -> None:
    answer = get(client, path, Accept_Encoding="br")
    content = answer.body
    head = client.head(path, headers={"Accept-Encoding": "br"})
    assert head.status_code == 200
    own = {name: head[name] for name in ("Server-Timing", "X-Request-ID")}
    assert dict(head.items()) == answer.headers | own
    assert head["Content-Length"] == str(len(content))
    assert head.content == b""
    assert client.head(path, headers={"Accept-Encoding": "br", "If-None-Match": head["ETag"]}).status_code == 304


# What may be kept


def test_what_caches_may_do(client: Client, installed: object, dataset: object) -> None:
    for path in (VECTORS, "/tilemaps/000", "/dataset/info"):
        assert get(client, path).headers["Cache-Control"] == "public, no-cache"
    for path in (f"/dataset/{HASH}/tilemap", f"/dataset/{HASH}/features/pca"):
        assert "immutable" in get(client, path).headers["Cache-Control"]
        assert "s-maxage=3600" in get(client, path).headers["Cache-Control"]
    for path in ("/status", "/health", "/tilemaps/009", "/pca/9/9/standalone", "/nothing", "/dataset/0/tilemap"):
        assert get(client, path).headers["Cache-Control"] == "no-store"
    assert client.post("/dataset")["Cache-Control"] == "no-store"


def test_a_deleted_dataset_is_removed_from_the_response_cache(client: Client, dataset: Dataset, cache: Path) -> None:
    path = f"/dataset/{HASH}/features/pca"
    etag = get(client, path, Accept_Encoding="gzip").headers["ETag"]
    assert len(files(cache)) == 2
    dataset.delete()
    assert files(cache) == {}
    for target in (path, f"/dataset/{HASH}/tilemap"):
        assert get(client, target, If_None_Match=etag, Accept_Encoding="gzip").status == 404


def test_answers_of_datasets_that_are_gone_are_swept_at_the_start(
    client: Client, installed: object, dataset: Dataset, cache: Path
) -> None:
    for path in (f"/dataset/{HASH}/features/pca", VECTORS):
        get(client, path)
    Dataset.objects.filter(pk=dataset.pk).update(hash="another")
    recovery.after_service_death()
    assert [path.parts[-3] for path in files(cache)] == ["catalogue"]


# Compression


@pytest.mark.parametrize("path", KEPT_PATHS)
def test_every_coding_holds_the_same_bytes_under_a_tag_of_its_own(
    client: Client, installed: object, dataset: object, path: str
) -> None:
    plain = get(client, path)
    content = plain.body
    assert "Content-Encoding" not in plain.headers
    tags = {plain.headers["ETag"]}
    for coding, decode in DECODERS.items():
        response = get(client, path, Accept_Encoding=coding)
        assert response.headers["Content-Encoding"] == coding
        assert response.headers["Vary"] == plain.headers["Vary"] == "Accept, Accept-Encoding"
        assert response.headers["Content-Type"] == "application/json"
        packed = response.body
        assert len(packed) < 0.6 * len(content)
        assert decode(packed) == content
        tags.add(response.headers["ETag"])
        assert get(client, path, Accept_Encoding=coding, If_None_Match=response.headers["ETag"]).status == 304
        assert get(client, path, Accept_Encoding="identity", If_None_Match=response.headers["ETag"]).status == 200
    assert len(tags) == 4


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("", None),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip, deflate", "gzip"),
        ("deflate", None),
        ("identity", None),
        ("*", "zstd"),
        ("zstd;q=0, *", "br"),
        ("zstd;q=0, br;q=0, *;q=0.1", "gzip"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("gzip;q=0.5, identity", None),
        ("GZIP ; q=0.8,br;q=0", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip;q=0", None),
        ("*;q=0", None),
        ("identity;q=0", None),
        ("identity;q=0, gzip;q=0.001", "gzip"),
        ("gzip;q=much, br;level=3, ;;,", None),
    ],
)
def test_the_coding_is_the_one_that_the_client_likes_best(
    client: Client, installed: object, accepted: str, coding: str | None
) -> None:
    response = get(client, VECTORS, Accept_Encoding=accepted)
    assert response.status == 200
    assert response.headers.get("Content-Encoding") == coding


@pytest.mark.parametrize("path", ["/tilemaps/000", f"/dataset/{HASH}/tilemap", "/pca/3/3/standalone"])
def test_pictures_and_small_answers_are_sent_as_they_are(
    client: Client, installed: object, dataset: object, cache: Path, path: str
) -> None:
    response = get(client, path, Accept_Encoding="gzip, br, zstd")
    assert "Content-Encoding" not in response.headers
    assert files(cache) == {}


# Files


def test_nothing_is_made_twice(client: Client, installed: object, dataset: object, cache: Path) -> None:
    for coding in ("identity", *DECODERS):
        for path in KEPT_PATHS:
            get(client, path, Accept_Encoding=coding)
    before = files(cache)
    assert len(before) == 4 * len(KEPT_PATHS)
    for coding in ("identity", *DECODERS):
        for path in KEPT_PATHS:
            get(client, path, Accept_Encoding=coding)
    assert files(cache) == before


def test_the_cache_is_bounded_and_keeps_what_was_sent_last(
    client: Client, data: Path, cache: Path, settings: Settings
) -> None:
    settings.CACHE_MB = 1
    install(data, 12_000)
    for number in range(12):
        get(client, f"/pca/{number}/11/standalone")
        assert sum(path.stat().st_size for path in files(cache)) <= 2**20
        for path in files(cache):  # so that the order of ages does not hang on the clock's grain
            os.utime(path, (path.stat().st_mtime - 1,) * 2)
    kept = sorted(path.name.split(".")[0] for path in files(cache))
    assert "pca-11-11" in kept
    assert "pca-0-11" not in kept
    assert len(kept) > 3


def test_an_answer_larger_than_the_cache_is_sent(client: Client, data: Path, cache: Path, settings: Settings) -> None:
    settings.CACHE_MB = 1
    arrays = install(data, 60_000)
    answer = get(client, "/pca/0/59/standalone")
    assert np.array_equal(features(answer.body), arrays["pca"])
    assert files(cache) == {}


def features(content: bytes) -> Vectors:
    return np.array(json.loads(content)["features"], np.float32)


def test_where_nothing_can_be_written_answers_come_from_memory(
    client: Client, installed: dict[str, Vectors], cache: Path
) -> None:
    cache.parent.mkdir()
    cache.write_text("a file where the folder should be")
    for coding, decode in DECODERS.items():
        content = decode(get(client, VECTORS, Accept_Encoding=coding).body)
        assert np.array_equal(features(content), installed["pca"][:3000])
    assert np.array_equal(features(get(client, VECTORS).body), installed["pca"][:3000])


@contextmanager
def disk_full_after(size: int) -> Iterator[None]:
    """Writing more than `size` bytes to a file fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_fills_up_leaves_no_half_file(client: Client, data: Path, cache: Path) -> None:
    arrays = install(data, 100_000)
    with disk_full_after(2_500_000):
        plain = get(client, "/pca/0/99/standalone").body
        packed = get(client, "/pca/0/99/standalone", Accept_Encoding="zstd").body
        assert np.array_equal(features(plain), arrays["pca"])
        assert zstd.decompress(packed) == plain
        assert all(path.suffix == ".zstd" for path in files(cache))
    assert get(client, "/pca/0/99/standalone", Accept_Encoding="zstd").body == packed


# Parts


@pytest.mark.parametrize("path", ["/tilemaps/000", f"/dataset/{HASH}/tilemap"])
@pytest.mark.parametrize(
    ("range_header", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, None),
        ("bytes=10-19", 10, 19),
        ("bytes=1000-99999999", 1000, None),
        ("bytes=-5", -5, None),
        ("bytes=-99999999", 0, None),
        ("BYTES= 7-9 ", 7, 9),
    ],
)
def test_a_part_of_a_tilemap(
    client: Client, installed: object, dataset: object, path: str, range_header: str, first: int, last: int | None
) -> None:
    whole = get(client, path)
    content = whole.body
    assert whole.headers["Accept-Ranges"] == "bytes"
    first %= len(content)
    last = len(content) - 1 if last is None else last
    response = get(client, path, Range=range_header)
    assert response.status == 206
    assert response.headers["Content-Range"] == f"bytes {first}-{last}/{len(content)}"
    assert response.headers["Content-Length"] == str(last - first + 1)
    assert response.headers["Content-Type"] == "image/jpeg"
    assert response.headers["ETag"] == whole.headers["ETag"]
    assert response.body == content[first : last + 1]
    assert client.head(path, headers={"Range": range_header}).status_code == 200


@pytest.mark.parametrize("range_header", ["bytes=300000-", "bytes=300000-400000", "bytes=-0"])
def test_a_part_that_is_not_there(client: Client, installed: object, range_header: str) -> None:
    response = get(client, "/tilemaps/000", Range=range_header)
    assert response.status == 416
    assert response.headers["Content-Range"] == "bytes */300000"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert sentence(response.json(), response.status)


@pytest.mark.parametrize(
    "range_header",
    ["bytes=5-4", "bytes=0-1,5-6", "bytes=-", "bytes=a-b", "rows=0-1", "bytes", "", "bytes=" + "9" * 5000 + "-"],
)
def test_a_range_that_cannot_be_served_gets_everything(client: Client, installed: object, range_header: str) -> None:
    response = get(client, "/tilemaps/000", Range=range_header)
    assert response.status == 200
    assert len(response.body) == 300_000


def test_a_part_is_sent_only_of_the_bytes_that_the_client_has_begun(client: Client, installed: object) -> None:
    path = "/tilemaps/000"
    etag = get(client, path).headers["ETag"]
    for tag, status in (
        (etag, 206),
        (f"W/{etag}", 200),
        ('"other"', 200),
        ("Mon, 23 Nov 2026 20:00:00 GMT", 200),
    ):
        response = get(client, path, Range="bytes=1-2", If_Range=tag)
        assert response.status == status
    assert get(client, path, Range="bytes=1-2", If_None_Match=etag).status == 304


# All of it, from the service as it runs


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, dict[str, Vectors]]]:
    data = tmp_path_factory.mktemp("big") / "data"
    data.mkdir()
    arrays = install(data, BIG)
    service = Service(data, {"CACHE_DIR": str(data / "cache")}).start(warm=False)
    yield service, arrays
    service.stop()


def test_all_rows_are_exact_and_small_in_every_coding(big: tuple[Service, dict[str, Vectors]]) -> None:
    service, arrays = big
    for reducer, array in arrays.items():
        path = f"/{reducer}/0/202/standalone"
        plain = service.get(path)
        assert len(plain.body) <= 7_000_000
        assert plain.headers["Content-Length"] == str(len(plain.body))
        assert np.array_equal(features(plain.body), array)
        for coding, decode in DECODERS.items():
            packed = service.get(path, **{"Accept-Encoding": coding})
            assert decode(packed.body) == plain.body
            assert len(packed.body) < 3_500_000


def test_first_requests_at_once_get_whole_answers(big: tuple[Service, dict[str, Vectors]]) -> None:
    service, arrays = big
    path = "/umap/0/150/standalone"
    codings = ["identity", *DECODERS] * 3
    with ThreadPoolExecutor(len(codings)) as pool:
        answers = list(pool.map(lambda coding: service.get(path, **{"Accept-Encoding": coding}), codings))
    contents = {DECODERS.get(coding, bytes)(answer.body) for coding, answer in zip(codings, answers, strict=True)}
    assert len(contents) == 1
    assert np.array_equal(features(contents.pop()), arrays["umap"][:151_000])
    made = [file for file in files(service.data / "cache" / "answers") if "umap-0-150." in file.name]
    assert len(made) == 4


def test_tilemaps_and_their_parts_come_through_the_server(big: tuple[Service, dict[str, Vectors]]) -> None:
    service, _ = big
    content = installed_catalogue.tilemap_path(service.data / "tilemaps", 0).read_bytes()
    whole = service.get("/tilemaps/000")
    assert whole.body == content
    part = service.get("/tilemaps/000", Range="bytes=100000-249999")
    assert part.status == 206
    assert part.body == content[100_000:250_000]
    assert service.get("/tilemaps/000", **{"If-None-Match": whole.headers["ETag"]}).status == 304
    assert service.get("/tilemaps/000", Range="bytes=300000-").json()["error"]


def test_tags_and_files_outlive_the_service(big: tuple[Service, dict[str, Vectors]]) -> None:
    service, _ = big
    path = "/pca/5/6/standalone"
    before = service.get(path, **{"Accept-Encoding": "br"})
    kept = files(service.data / "cache" / "answers")
    service.stop()
    service.start(warm=False)
    after = service.get(path, **{"Accept-Encoding": "br"})
    assert (after.body, after.headers["ETag"]) == (before.body, before.headers["ETag"])
    assert files(service.data / "cache" / "answers") == kept
    assert service.get(path, **{"Accept-Encoding": "br", "If-None-Match": after.headers["ETag"]}).status == 304


def test_the_web_process_starts_without_what_computes_and_without_tables() -> None:
    script = (
        "import sys, wwzd.wsgi\n"
        "from django.urls import reverse\n"
        "reverse('status')\n"
        "heavy = {'torch', 'openvino', 'open_clip', 'timm', 'regex', 'umap', 'numba', 'sklearn', 'scipy', 'pyarrow'}\n"
        "print(sorted(heavy & sys.modules.keys()))\n"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "wwzd.settings"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
