"""What became of the files of an archive, or of a catalogue's source. The reports are answered as they were written."""

from typing import Any

from rest_framework import serializers

from .fields import as_it_is, natural, texts

_REMARKS = ["outside", "duplicate", "near_duplicate", "truncated", "blank", "too_small", "blurry"]
_OUTCOMES = [
    *("row", *_REMARKS, "unreadable", "too_large", "replaced", "beyond", "passed_over", "metadata", "vectors"),
    "projector",
]


class RemarkSerializer(serializers.Serializer[Any]):
    """What is odd about a picture."""

    kind = serializers.ChoiceField(_REMARKS)
    reason = serializers.CharField()
    of = natural(required=False, help_text="The row of which it is a copy.")
    value = serializers.FloatField(required=False, help_text="What was measured.")
    threshold = serializers.FloatField(required=False, help_text="What it is held against.")


class DatasetMetadataSerializer(serializers.Serializer[Any]):
    """What the archive's file of metadata said, and of which pictures."""

    file = serializers.CharField()
    fields = natural(help_text="Fields that were taken.")  # type: ignore[assignment]
    rows = natural(help_text="Rows that name a file.")
    pictures = natural(help_text="Pictures that have a row.")
    unmatched = natural(help_text="Rows that name no picture, or not one alone.")
    unmatched_names = texts(help_text="The first of those names.")
    remarks = texts(help_text="All that was odd, in sentences.")


class ReportedFileSerializer(serializers.Serializer[Any]):
    """A file of the archive."""

    name = serializers.CharField()
    outcome = serializers.ChoiceField(_OUTCOMES)
    index = natural(allow_null=True, help_text="Its row, if it has one.")
    of = natural(allow_null=True, help_text="The row of which it is a copy.")
    reason = serializers.CharField(allow_blank=True)
    remarks = RemarkSerializer(many=True)


class ReportSerializer(serializers.Serializer[Any]):
    """What became of each file."""

    files = ReportedFileSerializer(many=True)
    counts = serializers.DictField(child=natural(), help_text="Outcome → files.")
    rows = natural(required=False, help_text="Pictures that have a row; not in the reports of older uploads.")
    unlisted = natural(
        help_text="Files that are counted and not listed: of an upload those that were passed over, beyond the first "
        "10,000; of a catalogue all beyond the first 10,000, those without a row and those with a remark being first."
    )
    metadata = as_it_is(
        DatasetMetadataSerializer,
        required=False,
        allow_null=True,
        help_text="Null where the archive has no file of metadata; of a catalogue, of the file that was read last.",
    )
    metadata_files = DatasetMetadataSerializer(
        many=True, required=False, help_text="Of a catalogue: of all files of metadata that were read, the last 100."
    )
    total = natural()
    remarks = texts(help_text="On the upload as a whole, such as “1,000 of 1,500: the first by name”.")
