"""What is fitted on a set depends on the set, not on the order or the names of its files."""

import numpy as np
import pytest
from django.test import Client

from datasets.pictures import pipeline_settings
from embeddings.ordering import order_by_content
from embeddings.reducers import Reducer, Umap
from tests.support.pictures import photograph, zipped
from tests.uploads.test_upload import upload


def rows(count: int, seed: int = 0) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    centres = np.random.default_rng(99).normal(scale=4, size=(6, 200))
    random = np.random.default_rng(seed)
    return (centres[random.integers(0, 6, count)] + random.normal(size=(count, 200))).astype(np.float32)


def test_every_distinct_row_is_chosen_once_in_an_order_of_its_own() -> None:
    features = rows(60)
    features[10] = features[3]
    chosen, which = order_by_content(features)
    assert len(chosen) == 59
    assert np.array_equal(features[chosen][which], features)
    order = np.random.default_rng(1).permutation(60)
    again, _ = order_by_content(features[order])
    assert np.array_equal(features[order][again], features[chosen])


@pytest.mark.parametrize("count", [1, 2, 4, 5, 16, 150, 1300])
def test_equal_sets_have_equal_places_in_any_order(count: int) -> None:
    features = rows(count)
    features[count // 2] = features[0]
    pipeline = pipeline_settings.pipeline()
    assert pipeline.space is None
    before = pipeline.place(features, lambda name: None).vectors
    order = np.random.default_rng(2).permutation(count)
    after = pipeline.place(features[order], lambda name: None).vectors
    for name, places in before.items():
        assert np.array_equal(after[name], places[order]), name
        assert np.array_equal(places[count // 2], places[0])


def test_the_saved_reducer_is_that_of_the_places() -> None:
    features = rows(80)
    features[40] = features[0]
    fitted: list[Reducer] = []
    places = pipeline_settings.pipeline().place(features, lambda name: None, on_fitted=fitted.append).vectors["umap"]
    (reducer,) = (one for one in fitted if isinstance(one, Umap))
    assert len(reducer.training) == len(reducer.places) == 79
    assert {row.tobytes() for row in places} == {row.tobytes() for row in reducer.places}


@pytest.mark.django_db(transaction=True)
def test_files_named_the_other_way_round_lie_where_they_lay(client: Client) -> None:
    count = 40
    pictures = [photograph(k % (count - 2)) for k in range(count)]  # two are copies
    first = upload(client, zipped({f"{k:03d}.jpg": picture for k, picture in enumerate(pictures)}))
    second = upload(client, zipped({f"{count - k:03d}.jpg": picture for k, picture in enumerate(pictures)}))
    assert first != second
    for reducer in ("pca", "umap"):
        before, after = (
            np.array(client.get(f"/dataset/{dataset_id}/features/{reducer}").json()["features"])
            for dataset_id in (first, second)
        )
        assert np.abs(after[::-1] - before).max() <= 1e-3 * before.std()
