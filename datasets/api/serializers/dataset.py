"""A dataset → what the interface says about it. The one place that decides what clients see of a row."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse
from rest_framework import serializers

from datasets.api.http import exception_handler
from datasets.api.openapi.parameters import COLLECTION_PATTERN, ID_PATTERN
from datasets.errors import ApiError
from datasets.models import Dataset, Status
from datasets.search import text_query
from datasets.uploads.eta import QueueEstimate
from datasets.uploads.processing import by_stage
from datasets.uploads.selection import remarks
from embeddings.reducers import REDUCERS

from .fields import as_it_is, natural, texts, url
from .problem import ProblemSerializer
from .report import DatasetMetadataSerializer

NAME_LENGTH = 255
"""Characters of a dataset's name, at most."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_SHARE = {"type": "number", "minimum": 0, "maximum": 1.0001}

_OF_A_READY_ONE = {
    "network": "The network's own features.",
    "manifest": "Where each picture lies in the tilemap.",
    "info": "Its ranges.",
    "fields": "What the metadata are.",
    "images": "Names, sizes and metadata.",
    "report": "What became of each file.",
    "duplicates": "",
    "outliers": "",
    "clusters": "Groups of pictures that are like each other; 404 for an upload from before there were any.",
    "export": "All of it in one ZIP.",
}
"""Routes of its results, without `dataset-` before them, and what each is."""


class DatasetLinksSerializer(serializers.Serializer[Dataset]):
    """Where its results lie: those that are there now."""

    self = url()
    tilemap = url(required=False)
    features = serializers.DictField(child=url(), required=False)
    forming = url(required=False, help_text="Where they lie while UMAP moves them.")
    add = url(required=False, help_text="Where to POST pictures that are to be added.")
    refit = url(required=False, help_text="Where to POST to have them laid out anew.")
    rest = url(required=False, help_text="Where to POST for the pictures that it has no room for.")
    page = url(required=False, help_text="For people.")

    def get_fields(self) -> dict[str, Any]:
        others = {name: url(required=False, help_text=text) for name, text in _OF_A_READY_ONE.items()}
        return super().get_fields() | others

    def to_representation(self, dataset: Dataset) -> dict[str, Any]:
        def link(route: str, **more: str) -> str:
            return reverse(f"dataset-{route}", kwargs={"dataset_id": dataset.hash, **more})

        found: dict[str, Any] = {"self": dataset.get_absolute_url()}
        if dataset.has_result("tilemap"):
            found["tilemap"] = link("tilemap")
        if features := {name: link("vectors", reducer=name) for name in REDUCERS if dataset.has_result(name)}:
            found["features"] = features
        if dataset.status == Status.PROCESSING and dataset.stage == "umap" and dataset.has_result("pca"):
            found["forming"] = link("forming")
        if dataset.has_result("report"):
            found["report"] = link("report")
        if dataset.status == Status.READY:
            found |= {name: link(name) for name in _OF_A_READY_ONE}
            found |= {"add": link("images"), "refit": link("refit")}
            if dataset.has_more:
                found["rest"] = link("rest")
            found["page"] = f"{reverse('page')}?dataset={dataset.hash}"
        return found


class _NullIfEmpty(serializers.CharField):
    def __init__(self, **options: Any) -> None:
        super().__init__(allow_null=True, **options)

    def to_representation(self, value: str) -> str | None:  # type: ignore[override]
        return value or None


def estimated(datasets: Iterable[Dataset], estimates: Mapping[str, QueueEstimate]) -> list[Dataset]:
    """The datasets, each annotated with its `estimate`, which is read by the serializers."""
    found = list(datasets)
    for dataset in found:
        dataset.estimate = estimates.get(dataset.hash, QueueEstimate())  # type: ignore[attr-defined]
    return found


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _of_intake(name: str, help_text: str) -> Any:
    return as_it_is(natural(), lambda dataset: dataset.intake.get(name, 0), help_text=help_text)


class _UtcField(serializers.DateTimeField):
    """A moment as the database has it, in UTC: DRF's field looks up the time zone for each value."""

    def to_representation(self, value: datetime) -> str:
        return value.isoformat()


