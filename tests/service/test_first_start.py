"""A first start, with nothing converted yet, serves what is there at once."""

import time
from pathlib import Path

import numpy as np
import pytest

from embeddings import legacy_pickles
from tests.support.pictures import photograph, zipped
from tests.support.service import Service

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads the process tree from /proc")


def old_server(data: Path, total: int = 3000) -> None:
    for seed, name in enumerate(("pca", "umap")):
        rows = np.random.default_rng(seed).normal(size=(total, 3)).astype(np.float32)
        legacy_pickles.write(data / "pickles" / f"celeba_features_{name}_reduced.pickle", rows)


def test_an_old_servers_folder_is_served_while_the_network_is_prepared(tmp_path: Path) -> None:
    old_server(tmp_path / "data")
    cache = tmp_path / "cache"
    service = Service(tmp_path / "data", {"CACHE_DIR": str(cache), "BACKBONE": "efficientnet_lite0"}).start(warm=False)
    try:
        assert service.worker_state() == "preparing"
        assert service.get("/dataset/info").json()["total"] == 3000
        assert service.get("/pca/0/2/standalone").json()["total"] == 3000
        assert not list(cache.glob("*-openvino-*.xml"))
        # The contract's call waits until the network is there.
        answer = service.upload(zipped({f"{k}.jpg": photograph(k) for k in range(6)}), timeout=300)
        assert answer.status == 200, answer.body
        assert service.worker_state() == "ready"
    finally:
        service.stop()


def test_without_a_network_the_rest_is_served_and_health_reports_it(tmp_path: Path) -> None:
    old_server(tmp_path / "data")
    service = Service(tmp_path / "data", {"BACKBONE": "resnet50"}).start(warm=False)
    try:
        service.wait_for(lambda: service.worker_state() == "cannot prepare")
        assert service.get("/dataset/info").json()["total"] == 3000
        started = time.monotonic()
        answer = service.upload(zipped({"0.jpg": photograph(0)}))
        assert time.monotonic() - started < 20
        assert answer.status == 503
        assert "could not be prepared" in answer.json()["error"]
        assert "Retry-After" in answer.headers
        assert "could not be prepared" in service.output()
        assert service.get("/status").json() == {"busy": False}
    finally:
        service.stop()


@pytest.mark.parametrize("command", ["delete_expired", "worker"])
def test_commands_before_it_say_how_the_database_gets_its_tables(tmp_path: Path, command: str) -> None:
    service = Service(tmp_path / "data", {"RETENTION_DAYS": "1"})
    service.data.mkdir(exist_ok=True)
    with pytest.raises(
        AssertionError, match="^CommandError: The database lacks tables .* `manage.py migrate`"
    ) as error:
        service.manage(command)
    assert "Traceback" not in str(error.value)
