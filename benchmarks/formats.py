"""Every form of vectors, a look-up and an export over HTTP: `python -m benchmarks.formats`."""

import io
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.support.pictures import photograph, zipped
from tests.support.service import Service

from .serving import ALL_ROWS, Client, install, serving

FORMS = ("json", "npy", "raw", "uint16", "arrow", "parquet", "csv")
REPEATS = 9


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="wwzd-formats-") as folder:
        data = Path(folder) / "data"
        install(data)
        with serving(data, warm=True) as service:
            for row in (*forms(service), *calls(service)):
                print(json.dumps(row), flush=True)


def forms(service: Service) -> Iterator[dict[str, Any]]:
    """All rows of a catalogue of CelebA's size: made for the first time, and sent again."""
    client = Client(service.port)
    for form in FORMS:
        first = client.timed(f"{ALL_ROWS}?format={form}")
        again = [client.timed(f"{ALL_ROWS}?format={form}") for _ in range(REPEATS)]
        size = len(client.get(f"{ALL_ROWS}?format={form}").body)
        yield {"what": f"all rows as {form}, first call ever", "ours_s": first}
        yield {"what": f"all rows as {form}", "ours_s": statistics.median(again), "bytes": size}
    sample = client.timed(f"{ALL_ROWS}?sample=10000&format=raw")
    yield {"what": "10,000 of all rows, spread over the cloud, first call ever", "ours_s": sample}


def calls(service: Service) -> Iterator[dict[str, Any]]:
    """What is asked of an upload of 1000 pictures."""
    pictures = {f"{k:04d}.jpg": photograph(k, (178, 218)) for k in range(1000)}
    identity = service.upload(zipped(pictures), timeout=600).body.decode()
    client = Client(service.port)
    for what, path in (
        ("ten nearest among 1000 uploaded pictures", "images/{}/neighbors"),
        ("a thumbnail of 128 pixels, first call ever", "images/{}/thumbnail"),
        ("an original", "images/{}"),
    ):
        times = [client.timed(f"/dataset/{identity}/{path.format(row)}") for row in range(100, 150)]
        yield {"what": what, "ours": times}
    yield {"what": "duplicates among 1000", "ours_s": client.timed(f"/dataset/{identity}/duplicates")}
    yield {"what": "outliers among 1000", "ours_s": client.timed(f"/dataset/{identity}/outliers")}
    yield {"what": "export of 1000 as one ZIP", "ours_s": client.timed(f"/dataset/{identity}/export")}
    yield {"what": "look up a picture among 1000, the network included", "ours": list(_lookups(service, identity))}


def _lookups(service: Service, identity: str) -> Iterator[float]:
    for seed in range(2000, 2012):
        send = _asking(service, identity, photograph(seed, (178, 218)))
        started = time.perf_counter()
        assert send() == 200
        yield time.perf_counter() - started


def _asking(service: Service, identity: str, picture: bytes) -> Callable[[], int]:
    import urllib.request

    body = io.BytesIO()
    body.write(b'--b\r\nContent-Disposition: form-data; name="file"; filename="me.jpg"\r\n\r\n' + picture)
    body.write(b"\r\n--b--\r\n")
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    request = urllib.request.Request(service.url(f"/search?in={identity}"), body.getvalue(), headers)
    return lambda: service.send(request).status


if __name__ == "__main__":
    main()