class DatasetEntrySerializer(serializers.Serializer[Dataset]):
    """A dataset, as lists show it."""

    id = serializers.RegexField(ID_PATTERN, source="hash")
    name = serializers.CharField(help_text="The archive's, or the one that it was given since.")
    status = serializers.ChoiceField(Status.values)
    stage = _NullIfEmpty(help_text="features, pca, umap, storing; null when nothing is under way.")
    progress = as_it_is(
        serializers.FloatField(min_value=0, max_value=1),
        lambda dataset: round(dataset.progress, 4),
        help_text="Of the whole way.",
    )
    seconds_left = as_it_is(
        serializers.FloatField(min_value=0),
        lambda dataset: _rounded(dataset.estimate.seconds_left),
        allow_null=True,
        help_text="As past uploads tell; null where there were none.",
    )
    queue_position = serializers.IntegerField(
        source="estimate.position", min_value=1, allow_null=True, help_text="1 is begun next."
    )
    count = natural(help_text="Pictures: rows of the vectors, and tiles.")
    expected = natural(help_text="Pictures that the archive's names promised.")
    passed_over = natural(source="ignored", help_text="Files that are no pictures.")
    first = _of_intake("first", "How many of the archive's pictures, by name, come before these.")
    available = _of_intake("available", "Pictures in the archive, as the names promise; 0 before it was read.")
    over_capacity = _of_intake("over_capacity", "How many come after these and were not taken.")
    in_folders = _of_intake("in_folders", "Pictures in folders, which were not taken.")
    folder = as_it_is(
        serializers.CharField(),
        lambda dataset: dataset.intake.get("folder") or None,
        allow_null=True,
        help_text="Whose pictures these are; null for the archive's top level.",
    )
    parent = as_it_is(
        serializers.RegexField(COLLECTION_PATTERN),
        lambda dataset: dataset.intake.get("parent"),
        allow_null=True,
        help_text="The dataset or the catalogue whose pictures are its first ones, or that it lays out anew; null for "
        "others.",
    )
    added = _of_intake("added", "Pictures that were added to the parent's; they come last.")
    outside = _of_intake("outside", "How many of these are far from all that was there.")
    remarks = as_it_is(
        texts(),
        lambda dataset: remarks(dataset.intake, dataset.count),
        help_text="For people, such as “1,000 of 1,500: the first by name”.",
    )
    bytes = natural(source="archive_size", help_text="Of the archive.")
    backbone = _NullIfEmpty()
    precision = _NullIfEmpty()
    engine = _NullIfEmpty()
    space = _NullIfEmpty(help_text="catalogue: among its pictures; own: laid out by itself.")
    reducers = as_it_is(
        serializers.ListField(child=serializers.ChoiceField(list(REDUCERS))),
        lambda dataset: [name for name in REDUCERS if dataset.has_result(name)],
        help_text="Whose vectors can be read now.",
    )
    explained_variance = as_it_is(
        {"type": "array", "items": _SHARE, "minItems": 3, "maxItems": 3},
        lambda dataset: dataset.explained_variance or None,
        allow_null=True,
        help_text="Shares of the variance along PCA's three axes.",
    )
    seed = natural(allow_null=True)
    created_at = _UtcField()
    started_at = _UtcField(allow_null=True)
    finished_at = _UtcField(allow_null=True)
    timings = as_it_is(
        serializers.DictField(child=serializers.FloatField(min_value=0)),
        lambda dataset: by_stage(dataset.timings),
        help_text="Seconds by stage.",
    )
    error = _NullIfEmpty(help_text="Why it failed.")
    problem = as_it_is(
        ProblemSerializer,
        lambda dataset: exception_handler.problem_of(dataset.failure()) if dataset.error else None,
        allow_null=True,
        help_text="The same, as an error would say it.",
    )
    links = DatasetLinksSerializer(source="*")


class SkippedSerializer(serializers.Serializer[Any]):
    """A file that was not taken, and why."""

    name = serializers.CharField()
    reason = serializers.CharField()


class DatasetSerializer(DatasetEntrySerializer):
    """All there is to say of an upload."""

    skipped = SkippedSerializer(many=True, help_text="Files that should have been pictures.")
    metadata = as_it_is(
        DatasetMetadataSerializer,
        source="metadata_summary",
        allow_null=True,
        help_text="How its file of metadata was matched; null where it has none, or was not read yet.",
    )
    text_search = as_it_is(
        serializers.BooleanField(),
        lambda dataset: dataset.status == Status.READY and text_query.offers(dataset.network),
        help_text="Whether `GET /search?text=…` finds pictures among these now.",
    )
    versions = serializers.DictField(
        child=serializers.CharField(), help_text="Package → version, of all that computed the vectors."
    )


class DatasetListSerializer(serializers.Serializer[Any]):
    """A page of datasets."""

    datasets = DatasetEntrySerializer(many=True)
    total = natural()
    next = url(allow_null=True)
    previous = url(allow_null=True)


class DatasetNameSerializer(serializers.Serializer[Any]):
    """A dataset's new name."""

    name = serializers.RegexField(r"\S", min_length=1, max_length=NAME_LENGTH)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """The name without what surrounds it. Raises `ApiError`."""
        name = data.get("name") if isinstance(data, dict) else None
        cleaned = " ".join(_CONTROL.sub(" ", name).split()) if isinstance(name, str) else ""
        if not cleaned or len(name or "") > NAME_LENGTH or set(data) != {"name"}:
            sentence = f"Send an object with “name”, a text of 1 to {NAME_LENGTH} characters, and nothing else."
            raise ApiError(sentence, code="parameter-invalid", name="name")
        return {"name": cleaned}
