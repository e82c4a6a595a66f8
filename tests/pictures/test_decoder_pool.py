"""Pictures that hang, fill the memory or crash their decoder cost their own row, and nothing else."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from datasets.catalogue import build_directory, builder
from datasets.catalogue.sources import Source
from datasets.collection.uploaded import Upload
from datasets.models import Dataset
from datasets.pictures import decoder_pool, pipeline_settings
from datasets.pictures.decode_limits import Allowance, Budget, TooMuchMemory, TooSlow
from datasets.pictures.decoder_pool import Decoders
from datasets.pictures.extraction import prepare
from datasets.pictures.prepared_picture import Prepared, prepared
from datasets.pictures.zip_archive import OverLimit
from embeddings.backbones import BACKBONES
from embeddings.images.decoding import UnreadableImage, decode_cost
from tests.support import bombs
from tests.support.pictures import photograph, picture, zipped
from tests.support.service import children_of

MIB = 2**20


class Sizes(TypedDict):
    resize: int
    side: int
    max_pixels: int


SIZES = Sizes(resize=232, side=224, max_pixels=100_000_000)


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """Some seconds of one call of C code. More scans would be refused by their number."""
    return bombs.scan_bomb(10_000, 22)


@pytest.fixture
def few() -> Iterator[Decoders]:
    made = Decoders(processes=1, memory=512 * MIB, seconds=0.5)
    yield made
    made.close()


@pytest.fixture
def short(settings: Settings) -> Iterator[None]:
    """This process's decoders, with a limit of one second."""
    settings.DECODE_SECONDS = 1
    decoder_pool.decoders.cache_clear()
    yield
    decoder_pool.decoders().close()
    decoder_pool.decoders.cache_clear()


def test_a_process_makes_the_same_of_a_picture(few: Decoders) -> None:
    for data in (picture(7), photograph(3, (300, 200), "WEBP"), photograph(4, (178, 218))):
        ours, same = few.prepared(data, **SIZES), prepared(data, **SIZES)
        assert (ours.crop == same.crop).all()
        assert (ours.tile == same.tile).all()
        assert ours.facts == same.facts


def test_a_bomb_is_ended_in_time_and_the_next_picture_is_unharmed(few: Decoders, bomb: bytes) -> None:
    few.prepared(picture(1), **SIZES)
    began = time.monotonic()
    with pytest.raises(TooSlow, match="too long to decode"):
        few.prepared(bomb, **SIZES)
    assert time.monotonic() - began < 5
    assert few.prepared(picture(1), **SIZES).facts.width == 60


def test_a_picture_that_needs_too_much_memory_is_refused_with_that_reason(few: Decoders) -> None:
    tight = Decoders(processes=1, memory=48 * MIB, seconds=10)
    sliver = bombs.sliver_png(300, 100_000)
    with pytest.raises(UnreadableImage, match=r"memory|MiB"):
        tight.prepared(sliver, **SIZES)
    assert tight.prepared(picture(1), **SIZES).facts.width == 60
    tight.close()


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_a_decoder_that_dies_costs_its_picture(bomb: bytes, number: signal.Signals) -> None:
    made = Decoders(processes=1, memory=512 * MIB, seconds=20)
    made.prepared(picture(1), **SIZES)

    def strike() -> None:
        for pid in filter(_decodes, children_of(os.getpid())):
            os.kill(pid, number)

    threading.Timer(0.3, strike).start()
    with pytest.raises(TooMuchMemory if number == signal.SIGKILL else UnreadableImage, match="memory|crash"):
        made.prepared(bomb, **SIZES)
    assert made.prepared(picture(1), **SIZES).facts.width == 60
    made.close()


def test_small_jpegs_stay_in_this_process_and_scan_bombs_do_not(bomb: bytes) -> None:
    def stays(data: bytes) -> bool:
        return decoder_pool.is_plain_jpeg(data, decode_cost(data, min_side=232))

    assert stays(photograph(1, (178, 218)))
    assert not stays(bomb)
    assert not stays(picture(1))
    assert not stays(b"\xff\xd8\xff")
    assert stays(bombs.scan_bomb(100, 3))
    assert not stays(bombs.scan_bomb(2_000, 40))


