"""Uploads that one host takes and another one computes, with a store between them, a folder here."""

from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from django.test import Client
from pytest_django import Settings

from datasets.collection.folder import CollectionFolder
from datasets.models import Dataset, Status
from datasets.storage.objects import ObjectStore, StorageAway
from datasets.uploads import fetching, processing
from tests.support import data_folder
from tests.support.pictures import zipped

from .test_catalogue_growth import built
from .test_growth import photographs, sent, uploaded
from .test_queue import DATABASE_QUEUE

pytest.importorskip("obstore", reason="it comes with: make test-scale")
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bucket")]


def queue(client: Client, settings: Settings, path: str = "/dataset") -> Dataset:
    settings.TASKS = DATABASE_QUEUE
    file = sent("more.zip", zipped(photographs(range(90, 93))))
    answer = client.post(path, {"file": file}, headers={"Prefer": "respond-async"})
    return Dataset.objects.get(hash=answer.json()["id"], status=Status.QUEUED)


@pytest.mark.usefixtures("small_network")
def test_the_catalogue_with_which_an_upload_was_taken_is_waited_for(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    catalogue = built(tmp_path, "Faces", photographs(range(30)))
    expected = uploaded(client, photographs(range(80, 83)))
    assert Dataset.objects.get(hash=expected).space == "catalogue"
    alone, grown = queue(client, settings), queue(client, settings, f"/dataset/{catalogue}/images")
    data_folder.use(settings, tmp_path / "other")  # another host's
    for dataset in (alone, grown):
        processing.process(dataset, "another")
        dataset.refresh_from_db()
        assert dataset.status == Status.READY, dataset.error
    assert alone.space == "catalogue"
    assert grown.count == 33
    places = np.load(CollectionFolder(path=grown.folder).layout_path("umap"))
    assert np.array_equal(places[30:], np.load(CollectionFolder(path=alone.folder).layout_path("umap")))


@pytest.mark.usefixtures("small_network")
def test_what_no_host_has_any_more_is_not_waited_for_for_ever(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fetching, "_CATCH_UP_SECONDS", 0)
    dataset = queue(client, settings)
    dataset.intake = dataset.intake | {"signature": "of a catalogue that was replaced"}
    dataset.save(update_fields=["intake"])
    processing.process(dataset, "another")
    dataset.refresh_from_db()
    assert dataset.status == Status.READY
    assert "another catalogue or network than there is now" in caplog.text


@pytest.mark.usefixtures("small_network")
def test_a_store_that_is_away_while_the_parents_files_are_fetched_is_waited_for(
    client: Client, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = built(tmp_path, "Faces", photographs(range(30)))
    dataset = queue(client, settings, f"/dataset/{catalogue}/images")
    data_folder.use(settings, tmp_path / "other")  # another host's
    fetch, away = ObjectStore.fetch, [None] * 4

    def fail_first(self: ObjectStore, key: str, size: int, file: BinaryIO) -> None:
        if "/features/" in key and away:
            away.pop()
            raise StorageAway("connection refused")
        fetch(self, key, size, file)

    monkeypatch.setattr(ObjectStore, "fetch", fail_first)
    processing.process(dataset, "another")
    dataset.refresh_from_db()
    assert (dataset.status, dataset.attempts, away) == (Status.READY, 1, [])
