"""Extraction in chunks, on threads of this process in place of a cluster: what it makes is what a plain build makes."""

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from datasets.catalogue import arithmetic, build_directory, builder, chunked_build, ray_engine
from datasets.catalogue.build_directory import BuildDirectory, BuildError
from datasets.catalogue.chunk_extraction import Job, extract_chunk
from datasets.catalogue.chunks import FILES, Chunk, ExtractedChunk
from datasets.catalogue.sources import OpenSource, Source, SourceError
from datasets.pictures import pipeline_settings
from tests.support.pictures import photograph

pytestmark = pytest.mark.usefixtures("small_network")

PIXELS = 10**8
GOOD, BAD = "picture", "broken"
PATTERNS = {
    "a range ends within a chunk": [(1300, GOOD)],
    "a range ends with the pictures, and more follows": [(1000, GOOD), (300, BAD)],
    "a range ends with a chunk": [(24, BAD), (1000, GOOD), (100, GOOD)],
    "a chunk without a picture": [(200, GOOD), (600, BAD), (900, GOOD), (1, BAD)],
    "bad ones everywhere": [(3, BAD), *[(7, GOOD), (2, BAD)] * 160],
}


def write(folder: Path, pattern: list[tuple[int, str]]) -> Path:
    """Files in the order of a pattern. A tenth of the bad ones do not claim to be pictures."""
    folder.mkdir()
    kinds = [kind for count, kind in pattern for _ in range(count)]
    content = [photograph(k, (20, 24)) for k in range(40)]
    faults = [b"no picture", b"", content[0][:200], b"\x89PNG\r\n\x1a\n but no more"]
    for number, kind in enumerate(kinds):
        name = f"{number:05d}" + ("" if kind == BAD and number % 10 == 0 else ".jpg")
        (folder / name).write_bytes(content[number % 40] if kind == GOOD else faults[number % 4])
    return folder


class Threads:
    """Two threads that finish in another order than they begin."""

    def __init__(self, job: Job, cache: Path, then: Callable[[Chunk], object]) -> None:
        self._job, self._cache, self._then = job, cache, then
        self._files = job.network_files(pipeline_settings.pipeline())
        self.pool = ThreadPoolExecutor(2)
        self.most, self.underway = 0, 0

    def submit(self, chunk: Chunk) -> "Future[ExtractedChunk]":
        self.underway += 1
        self.most = max(self.most, self.underway)
        return self.pool.submit(self._extract, chunk)

    def room(self) -> int:
        return 3

    def _extract(self, chunk: Chunk) -> ExtractedChunk:
        if chunk.number % 2 == 0:
            time.sleep(0.2)
        self._then(chunk)
        extracted = extract_chunk(self._job, self._files, chunk, self._cache)
        self.underway -= 1
        return extracted


@contextmanager
def threads(source: Source, cache: Path, then: Callable[[Chunk], object] = lambda chunk: None) -> Iterator[Threads]:
    pipeline = pipeline_settings.pipeline()
    job = Job.of(source.location, pipeline, max_pixels=PIXELS, decode_mb=1024, decode_seconds=10)
    engine = Threads(replace(job, device="cpu"), cache, then)
    try:
        yield engine
    finally:
        engine.pool.shutdown(cancel_futures=True)


def opened(data: Path, source: Source) -> BuildDirectory:
    pipeline = pipeline_settings.pipeline()
    return build_directory.open_work(data, source, pipeline, name="x", demo=False, restart=False)


def plainly(data: Path, folder: Path, on_files: Callable[[int], object] = lambda count: None) -> dict[str, bytes]:
    with OpenSource(folder) as source:
        work = opened(data, source)
        pipeline = pipeline_settings.pipeline()
        arithmetic.note(work, pipeline.extractor.info.arithmetic())
        builder.extract(work, source, pipeline, PIXELS, on_files)
    return files(work)


def in_chunks(data: Path, folder: Path, then: Callable[[Chunk], object] = lambda chunk: None) -> dict[str, bytes]:
    done: list[int] = []
    with OpenSource(folder) as source, threads(source, data / "node", then) as engine:
        work = opened(data, source)
        chunked_build.extract(work, source, engine, done.append)
        assert sum(done) == len(source.names)
        assert engine.most <= engine.room()
    return files(work)


def files(work: BuildDirectory) -> dict[str, bytes]:
    found = sorted(path for path in work.path.rglob("*") if path.is_file())
    return {str(path.relative_to(work.path)): path.read_bytes() for path in found}


