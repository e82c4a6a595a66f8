"""The clusters of a collection as clients see them: their names, their medoids, and what is frequent in them."""

import re
from typing import TYPE_CHECKING, Any

from datasets.collection import cluster_labels
from datasets.collection.base import Collection
from datasets.collection.clusters import Clusters, field_name
from datasets.errors import ApiError, NotFound
from embeddings.clusters import Level

if TYPE_CHECKING:
    from datasets.collection.enrichment import Trait

MOST_TRAITS = 5
"""Of a cluster, the most telling ones."""
LABEL_LENGTH = 80
_CONSIDERED = 20
"""Traits among which a label is looked for."""
_LEAST_SHARE = 1 / 3
_NUMBERS = re.compile(r"[-.0-9e+]*")


def labels_version(found: Collection) -> str:
    """Another one whenever clusters were given other names."""
    try:
        return f"{found.cluster_labels_path.stat().st_mtime_ns:x}"
    except FileNotFoundError:
        return "none"


def levels(found: Collection) -> dict[str, Any]:
    """All levels. Raises `NotFound` where they have not been computed."""
    from datasets.collection.enrichment import traits  # with pyarrow, which a start does not wait for

    clusters = found.clusters()
    given = cluster_labels.read(found.cluster_labels_path, clusters)
    own = {field_name(number) for number in range(len(clusters.levels))}
    fields = [field for field in found.images.fields() if field.name not in own]
    listed: list[dict[str, Any]] = []
    words: list[set[str]] = []
    for number, level in enumerate(clusters.levels):
        over_represented = traits(fields, level.labels, len(level.sizes), _CONSIDERED)
        names = {cluster: label for (of_level, cluster), label in given.items() if of_level == number}
        prefix = f"{number + 1}." if number else ""
        entries, words = _entries(found, level, names, over_represented, words, prefix)
        outside = int((level.labels < 0).sum())
        listed.append({"level": number + 1, "field": field_name(number), "clusters": entries, "outside": outside})
    return {"levels": listed, "total": found.total}


def rename(found: Collection, level: str, cluster: str, label: str) -> dict[str, Any]:
    """Name a cluster, or with an empty name none. Returns it as in `levels`. Raises `NotFound`."""
    clusters = found.clusters()
    number = _number(level, len(clusters.levels))
    which = None if number is None else _number(cluster, len(clusters.levels[number].sizes))
    if number is None or which is None:
        raise NotFound(_unknown(clusters, level, cluster), code="cluster-unknown")
    with found.editing():
        cluster_labels.write(found.cluster_labels_path, clusters, number, which, label)
    entry: dict[str, Any] = levels(found)["levels"][number]["clusters"][which]
    return entry


def _number(text: str, count: int) -> int | None:
    """What clients count from 1, from 0; None where there are not so many."""
    return int(text) - 1 if text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= count else None


def _unknown(clusters: Clusters, level: str, cluster: str) -> str:
    known = ", ".join(f"{k + 1} with {len(level.sizes)} clusters" for k, level in enumerate(clusters.levels)) or "none"
    return f"There is no cluster {cluster[:9]} of level {level[:9]}; the levels are {known}."


def _entries(
    found: Collection,
    level: Level,
    given: dict[int, str],
    over_represented: "list[list[Trait]]",
    of_parents: list[set[str]],
    prefix: str,
) -> tuple[list[dict[str, Any]], list[set[str]]]:
    """The clusters of a level, and the words by which each and those around it go; by those of the level before.
    `prefix` stands before the numbers of those that have no word."""
    medoids = level.medoids.tolist()
    names = found.names(medoids)
    taken: dict[str, int] = {}
    entries: list[dict[str, Any]] = []
    words: list[set[str]] = []
    for cluster, size in enumerate(level.sizes.tolist()):
        of_cluster = over_represented[cluster][:MOST_TRAITS]
        parent = int(level.parents[cluster])
        around = of_parents[parent] if parent >= 0 else set()
        telling = _telling(over_represented[cluster], around)
        words.append(around | {telling})
        entries.append(
            {
                "id": cluster + 1,
                "parent": parent + 1 if parent >= 0 else None,
                "size": size,
                "medoid": {"index": medoids[cluster], "name": names[cluster]},
                "label": given.get(cluster) or _numbered(telling, taken) or f"{prefix}{cluster + 1}",
                "is_named": cluster in given,
                "traits": [
                    {
                        "field": trait.field,
                        "value": trait.value,
                        "count": trait.count,
                        "inside": round(trait.inside, 6),
                        "outside": round(trait.outside, 6),
                    }
                    for trait in of_cluster
                ],
            }
        )
    return entries, words


def _telling(found: "list[Trait]", around: set[str]) -> str:
    """The most telling trait in a word or two, of those that a third of the pictures has and that are not false; not
    what a cluster around it is called already, where there is another. Empty where there is none."""
    borne = [trait for trait in found if trait.inside >= _LEAST_SHARE and trait.value is not False]
    words = [_word(trait) for trait in borne]
    return next((word for word in words if word not in around), words[0] if words else "")


def _word(trait: "Trait") -> str:
    """A text, or the name of what is true; else the field with the value."""
    name = trait.field.replace("_", " ")
    if trait.value is True:
        return name[:LABEL_LENGTH]
    if isinstance(trait.value, str) and not _NUMBERS.fullmatch(trait.value):
        return trait.value[:LABEL_LENGTH]
    return f"{name} {trait.value}"[:LABEL_LENGTH]


def _numbered(label: str, taken: dict[str, int]) -> str:
    """The same with a number after it where it is not the first on its level."""
    if not label:
        return ""
    taken[label] = taken.get(label, 0) + 1
    return label if taken[label] == 1 else f"{label} {taken[label]}"


def check_label(data: Any) -> str:
    """The name in the body of a request. Raises `ApiError`."""
    label = data.get("label") if isinstance(data, dict) else None
    cleaned = " ".join("".join(c if c.isprintable() else " " for c in label).split()) if isinstance(label, str) else ""
    if not isinstance(label, str) or set(data) != {"label"} or len(label) > LABEL_LENGTH:
        raise ApiError(
            f"Send an object with “label”, a text of at most {LABEL_LENGTH} characters, and nothing else.",
            code="parameter-invalid",
            name="label",
        )
    return cleaned
