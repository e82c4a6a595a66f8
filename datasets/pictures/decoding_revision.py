"""An archive → the revision of decoding that its pictures need: part of the upload's id.

Read in the web process at each upload, so bounded: a few kilobytes of each picture, as long as they say enough.
"""

from datasets.tilemaps.layout import CAPACITY
from embeddings.images import decode_revision
from embeddings.images.decode_revision import COLOUR_MANAGED, FIRST, MoreNeeded

from .zip_archive import Archive

_HEADS = (4 * 2**10, 192 * 2**10, 8 * 2**20)
"""Bytes of a file that are read, if the ones before did not say enough: past EXIF, and to a TIFF's end."""
_MOST_BYTES = 32 * 2**20
"""Of all heads together. What lies beyond says nothing: at worst an upload keeps the id that it had at first."""


def decoding_revision(archive: Archive, first: int = 0, limit: int = CAPACITY) -> int:
    """`COLOUR_MANAGED` where one of the pictures that are taken is decoded otherwise than at first, else `FIRST`."""
    left = _MOST_BYTES
    profiles: set[bytes] = set()
    for name in archive.names[first : first + limit]:
        for most in _HEADS:
            if left < most:
                break
            head = archive.head(name, most)
            left -= len(head)
            try:
                if decode_revision.is_changed(head, profiles):
                    return COLOUR_MANAGED
            except MoreNeeded:
                if len(head) == most:
                    continue
            except Exception:  # foreign bytes; the decoder will say what is wrong with them
                break
            break
    return FIRST
