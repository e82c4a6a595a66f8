"""The files of a catalogue's pictures, which stay where it was built from: in a folder, a ZIP or a bucket."""

from pathlib import Path

from datasets.errors import NotFound
from datasets.pictures import s3_objects
from datasets.pictures.zip_archive import Member, MemberError

from .base import THUMBNAIL_REMAINS


def read(source: str, name: str, member: Member | None) -> bytes:
    """The picture of this name as it came; `member` is where it lies in the source, if that is a ZIP, and the source is
    empty where it is not known. Raises `NotFound`."""
    if not source:
        sentence = f"The pictures of this catalogue are not at hand here. {THUMBNAIL_REMAINS}"
        raise NotFound(sentence, code="original-missing")
    try:
        if source.startswith(s3_objects.SCHEME):
            return s3_objects.reader(source)(name)
        if member is None:
            return (Path(source) / name).read_bytes()
        with Path(source).open("rb") as file:
            return member.read(file)
    except (OSError, MemberError, s3_objects.S3Error) as error:  # moved, changed or damaged since
        sentence = f"This picture is not where the catalogue was built from any more. {THUMBNAIL_REMAINS}"
        raise NotFound(sentence, code="original-missing") from error
