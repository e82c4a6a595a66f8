"""What decoding may take: bytes that threads share, and the pixels and seconds of one upload."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from embeddings.images.decoding import OversizedImage, SlowImage

from .prepared_picture import Prepared
from .zip_archive import OverLimit

_FREE_SECONDS = 1.0
"""What a picture may take without wasting its upload's seconds."""
_MOST_KILLED = 20
"""Pictures that may take too long, once the seconds are used up, before nothing slow is tried any more."""


class TooSlow(SlowImage):
    """Decoding was ended by the time limit."""


class TooMuchMemory(OversizedImage):
    """Decoding was ended by the memory limit."""


class Budget:
    """Bytes that several threads share. A request for more than all of them gets them all, alone."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._used = 0
        self._changed = threading.Condition()

    @contextmanager
    def taking(self, wanted: int) -> Iterator[int]:
        """Wait for so many, and hold them for a block. Yields how many there are."""
        granted = min(wanted, self.total)
        with self._changed:
            self._changed.wait_for(lambda: self._used + granted <= self.total)
            self._used += granted
        try:
            yield granted
        finally:
            with self._changed:
                self._used -= granted
                self._changed.notify_all()


class Allowance:
    """What the pictures of one upload may take together, so that none holds up the queue for hours.

    Pixels are counted in the order of the pictures, so that equal uploads have equal results. Seconds are those that
    slow pictures waste: once they are used up each has a second, and once many needed more, nothing slow is tried.
    """

    def __init__(self, *, pixels: int, seconds: float) -> None:
        self._pixels = pixels
        self._seconds = seconds
        self._killed = 0
        self._lock = threading.Lock()
        self._over = OverLimit(f"the upload's pictures have more than {pixels / 1e6:g} megapixels together up to here")

    def check_pixels(self) -> None:
        """Raises `OverLimit` once they are used up."""
        if self._pixels < 0:
            raise self._over

    def judged(self, outcome: "Prepared | Exception") -> "Prepared | Exception":
        """The next file's outcome, or `OverLimit` where the pixels of those before it were too many, or its own are."""
        if isinstance(outcome, Prepared) and self._pixels >= 0:
            self._pixels -= outcome.facts.width * outcome.facts.height
        return self._over if self._pixels < 0 else outcome

    def seconds(self, most: float) -> float:
        """For the next picture. Raises `TooSlow` where it is not even tried."""
        with self._lock:
            if self._seconds <= 0 and self._killed >= _MOST_KILLED:
                raise TooSlow("takes too long to decode, as many of the upload's pictures do")
            return min(most, max(self._seconds, 0) + _FREE_SECONDS)

    def spend(self, seconds: float, *, killed: bool) -> None:
        with self._lock:
            self._seconds -= max(seconds - _FREE_SECONDS, 0)
            self._killed += killed
