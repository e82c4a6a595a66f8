"""Decoding that cannot hang, fill the memory or crash the process that asks for it.

Small JPEGs are decoded right here: libjpeg's time and memory follow from their header. All else goes to one of a few
processes (`decoder_process`), each of which does one picture at a time and is replaced when that brings it down.
"""

import atexit
import fcntl
import os
import pickle
import queue
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from datasets.errors import Unavailable
from embeddings.images.decoding import RGB, UnreadableImage, decode_cost
from embeddings.images.jpeg_markers import count_scans, has_one_scan, read_frame
from embeddings.images.limits import LONGEST_SIDE

from .decode_limits import Allowance, Budget, TooMuchMemory, TooSlow
from .decoder_process import HEADER, JOBS, LENGTH, OUT_OF_MEMORY, exactly
from .prepared_picture import Prepared

_MIB = 2**20
_PIPE_BYTES = _MIB
_MOST_PROCESSES = 4
"""However many cores: each takes about 45 MiB, and most pictures are JPEGs, which need none."""
_PLAIN_BYTES = 64 * _MIB
"""Of memory, that a JPEG decoded in this process may take."""
_LIGHT_BYTES = 16 * _MIB
_PLAIN_WORK = 100_000_000
"""Pixels times scans, of the same: about a second."""
_FILES_BYTES = 256 * _MIB
"""Of files that are in memory at once, to be decoded; those for a process are there twice."""
_OF_SPRITES = 6
"""Times the seconds of a picture that a sprite may take: of 8192 × 8192 pixels, all cells are packed."""
_SLACK_BYTES = 32 * _MIB


