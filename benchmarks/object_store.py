"""What an object store costs: `python -m benchmarks.object_store`, with the packages of requirements-scale-dev.txt.

The same upload to the same service, with its files in its own folder, and in an S3 server (SeaweedFS) on this machine,
whose answers take no way over a network. Each call is made once by a host without a copy, and then again.
"""

import json
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.support import postgresql
from tests.support.pictures import zipped
from tests.support.s3_server import running_s3
from tests.support.service import Service

from . import inputs

PICTURES, ROUNDS = 1000, 30
CALLS = ("features/pca", "tilemap", "images/500", "images/500/neighbors")


def main() -> None:
    archive = zipped(inputs.portraits(PICTURES))
    with (
        tempfile.TemporaryDirectory(prefix="wwzd-store-") as name,
        running_s3(Path(name) / "s3") as s3,
        postgresql.server() as database,
    ):
        plain = Service(Path(name) / "plain", _settings(database, "plain"))
        shared = _settings(database, "shared") | s3.environment | {"STORAGE_URL": f"s3://{s3.bucket}/collections"}
        hosts = [Service(Path(name) / f"host-{k}", shared, command=command) for k, command in enumerate(_COMMANDS)]
        try:
            for service in (plain, *hosts):
                service.start(warm=service is not hosts[1])
            print(json.dumps(_uploads(archive, plain, hosts[0])), flush=True)
            for row in _calls(archive, plain, hosts):
                print(json.dumps(row), flush=True)
        finally:
            for service in (*reversed(hosts), plain):
                service.stop()


_COMMANDS = (("serve",), ("serve", "--web"))


def _settings(database: postgresql.Server, name: str) -> dict[str, str]:
    return {
        "DATABASE_URL": postgresql.with_database(database.url(), name),
        "SECRET_KEY": postgresql.SECRET_KEY,
        "BACKBONE": "efficientnet_lite0",
    }


def _uploads(archive: bytes, plain: Service, stored: Service) -> dict[str, Any]:
    """Three times in turn, and deleted in between."""
    found: dict[str, list[float]] = {"plain": [], "ours": []}
    for _ in range(3):
        for name, service in (("plain", plain), ("ours", stored)):
            started = time.perf_counter()
            dataset = service.upload(archive).body.decode()
            found[name].append(time.perf_counter() - started)
            deleted = urllib.request.Request(service.url(f"/dataset/{dataset}"), method="DELETE")
            assert service.send(deleted).status == 204
    return {
        "what": f"{PICTURES} portraits, {len(archive) / 2**20:.0f} MiB, uploaded and computed: own folder, then S3",
        **found,
    }


def _calls(archive: bytes, plain: Service, hosts: list[Service]) -> list[dict[str, Any]]:
    dataset = plain.upload(archive).body.decode()
    assert hosts[0].upload(archive).body.decode() == dataset
    rows = []
    for call in CALLS:
        path = f"/dataset/{dataset}/{call}"
        expected = plain.get(path).body
        first = _seconds(hosts[1], path, expected)
        rows.append(
            {
                "what": f"`{call}` of it, served again: own folder, then a host's copy",
                "plain": [statistics.median(_seconds(plain, path, expected) for _ in range(ROUNDS))],
                "ours": [statistics.median(_seconds(hosts[1], path, expected) for _ in range(ROUNDS))],
                "note": f"first time on a host without a copy {first * 1000:.0f} ms",
            }
        )
    return rows


def _seconds(service: Service, path: str, expected: bytes) -> float:
    started = time.perf_counter()
    body = service.get(path).body
    seconds = time.perf_counter() - started
    assert body == expected
    return seconds


if __name__ == "__main__":
    main()
