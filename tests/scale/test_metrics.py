"""METRICS=1 and request ids, on the running service."""

import json
from pathlib import Path
from urllib.request import Request

import pytest

from tests.support.pictures import photograph, zipped
from tests.support.service import Service

pytestmark = pytest.mark.scale

parser = pytest.importorskip("prometheus_client.parser", reason="it comes with: make test-scale")


def figures(service: Service) -> dict[str, float]:
    """Name and values of labels → value."""
    answer = service.get("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    families = parser.text_string_to_metric_families(answer.body.decode())
    samples = [sample for family in families for sample in family.samples]
    return {" ".join([sample.name, *sample.labels.values()]): sample.value for sample in samples}


def test_figures_tell_what_was_computed_and_answered(tmp_path: Path) -> None:
    service = Service(tmp_path / "data", {"METRICS": "1", "LOG_FORMAT": "json"}).start()
    try:
        before = figures(service)
        assert before["wwzd_uploads ready"] == before["wwzd_pictures_last_hour"] == 0
        assert before["wwzd_workers ready"] == 1
        content = zipped({f"{k}.jpg": photograph(k) for k in range(6)})
        dataset = service.upload(content, **{"X-Request-ID": "from-the-proxy"}).body.decode()  # type: ignore[arg-type]
        for _ in range(3):
            service.get(f"/dataset/{dataset}/tilemap/manifest")
        service.get("/no/such/call")
        after = figures(service)
        assert after["wwzd_uploads ready"] == 1
        assert after["wwzd_pictures_last_hour"] == 6
        assert after["wwzd_stage_seconds_last_hour features"] > 0
        assert after["wwzd_pictures_per_second_last_hour"] > 0
        assert after["wwzd_request_seconds_count dataset-manifest GET 200"] == 3
        assert after["wwzd_request_seconds_count other GET 404"] == 1
        assert after["wwzd_cache_hits"] >= 2
        lines = [json.loads(line) for line in service.output().splitlines() if line.startswith("{")]
        uploads = [line for line in lines if line["message"] == "upload"]
        assert [(line["request"], line["dataset"], line["pictures"]) for line in uploads] == [
            ("from-the-proxy", dataset, 6)
        ]
        # One that could forge lines, or break them, is not taken.
        own = service.send(Request(service.url("/status"), headers={"X-Request-ID": "a b=c"})).headers["X-Request-ID"]
        assert len(own) == 16
    finally:
        service.stop()


def test_without_the_setting_there_is_no_such_call(tmp_path: Path) -> None:
    service = Service(tmp_path / "data").start(warm=False)
    try:
        assert service.get("/metrics").status == 404
    finally:
        service.stop()
