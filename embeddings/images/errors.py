"""Why a file gives no picture. Each message is for people, and names the limit or the kind."""


class UnreadableImage(Exception):
    """The bytes claim to be a picture, but no picture can be made of them; the message says why."""


class NotAnImage(UnreadableImage):
    """The bytes are no picture in any format that is known here."""


class UnsupportedImage(UnreadableImage):
    """The picture is of a kind that is not read here; the message names it."""


class TruncatedImage(UnreadableImage):
    """The file ends before its picture does."""


class OversizedImage(UnreadableImage):
    """The picture has more pixels than are allowed, or takes too much memory to decode."""


class SlowImage(UnreadableImage):
    """The picture would take too long to decode."""
