"""The sentences that clients get when something is refused."""


class Refusal(Exception):
    """Something a client asked for cannot be done. `str()` is a sentence for people, `status` the HTTP status."""

    status = 400
    retry_after: int | None = None
    """Seconds after which it may be possible."""

    about: str = ""
    """Where more of it is told."""

    def __init__(self, sentence: str, status: int | None = None, *, about: str = "") -> None:
        super().__init__(sentence)
        if status is not None:
            self.status = status
        self.about = about


class NotThere(Refusal):
    """What was asked for does not exist."""

    status = 404


class Busy(Refusal):
    """A synchronous upload is under way. The sentence is the old server's, word for word."""

    status = 503
    retry_after = 5

    def __init__(self) -> None:
        super().__init__("Server is busy, please wait")


class QueueFull(Refusal):
    """As many uploads wait as may."""

    status = 429
    retry_after = 30

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} uploads are waiting already, and no more may. Send it again later.")


class Unavailable(Refusal):
    """Something that will work later."""

    status = 503
    retry_after = 10
