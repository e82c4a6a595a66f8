"""A Ray cluster for tests: nodes with one CPU each, on this machine, which need a token to be talked to."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.ports import free_port
from tests.support.service import alive, children_of, command_of

_SECONDS = 90


class RayCluster:
    """A head and further nodes."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self.address = f"127.0.0.1:{_head_port()}"
        self.environment = {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
            **environment,
        }
        self._nodes: list[subprocess.Popen[bytes]] = []
        self._begun = 0

    def start_head(self) -> None:
        port = self.address.rpartition(":")[2]
        self._start("--head", f"--port={port}", "--include-dashboard=false")

    def start_node(self) -> "subprocess.Popen[bytes]":
        return self._start(f"--address={self.address}")

    def kill(self, node: "subprocess.Popen[bytes]") -> None:
        """SIGKILL for all processes of a node."""
        for pid in [*_descendants(node.pid), node.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        node.wait()
        self._nodes.remove(node)

    def tasks(self) -> list[int]:
        """The processes that compute now."""
        processes = [pid for node in self._nodes for pid in _descendants(node.pid)]
        return [pid for pid in processes if command_of(pid).startswith("ray::extract")]

    def close(self) -> None:
        for node in reversed(self._nodes[:]):
            self.kill(node)

    def _start(self, *options: str) -> "subprocess.Popen[bytes]":
        self._begun += 1
        own = self._folder / str(self._begun)  # as on hosts of their own: nodes of one folder remove each other's code
        with (self._folder / "log").open("ab") as log:
            node = subprocess.Popen(
                [
                    *(sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus=1"),
                    *("--num-gpus=0", "--node-ip-address=127.0.0.1", "--object-store-memory=200000000"),
                    f"--temp-dir={own}",
                    *options,
                ],
                env=os.environ | self.environment,
                cwd=self._folder,  # what the tasks import comes with them, not from here
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._nodes.append(node)
        deadline = time.monotonic() + _SECONDS
        while self._joined() < len(self._nodes):
            if node.poll() is not None or time.monotonic() > deadline:
                raise OSError(f"Ray does not start: {(self._folder / 'log').read_text()[-1000:]}")
            time.sleep(0.2)
        return node

    def _joined(self) -> int:
        return (self._folder / "log").read_text().count("Ray runtime started")


@contextmanager
def running_ray(environment: Mapping[str, str]) -> Iterator[RayCluster]:
    """With a head alone. Raises `ImportError` where Ray is not installed, `OSError` where it does not start."""
    import ray  # noqa: F401

    # A short path: those of sockets end after a hundred letters.
    folder = Path(tempfile.mkdtemp(prefix="ray-"))
    cluster = RayCluster(folder, environment)
    try:
        cluster.start_head()
        yield cluster
    finally:
        cluster.close()
        shutil.rmtree(folder, ignore_errors=True)


def _head_port() -> int:
    """Its workers take those below by themselves."""
    while (port := free_port()) < 20_000:
        pass
    return port


def _descendants(pid: int) -> list[int]:
    children = children_of(pid)
    return [each for child in children if alive(child) for each in (*_descendants(child), child)]
