"""How long uploads will still take: what each stage took a picture, in the last uploads of the same network."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.utils import timezone

from datasets.models import Dataset, Status

from .processing import STAGES

_JUDGED_BY = 10
"""Uploads looked back at."""
_TRUSTED_SHARE = 0.1
"""Of a stage or of the whole: from here on its own stage_rates says more than the stage_rates of others."""


@dataclass(frozen=True, kw_only=True)
class StageRates:
    """Seconds a picture by stage; empty where there was no upload to learn it from."""

    seconds: dict[str, float]

    @classmethod
    def of(cls, backbone: str, precision: str) -> Self:
        past = Dataset.objects.ready().filter(backbone=backbone, precision=precision, count__gt=0)
        figures = list(past.order_by("-finished_at").values_list("count", "timings")[:_JUDGED_BY])
        pictures = sum(count for count, _ in figures)
        stages = [stage for stage in STAGES if any(stage in timings for _, timings in figures)]
        return cls(seconds={stage: sum(timings.get(stage, 0) for _, timings in figures) / pictures for stage in stages})

    def whole(self, pictures: int) -> float | None:
        """Seconds that an upload of so many pictures takes."""
        return pictures * sum(self.seconds.values()) if self.seconds else None

    def rest(self, dataset: Dataset, now: datetime) -> float | None:
        """Seconds until an upload that is being computed is done."""
        elapsed = (now - (dataset.started_at or now)).total_seconds()
        low, high = STAGES.get(dataset.stage, (0.0, STAGES["features"][1]))
        share = min(max((dataset.progress - low) / (high - low), 0.0), 1.0)
        pictures = dataset.count or dataset.expected
        if not self.seconds:
            return elapsed * (1 - dataset.progress) / dataset.progress if dataset.progress > _TRUSTED_SHARE else None
        stages = list(STAGES)
        begun = stages.index(dataset.stage) if dataset.stage in STAGES else 0
        later = pictures * sum(self.seconds.get(stage, 0) for stage in stages[begun + 1 :])
        if begun == 0 and share > _TRUSTED_SHARE:
            return later + elapsed * (1 - share) / share
        return later + pictures * self.seconds.get(stages[begun], 0) * (1 - share)


@dataclass(frozen=True, kw_only=True)
class QueueEstimate:
    """What is before one upload."""

    position: int | None = None
    """1 for the next one to be begun; `None` for one that is not in the queue."""
    seconds_left: float | None = None

    @property
    def ask_again(self) -> int:
        """Seconds after which a client may ask again and hear something new: soon for what is nearly done."""
        if self.seconds_left is None:
            return 2
        return int(min(max(self.seconds_left / 5, 1), 15))


def queue_estimates() -> dict[str, QueueEstimate]:
    """By id, for all that is queued or computed now, in the queue's order: what a client waits for, then by age.

    Large uploads are a queue of their own.
    """
    unfinished = list(
        Dataset.objects.unfinished().defer("skipped", "versions").order_by("-is_synchronous", "created_at")
    )
    large, others = ([each for each in unfinished if each.is_large is is_large] for is_large in (True, False))
    return _estimates(large) | _estimates(others)


def _estimates(unfinished: list[Dataset]) -> dict[str, QueueEstimate]:
    now = timezone.now()
    rates = {key: StageRates.of(*key) for key in {(dataset.backbone, dataset.precision) for dataset in unfinished}}
    found: dict[str, QueueEstimate] = {}
    before: float | None = 0.0
    position = 0
    for dataset in sorted(unfinished, key=lambda dataset: dataset.status == Status.QUEUED):
        stage_rates = rates[dataset.backbone, dataset.precision]
        if dataset.status == Status.QUEUED:
            position += 1
            own = stage_rates.whole(dataset.expected)
        else:
            own = stage_rates.rest(dataset, now)
        before = None if before is None or own is None else before + own
        found[dataset.hash] = QueueEstimate(position=position or None, seconds_left=before)
    return found