class _Process:
    """One decoder process, started when it is first needed, and again whenever it has ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, job: bytes, data: bytes, seconds: float, memory: int) -> Any:
        """What `decoder_process` answers. Raises `TooSlow`, `UnreadableImage`."""
        header = HEADER.pack(seconds, memory, len(job), len(data))
        for _ in range(2):
            process = self._running()
            try:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(header + job)
                process.stdin.write(data)
                if length := exactly(process.stdout, LENGTH.size):
                    answer = exactly(process.stdout, LENGTH.unpack(length)[0])
                    if answer:
                        return pickle.loads(answer)  # noqa: S301  of our own process
            except BrokenPipeError:
                pass
            except BaseException:
                self.end()
                raise
            # 0: it had nothing to do for a while and ended just now.
            if (status := self._ended()) != 0:
                if status == -signal.SIGALRM:
                    raise TooSlow("takes too long to decode")
                if status == -signal.SIGKILL:
                    raise TooMuchMemory("needs too much memory to decode")
                raise UnreadableImage("damaged: it makes its decoder crash")
        raise UnreadableImage("damaged: its decoder ends without a word")

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self.end()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "datasets.pictures.decoder_process"],
                cwd=Path(__file__).resolve().parents[2],
                # Threads of a linear algebra that is not used would take memory.
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
            for pipe in (self._process.stdin, self._process.stdout):
                # A picture in one piece. A user may have few such pipes, and smaller ones only take longer.
                with suppress(OSError):
                    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)  # type: ignore[arg-type]
        return self._process

    def _ended(self) -> int:
        """How it ended; what does not end by itself is killed."""
        assert self._process is not None
        try:
            status = self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self.end()
        return status

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None


class Decoders:
    """All decoding of one process of the service: its decoder processes, its budgets."""

    def __init__(self, *, processes: int, memory: int, seconds: float) -> None:
        self._seconds = seconds
        self._memory = Budget(memory)
        self._files = Budget(_FILES_BYTES)
        # The one used last comes first: the others end when they have nothing to do.
        self._idle: queue.LifoQueue[_Process] = queue.LifoQueue()
        self._all = [_Process() for _ in range(processes)]
        for process in self._all:
            self._idle.put(process)

    def holding(self, size: int) -> Any:
        """A block that has a file of so many bytes in memory."""
        return self._files.taking(2 * size)

    def close(self) -> None:
        """End the processes; they would end by themselves after a while, or with this one."""
        for process in self._all:
            process.end()

    def prepared(
        self, data: bytes, *, resize: int, side: int, max_pixels: int, allowance: Allowance | None = None
    ) -> Prepared:
        """Tile, crop and facts. Raises `UnreadableImage`."""
        options = {"resize": resize, "side": side, "max_pixels": max_pixels}
        made: Prepared = self._do("prepared", data, options, resize, allowance=allowance)
        return made

    def reduced(self, data: bytes, *, side: int, max_pixels: int, wait: float) -> RGB:
        """Fitted into a square of `side` pixels, `(h, w, 3) uint8`. Raises `UnreadableImage`, and `Unavailable` where
        no decoder is free within `wait` seconds."""
        made: RGB = self._do("reduced", data, {"side": side, "max_pixels": max_pixels}, side, wait=wait)
        return made

    def cells(self, data: bytes, *, width: int, height: int, count: int, max_pixels: int) -> list[bytes]:
        """The first cells of a sprite, PNG files. Raises `UnreadableImage`. It may take as long as many pictures do."""
        options = {"width": width, "height": height, "count": count, "max_pixels": max_pixels}
        made: list[bytes] = self._do("cells", data, options, LONGEST_SIDE, patience=_OF_SPRITES)
        return made

    def _do(
        self,
        job: str,
        data: bytes,
        options: dict[str, int],
        min_side: int,
        *,
        allowance: Allowance | None = None,
        wait: float | None = None,
        patience: int = 1,
    ) -> Any:
        options = options | {"max_bytes": self._memory.total}
        cost = decode_cost(data, min_side=min_side, max_bytes=self._memory.total)
        if is_plain_jpeg(data, cost) and (wait is None or cost <= _LIGHT_BYTES):
            with self._memory.taking(cost):
                return JOBS[job](data, **options)
        try:
            process = self._idle.get(timeout=wait)
        except queue.Empty:
            raise Unavailable("Too many pictures are being decoded. Try again in a while.") from None
        try:
            return self._isolated(process, pickle.dumps((job, options)), data, cost, allowance, patience)
        finally:
            self._idle.put(process)

    def _isolated(
        self, process: _Process, job: bytes, data: bytes, cost: int, allowance: Allowance | None, patience: int
    ) -> Any:
        # Estimates are made from above. Should one be too low all the same, all the memory there is decides.
        for wanted in (min(cost + cost // 4 + _SLACK_BYTES, self._memory.total), self._memory.total):
            with self._memory.taking(wanted) as memory:
                seconds = allowance.seconds(self._seconds) if allowance else patience * self._seconds
                began = time.monotonic()
                killed = False
                try:
                    result = process.run(job, data, seconds, memory)
                except TooSlow:
                    killed = True
                    raise
                finally:
                    if allowance:
                        allowance.spend(time.monotonic() - began, killed=killed)
            if not isinstance(result, str) or result != OUT_OF_MEMORY:
                if not isinstance(result, Exception):
                    return result
                # Some decoders call it a fault of the file.
                if type(result) is not UnreadableImage or cost < self._memory.total:
                    raise result
            if wanted == self._memory.total:
                break
        raise TooMuchMemory("needs too much memory to decode")


def is_light(data: bytes, min_side: int) -> bool:
    """Whether decoding takes some milliseconds and megabytes, here."""
    cost = decode_cost(data, min_side=min_side)
    return cost <= _LIGHT_BYTES and is_plain_jpeg(data, cost)


def is_plain_jpeg(data: bytes, cost: int) -> bool:
    """Whether the bytes are a JPEG that takes little time and memory, as its header says, and libjpeg keeps to."""
    if not data.startswith(b"\xff\xd8\xff") or not 0 < cost <= _PLAIN_BYTES:
        return False
    frame = read_frame(data)
    if frame is None or not frame.width or not frame.height:
        return False
    if has_one_scan(data):
        return frame.width * frame.height <= _PLAIN_WORK
    most = _PLAIN_WORK // (frame.width * frame.height)
    return count_scans(data, most) <= most


@cache
def decoders() -> Decoders:
    """This process's."""
    made = Decoders(
        processes=min(os.cpu_count() or 2, _MOST_PROCESSES),
        memory=settings.DECODE_MB * _MIB,
        seconds=settings.DECODE_SECONDS,
    )
    atexit.register(made.close)
    return made
