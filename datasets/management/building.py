"""What the commands that build a catalogue share: their arguments, their progress bars, their errors."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from datasets.catalogue import (
    arithmetic,
    build_directory,
    builder,
    chunked_build,
    conversion,
    installed_catalogue,
    publication,
    ray_engine,
    sharing,
)
from datasets.catalogue.build_directory import BuildDirectory, BuildError
from datasets.catalogue.chunk_extraction import Job
from datasets.catalogue.sources import OpenSource, Source, SourceError
from datasets.management.base import DataCommand
from datasets.pictures import pipeline_settings
from embeddings.backbones import WeightsError
from embeddings.reducers import ModelError
from embeddings.vector_files import BadVectors

SOURCE_HELP = (
    "A folder or a ZIP of pictures, such as CelebA's img_align_celeba, or s3://bucket/prefix; they are taken in the "
    "order of their names."
)

_LEAST_SAMPLE = 1000


class BuildingCommand(DataCommand):
    """Errors of the builder become the command's: a sentence and exit status 1."""

    def begin(self) -> None:
        with as_command_errors():
            conversion.convert(settings.DATA_DIR)
            sharing.follow(settings.DATA_DIR)

    def add_source(self, parser: CommandParser) -> None:
        parser.add_argument("source", help=SOURCE_HELP)
        parser.add_argument("--name", default="", help="What to call the catalogue (default: the source's name).")
        parser.add_argument("--restart", action="store_true", help="Throw away a build begun earlier.")
        parser.add_argument(
            "--ray",
            nargs="?",
            const=os.environ.get("RAY_ADDRESS") or ray_engine.LOCAL,
            metavar="ADDRESS",
            help="Extract on the nodes of a Ray cluster, host:port (default: RAY_ADDRESS), or in processes that Ray "
            "starts on this machine where there is none. Each node needs the source at the same path. See "
            "docs/scaling.md.",
        )
        parser.add_argument(
            "--allow-mixed",
            action="store_true",
            help="Go on where CPUs, GPUs or packages are others than those that computed what there is: features then "
            "differ in their last bits.",
        )

    def extract(self, address: str, *, name: str, restart: bool, ray: str | None, allow_mixed: bool) -> BuildDirectory:
        with OpenSource(address) as source:
            return self.extract_from(
                source, name=name or source.title, demo=False, restart=restart, ray=ray, allow_mixed=allow_mixed
            )

    def extract_from(
        self,
        source: Source,
        *,
        name: str,
        demo: bool,
        restart: bool,
        ray: str | None = None,
        allow_mixed: bool = False,
    ) -> BuildDirectory:
        pipeline = pipeline_settings.pipeline()
        work = build_directory.open_work(settings.DATA_DIR, source, pipeline, name=name, demo=demo, restart=restart)
        backbone = pipeline.weights.backbone.name
        most_pixels = settings.MAX_MEGAPIXELS * 1_000_000
        self.stdout.write(f"Extracting {backbone} features of {len(source.names):,} files of {source.label}")
        self.stdout.flush()
        with progress_bar(len(source.names)) as bar:
            is_extracted = work.taken == len(source.names)
            if ray is None or is_extracted:
                if not is_extracted:
                    arithmetic.note(work, pipeline.extractor.info.arithmetic(), allow_mixed=allow_mixed)
                records = builder.extract(work, source, pipeline, most_pixels, bar.update)
            else:
                job = Job.of(
                    source.location,
                    pipeline,
                    max_pixels=most_pixels,
                    decode_mb=settings.DECODE_MB,
                    decode_seconds=settings.DECODE_SECONDS,
                )
                with ray_engine.connected(ray, job, lambda job: job.network_files(pipeline)) as engine:
                    records = chunked_build.extract(work, source, engine, bar.update, allow_mixed=allow_mixed)
        for skipped, reason in builder.skipped(records):
            self.stderr.write(self.style.WARNING(f"skipped {skipped}: {reason}"))
        pictures = sum(len(record["names"]) for record in records)
        computed = f"Ray at {ray}" if ray else pipeline.extractor.info
        self.stdout.write(f"{pictures:,} pictures in {len(records)} ranges, {computed}")
        return work

    def add_fit_sample(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--fit-sample",
            type=int,
            metavar="ROWS",
            help="Fit on so many pictures, chosen at random, and place the others among them: for millions, of which "
            "the layout would take hours and memory. Uploads are then compared with these pictures alone.",
        )

    def fit_and_publish(self, work: BuildDirectory, *, install: bool = True, fit_sample: int | None = None) -> None:
        if fit_sample is not None and fit_sample < _LEAST_SAMPLE:
            raise BuildError(f"--fit-sample takes {_LEAST_SAMPLE:,} rows or more: fewer do not show what there is.")
        started = time.monotonic()

        def say(step: str) -> None:
            self.stdout.write(f"[{time.monotonic() - started:6.1f} s] fitting: {step}")
            self.stdout.flush()

        builder.fit(work, say, fit_sample)
        builder.index(work, say)
        builder.measure_similarity(work, say)
        builder.find_clusters(work, say)
        name = work.source["name"]
        with sharing.changing(settings.DATA_DIR):
            total = publication.publish(settings.DATA_DIR, work, install=install)
        installed_catalogue.catalogue_store.cache_clear()
        done = f"Installed {total:,} pictures; a running server shows them now."
        if not install:
            done = f"Kept {total:,} pictures as “{name}”; `manage.py install_catalogue` makes them the catalogue."
        self.stdout.write(self.style.SUCCESS(done))


def progress_bar(total: int) -> "tqdm[Any]":
    """Of so many pictures, with rate and time left; in a log file a line now and then, not ten a second."""
    return tqdm(total=total, unit=" pictures", smoothing=0.05, mininterval=0.1 if sys.stderr.isatty() else 10)


@contextmanager
def as_command_errors() -> Iterator[None]:
    """Turn what may go wrong in a build into the command's error."""
    try:
        yield
    except (BuildError, SourceError, WeightsError, ModelError, BadVectors, OSError) as error:
        raise CommandError(str(error)) from error
    except KeyboardInterrupt:
        raise CommandError(
            "Interrupted. Run the same command again: it goes on where it was.", returncode=130
        ) from None
