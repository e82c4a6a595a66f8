"""A process that decodes one picture after the other, and may be ended at any moment.

Foreign bytes make C code loop for hours, fill the memory or crash. Here that ends this process and costs one picture.
Jobs come on standard input, results go to standard output; both are `decoders.py`'s, which starts these processes.
"""

import os
import pickle
import resource
import select
import signal
import struct
from collections.abc import Callable
from typing import IO, Any

from embeddings.images.decoding import UnreadableImage

from .prepared_picture import prepared, reduced
from .projector.sprite import cells

HEADER = struct.Struct("<dQQQ")
"""Seconds and bytes of memory that the job may take, then the lengths of the job and of the picture's file."""
LENGTH = struct.Struct("<Q")
JOBS: dict[str, Callable[..., Any]] = {"prepared": prepared, "reduced": reduced, "cells": cells}
OUT_OF_MEMORY = "out of memory"
_IDLE_SECONDS = 60


def main() -> None:
    incoming, outgoing = os.fdopen(os.dup(0), "rb", buffering=0), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not break the results
    _die_first()
    # Ended by the kernel, whatever code runs: Python's own handlers wait for C code to return.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while select.select([incoming], [], [], _IDLE_SECONDS)[0] and (header := exactly(incoming, HEADER.size)):
        seconds, memory, job, data = HEADER.unpack(header)
        name, options = pickle.loads(exactly(incoming, job))  # noqa: S301  of the process that started this one
        content = exactly(incoming, data)
        result = _work(JOBS[name], content, options, seconds, memory)
        del content
        answer = pickle.dumps(result, protocol=5)
        outgoing.write(LENGTH.pack(len(answer)))
        outgoing.write(answer)
        outgoing.flush()


def exactly(file: IO[bytes], length: int) -> bytes:
    """So many bytes from a pipe; empty where it was closed."""
    parts: list[bytes] = []
    while length:
        part = file.read(min(length, 2**20))
        if not part:
            return b""
        parts.append(part)
        length -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _work(job: Callable[..., Any], data: bytes, options: dict[str, Any], seconds: float, memory: int) -> Any:
    """The job's result; its `UnreadableImage`, or `OUT_OF_MEMORY`."""
    unlimited = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (_own_memory() + memory, unlimited))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return job(data, **options)
    except MemoryError:
        return OUT_OF_MEMORY
    except UnreadableImage as error:
        return OUT_OF_MEMORY if isinstance(error.__cause__, MemoryError) else error.with_traceback(None)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_DATA, (unlimited, unlimited))


def _own_memory() -> int:
    """Bytes that count for RLIMIT_DATA now."""
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[5]) * resource.getpagesize()


def _die_first() -> None:
    """Where the machine's memory runs out, the kernel ends this process and not the service."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:
        return


if __name__ == "__main__":
    main()