def stop_after(count: int) -> Callable[[int], object]:
    done = 0

    def stop(more: int) -> None:
        nonlocal done
        done += more
        if done >= count:
            raise KeyboardInterrupt

    return stop


@pytest.mark.slow
@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS.keys())
def test_ranges_are_those_of_a_plain_build(tmp_path: Path, pattern: list[tuple[int, str]]) -> None:
    folder = write(tmp_path / "pictures", pattern)
    assert in_chunks(tmp_path / "chunks", folder) == plainly(tmp_path / "plain", folder)


@pytest.mark.slow
def test_a_build_goes_on_with_chunks_without_them_and_with_them_again(tmp_path: Path) -> None:
    folder = write(tmp_path / "pictures", [(100, BAD), (2500, GOOD), (50, BAD)])
    expected = plainly(tmp_path / "plain", folder)
    data = tmp_path / "mixed"
    with pytest.raises(KeyboardInterrupt):
        plainly(data, folder, stop_after(1150))
    assert opened_ranges(data) == 1

    def fail(chunk: Chunk) -> None:
        if chunk.number == 7:
            raise BuildError("the node is gone")

    with pytest.raises(BuildError, match="gone"):
        in_chunks(data, folder, fail)
    kept = {int(path.stem) for path in BuildDirectory(path=data / "build").chunks.glob("*.npz")}
    assert kept
    assert min(kept) >= 1100 // FILES  # what is in the first range is not computed again
    begun: list[int] = []
    assert in_chunks(data, folder, lambda chunk: begun.append(chunk.number)) == expected
    assert not kept & set(begun)


@pytest.mark.slow
def test_a_build_begun_in_chunks_goes_on_without_them(tmp_path: Path) -> None:
    folder = write(tmp_path / "pictures", [(10, BAD), (1500, GOOD)])
    data = tmp_path / "mixed"

    def fail(chunk: Chunk) -> None:
        if chunk.number == 5:
            raise BuildError("the node is gone")

    with pytest.raises(BuildError, match="gone"):
        in_chunks(data, folder, fail)
    assert plainly(data, folder) == plainly(tmp_path / "plain", folder)


def opened_ranges(data: Path) -> int:
    return len(list((data / "build" / "ranges").glob("*.json")))


@pytest.mark.slow
def test_nodes_that_compute_in_another_way_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "pictures", [(300, GOOD)])
    with OpenSource(folder) as source:
        work = opened(tmp_path / "data", source)
        other = pipeline_settings.pipeline().extractor.info.arithmetic() | {"processor": "another one"}
        arithmetic.note(work, other)
        with threads(source, tmp_path / "node") as engine:
            with pytest.raises(BuildError, match=r"processor .* in place of another one.*--restart.*--allow-mixed"):
                chunked_build.extract(work, source, engine, lambda count: None)
            assert not opened_ranges(tmp_path / "data")
            chunked_build.extract(work, source, engine, lambda count: None, allow_mixed=True)
        assert (work.path / "computed.json").read_text().count('"processor"') == 2


def test_a_plain_build_on_another_machine_is_refused_too(data: Path, tmp_path: Path) -> None:
    folder = write(tmp_path / "pictures", [(20, GOOD)])
    with OpenSource(folder) as source:
        work = build_directory.open_work(
            data, source, pipeline_settings.pipeline(), name="pictures", demo=False, restart=False
        )
        arithmetic.note(work, {"processor": "another one"})
    with pytest.raises(CommandError, match="in place of another one"):
        call_command("extract_features", str(folder))
    call_command("extract_features", str(folder), "--allow-mixed")


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_node_without_the_source_says_so(tmp_path: Path, kind: str) -> None:
    folder = write(tmp_path / "pictures", [(3, GOOD)])
    place = folder
    if kind == "zip":
        place = tmp_path / "pictures.zip"
        place.write_bytes(b"of the machine that builds")
    with OpenSource(folder) as source, threads(source, tmp_path / "node") as engine:
        job = Job.of(str(place), pipeline_settings.pipeline(), max_pixels=PIXELS, decode_mb=9, decode_seconds=1)
        if kind == "zip":
            place.write_bytes(b"another one")
        else:
            (folder / source.names[1]).unlink()
        engine._job = replace(job, device="cpu")
        with pytest.raises(SourceError, match="each node needs"):
            chunked_build.extract(opened(tmp_path / "data", source), source, engine, lambda count: None)


def test_ray_that_is_not_installed_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    folder = write(tmp_path / "pictures", [(3, GOOD)])
    with pytest.raises(CommandError, match="requirements-ray.txt"):
        call_command("extract_features", str(folder), "--ray", ray_engine.LOCAL)
