"""Chunks as tasks of Ray, on the nodes of a cluster or in processes of this machine. Ray is imported nowhere else.

The code travels with the tasks; a node needs the packages of requirements.txt and requirements-ray.txt.
"""

import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from .build_directory import BuildError
from .chunk_extraction import Files, Job, extract_chunk
from .chunks import Chunk, ExtractedChunk
from .sources import SourceError

LOCAL = "local"
"""The address that stands for a Ray of this machine alone, started for the build."""
_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = {"datasets", "embeddings"}
"""Those that the tasks are made of."""
_CACHE = Path("networks")
"""In the folder of the code that came with the tasks: the node's own, shared by its processes and removed with it."""
_MOST_CPUS = 4
"""Of a task without a GPU: a process each would take as much memory for the network as one for several cores."""
_TRIES = 5
"""Times that a task is begun again whose node or process was killed."""
_SECONDS_TO_CONNECT = 5
_WAIT_SECONDS = 0.5
"""After so long, tasks that were begun meanwhile are waited for, too."""
_LONGEST = 400
"""Letters of what Ray tells of an error, on many lines."""


class RayEngine:
    """A connection to Ray, for one job."""

    def __init__(self, ray: Any, job: Job, files: Files) -> None:
        self._ray = ray
        self._underway: dict[Any, tuple[Future[ExtractedChunk], Chunk]] = {}
        self._has_some = threading.Condition()
        self._gpus = 1 if job.device == "cuda" else 0
        self._files = ray.put(dict(files))
        self._job = job
        self._task = ray.remote(
            num_cpus=job.threads,
            num_gpus=self._gpus,
            max_retries=_TRIES,
            retry_exceptions=False,
            scheduling_strategy="SPREAD",
        )(extract_chunk)
        threading.Thread(target=self._settle, name="ray", daemon=True).start()

    def submit(self, chunk: Chunk) -> "Future[ExtractedChunk]":
        found: Future[ExtractedChunk] = Future()
        with self._has_some:
            self._underway[self._task.remote(self._job, self._files, chunk, _CACHE)] = found, chunk
            self._has_some.notify()
        return found

    def _settle(self) -> None:
        """Hand on what is done, until the connection ends. By `ray.wait`, which fetches results: of the futures that
        Ray makes of references, some never hear that theirs has come."""
        while True:
            with self._has_some:
                self._has_some.wait_for(lambda: self._underway)
                waiting = list(self._underway)
            try:
                done, _ = self._ray.wait(waiting, num_returns=1, timeout=_WAIT_SECONDS)
            except Exception as error:  # the connection has ended, by this side or the other
                for found, chunk in self._underway.values():
                    found.set_exception(self._as_build_error(error, chunk))
                return
            for reference in done:
                found, chunk = self._underway.pop(reference)
                try:
                    result = self._ray.get(reference)
                except Exception as error:  # of a dozen types
                    found.set_exception(self._as_build_error(error, chunk))
                else:
                    found.set_result(result)

    def room(self) -> int:
        """Twice what can be computed at once, so that no node waits for this machine."""
        return 2 * max(1, sum(_tasks(node, self._job.threads, self._gpus) for node in _nodes(self._ray)))

    def _as_build_error(self, error: BaseException, chunk: Chunk) -> Exception:
        cause = getattr(error, "cause", None) or error
        if isinstance(cause, SourceError):
            return cause
        if isinstance(cause, self._ray.exceptions.OutOfMemoryError):
            return BuildError(
                f"A node has too little memory for {chunk}: start it with fewer CPUs, `ray start --num-cpus`."
            )
        if isinstance(cause, self._ray.exceptions.WorkerCrashedError | self._ray.exceptions.NodeDiedError):
            return BuildError(f"The process that computed {chunk} was killed {_TRIES + 1} times.")
        return BuildError(f"Ray could not compute {chunk}: {type(cause).__name__}: {_brief(cause)}")


@contextmanager
def connected(address: str, job: Job, files_of: Callable[[Job], Files]) -> Iterator[RayEngine]:
    """Connect to the cluster at an address, or start Ray on this machine where there is none; whatever is underway when
    the block ends is ended. `files_of` a job are those of its network.

    Raises `BuildError` where Ray is not installed, does not answer or cannot run the job.
    """
    ray = _imported()
    _connect(ray, address)
    try:
        job = _fitted(ray, job)
        yield RayEngine(ray, job, files_of(job))
    finally:
        ray.shutdown()


def _imported() -> Any:
    # Read when it is imported. Nothing is reported to anyone, and what goes wrong is told as an error, not as a log.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import ray
    except ImportError as error:
        raise BuildError(
            "--ray needs a package that is not installed: run `.venv/bin/python -m pip install -r requirements-ray.txt`"
        ) from error
    return ray


def _connect(ray: Any, address: str) -> None:
    options: dict[str, Any] = {"address": address}
    if address == LOCAL:
        options |= {"include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    else:
        _check_that_it_listens(address)
    others = [f"/{path.name}" for path in _ROOT.iterdir() if path.name not in _PACKAGES]
    try:
        with _silent():
            ray.init(
                **options,
                log_to_driver=False,
                logging_level=logging.CRITICAL,
                runtime_env={"working_dir": str(_ROOT), "excludes": others},
            )
    except Exception as error:  # it raises a dozen types
        raise BuildError(
            f"Ray at {address} cannot be used: {_brief(error)}. All nodes need one token (RAY_AUTH_TOKEN) and the same "
            "versions."
        ) from error


@contextmanager
def _silent() -> Iterator[None]:
    """Until Ray is connected, its C++ writes each of its tries to standard error, whatever it is told of logs."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _check_that_it_listens(address: str) -> None:
    """Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise BuildError(
            f"{address} is no address of Ray: give host:port of its head, on a machine that is a node of it."
        )
    try:
        socket.create_connection((host, int(port)), _SECONDS_TO_CONNECT).close()
    except OSError as error:
        raise BuildError(f"Nothing answers at {address}: {error}. Start Ray's head with `ray start --head`.") from error


def _fitted(ray: Any, job: Job) -> Job:
    """The job for the nodes that there are: on GPUs where they have some and the settings do not forbid it."""
    nodes = [node for node in _nodes(ray) if node.get("CPU", 0) >= 1]
    if not nodes:
        raise BuildError("No node of the Ray cluster has a CPU for tasks.")
    with_gpus = [node for node in nodes if node.get("GPU", 0) >= 1]
    if job.device == "cuda" and not with_gpus:
        raise BuildError("DEVICE=cuda, but no node of the Ray cluster has a GPU: add one, or set DEVICE=cpu.")
    if with_gpus and job.device != "cpu":
        return replace(job, device="cuda", threads=max(1, int(min(node["CPU"] // node["GPU"] for node in with_gpus))))
    return replace(job, device="cpu", threads=min(_MOST_CPUS, int(min(node["CPU"] for node in nodes))))


def _nodes(ray: Any) -> list[dict[str, float]]:
    """What each of those that live has."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _tasks(node: dict[str, float], cpus: int, gpus: int) -> int:
    """How many fit onto a node at once."""
    fit = int(node.get("CPU", 0) // cpus)
    return min(fit, int(node.get("GPU", 0) // gpus)) if gpus else fit


def _brief(error: BaseException) -> str:
    return " ".join(str(error).split())[:_LONGEST] or type(error).__name__