def test_a_budget_is_never_overdrawn() -> None:
    budget, held, most = Budget(100), 0, 0
    lock = threading.Lock()

    def take(wanted: int) -> None:
        nonlocal held, most
        with budget.taking(wanted) as granted:
            with lock:
                held += granted
                most = max(most, held)
            time.sleep(0.002)
            with lock:
                held -= granted

    threads = [threading.Thread(target=take, args=(wanted,)) for wanted in (30, 60, 500, 10, 100, 45) * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 < most <= 100


def test_many_bombs_do_not_hold_up_an_upload_for_ever(bomb: bytes) -> None:
    allowance = Allowance(pixels=10**12, seconds=2)
    assert allowance.seconds(10) == 3
    allowance.spend(10, killed=True)
    assert allowance.seconds(10) == 1
    for _ in range(30):
        allowance.spend(1, killed=True)
    with pytest.raises(TooSlow, match="as many of the upload's pictures do"):
        allowance.seconds(10)


def test_pixels_of_an_upload_are_counted_in_its_order() -> None:
    files = {f"{k}.png": picture(k) for k in range(9)}
    allowance = Allowance(pixels=5 * 60 * 60, seconds=10)
    outcomes = prepare(files, files.__getitem__, BACKBONES["resnet50"], 10**8, allowance=allowance)
    judged = [allowance.judged(outcome) for _, outcome in outcomes]
    assert [isinstance(outcome, Prepared) for outcome in judged] == [True] * 5 + [False] * 4
    assert all(isinstance(outcome, OverLimit) for outcome in judged[5:])


@pytest.mark.usefixtures("short")
@pytest.mark.django_db(transaction=True)
def test_a_bomb_costs_its_row_in_an_upload_and_the_next_upload_is_unharmed(client: Client, bomb: bytes) -> None:
    files = {"a.jpg": photograph(1), "b.jpg": bomb, "c.png": picture(3), "d.webp": photograph(4, form="WEBP")}
    began = time.monotonic()
    response = client.post("/dataset", {"file": SimpleUploadedFile("a.zip", zipped(files))})
    assert time.monotonic() - began < 15
    assert response.status_code == 200
    dataset = Dataset.objects.get()
    assert Upload(dataset).names(range(3)) == ["a.jpg", "c.png", "d.webp"]
    assert [entry["name"] for entry in dataset.skipped] == ["b.jpg"]
    assert "too long to decode" in dataset.skipped[0]["reason"]
    after = client.post("/dataset", {"file": SimpleUploadedFile("b.zip", zipped({"a.jpg": photograph(9)}))})
    assert after.status_code == 200


@pytest.mark.usefixtures("short")
@pytest.mark.django_db(transaction=True)
def test_a_bomb_is_refused_by_a_search_with_a_sentence(client: Client, bomb: bytes) -> None:
    files = {f"{k}.jpg": photograph(k) for k in range(3)}
    dataset_id = client.post("/dataset", {"file": SimpleUploadedFile("a.zip", zipped(files))}).content.decode()
    response = client.post(f"/search?in={dataset_id}", {"file": SimpleUploadedFile("b.jpg", bomb)})
    assert response.status_code == 400
    assert "too long to decode" in response.json()["error"]


@pytest.mark.usefixtures("short")
def test_a_bomb_costs_its_row_in_a_catalogue(data: Path, bomb: bytes) -> None:
    images = {"a.jpg": photograph(1), "b.jpg": bomb, "c.png": picture(3)}
    source = Source(label="bombs", names=list(images), read=images.__getitem__, location="")
    pipeline = pipeline_settings.pipeline()
    work = build_directory.open_work(data, source, pipeline, name="", demo=False, restart=False)
    files = 0

    def count(more: int) -> None:
        nonlocal files
        files += more

    (record,) = builder.extract(work, source, pipeline, 10**8, count)
    assert record["names"] == ["a.jpg", "c.png"]
    assert files == 3
    assert "too long to decode" in record["skipped"][0]["reason"]


def _decodes(pid: int) -> bool:
    return b"decoder_process" in Path(f"/proc/{pid}/cmdline").read_bytes()
