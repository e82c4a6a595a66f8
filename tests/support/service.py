"""The real service, started as `make run` starts it, on a port and a data folder of its own."""

import hashlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import postgresql, tiers
from tests.support.environment import CACHE
from tests.support.paths import ROOT
from tests.support.ports import free_port


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Service:
    data: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None
    command: tuple[str, ...] = ("serve",)

    def start(self, *, warm: bool = True) -> "Service":
        """Start, and wait until it answers; with `warm`, until the worker is ready too."""
        assert tiers.running in {None, "service", "browser", "scale"}, (
            "a test that starts the service is marked `service`"
        )
        environment = self.environment()
        self.data.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", *self.command],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_for(lambda: self.worker_state() == "ready" if warm else self.health() is not None)
        return self

    def environment(self) -> dict[str, str]:
        """What its processes are started with."""
        environment = {
            **os.environ,
            "DATA_DIR": str(self.data),
            "CACHE_DIR": str(CACHE),
            "NUMBA_CACHE_DIR": str(CACHE / "kernels"),
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "TASKS_BACKEND": "database",
            "DEMO": "0",
            "RESNET50_URL": "http://127.0.0.1:9/resnet50-00000000.pth",
            **self.settings,
        }
        # A database and a place in the store for each data folder, as with SQLite and none.
        own = f"wwzd_{hashlib.sha256(str(self.data).encode()).hexdigest()[:16]}"
        if url := environment.get("DATABASE_URL"):
            if "DATABASE_URL" not in self.settings:
                environment["DATABASE_URL"] = postgresql.with_database(url, own)
            environment.setdefault("SECRET_KEY", postgresql.SECRET_KEY)
        if environment.get("STORAGE_URL") and "STORAGE_URL" not in self.settings:
            environment["STORAGE_URL"] += f"/{own}"
        return environment

    def manage(self, *command: str, timeout: float = 240) -> None:
        """Run one of `manage.py`'s commands for it."""
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert done.returncode == 0, done.stderr

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What its database answers; JSON is text."""
        if url := self.environment().get("DATABASE_URL"):
            return postgresql.rows(url, query)
        with closing(sqlite3.connect(self.data / "db.sqlite3")) as database:
            return database.execute(query).fetchall()

    def output(self) -> str:
        return self.log.read_text()

    @property
    def log(self) -> Path:
        return self.data.with_suffix(".log")

    def wait_for(self, condition: Any, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.process is None or self.process.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.05)

    def health(self) -> Any:
        """What it answers, or `None` while it starts."""
        try:
            answer = self.get("/health")
        except OSError:
            return None
        return answer.json() if answer.status == 200 else None

    def worker_state(self) -> Any:
        """What it tells of its worker, or `None` while it starts."""
        return (self.health() or {}).get("worker")

    def get(self, path: str, **headers: str) -> Answer:
        return self.send(urllib.request.Request(self.url(path), headers=headers))

    def upload(
        self, archive: bytes, name: str = "photos.zip", timeout: float = 300, path: str = "/dataset", **more: str
    ) -> Answer:
        boundary = "----tests"
        body = (
            (
                f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
                "Content-Type: application/x-zip-compressed\r\n\r\n"
            ).encode()
            + archive
            + f"\r\n--{boundary}--\r\n".encode()
        )
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", **more}
        return self.send(urllib.request.Request(self.url(path), body, headers), timeout)

    def send(self, request: urllib.request.Request, timeout: float = 60) -> Answer:
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                return Answer(status=response.status, headers=dict(response.headers), body=response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(status=error.code, headers=dict(error.headers), body=error.read())

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def children(self) -> dict[str, int]:
        """Process ids of nginx's and gunicorn's masters and of the worker, by name. One that has just been started, and
        is not yet what it is to be, is not among them, nor is one that has just ended."""
        assert self.process is not None
        found = {}
        for pid in children_of(self.process.pid):
            command = command_of(pid)
            for name, mark in (("worker", " worker"), ("nginx", "nginx"), ("web", "gunicorn")):
                if mark in command:
                    found[name] = pid
                    break
        return found

    def child(self, name: str) -> int:
        """Process id of one of them, once it is there."""
        found: dict[str, int] = {}

        def is_there() -> bool:
            found.update(self.children())
            return name in found

        self.wait_for(is_there)
        return found[name]

    def pause_worker(self) -> int:
        """SIGSTOP the worker while it has no lock of SQLite's, which nobody else would get then. Returns its process
        id, for SIGCONT."""
        worker = self.child("worker")
        if self.environment().get("DATABASE_URL"):
            os.kill(worker, signal.SIGSTOP)
            return worker
        with closing(sqlite3.connect(self.data / "db.sqlite3", timeout=60, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            os.kill(worker, signal.SIGSTOP)
        return worker

    @contextmanager
    def paused_worker(self) -> Iterator[None]:
        """Nothing is computed during the block. It is to take seconds: the supervisor replaces a worker that is silent
        for a minute."""
        worker = self.pause_worker()
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL the service: its supervisor at once, and wait until its children have noticed."""
        assert self.process is not None
        children = children_of(self.process.pid)
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = None
        self.wait_for(lambda: not any(alive(pid) for pid in children), 30)
        self.wait_for(self.port_is_free, 15)  # less than gunicorn's process takes to finish its requests first

    def stop(self) -> int:
        """SIGTERM, as `docker stop` sends. Returns the exit status."""
        if self.process is None:
            return 0
        children = children_of(self.process.pid)
        self.process.terminate()
        status = self.process.wait(60)
        self.process = None
        assert not any(alive(pid) for pid in children), "children outlived the service"
        return status

    def port_is_free(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) != 0


def children_of(pid: int) -> list[int]:
    """Those of each of its threads; none of what ends meanwhile."""
    found: list[int] = []
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                found += map(int, (thread / "children").read_text().split())
    return found


def command_of(pid: int) -> str:
    """Its command line; empty for one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
    except OSError:
        return ""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
