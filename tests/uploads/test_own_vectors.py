"""Vectors in the ZIP take the place of the network's: of the right pictures, checked, compared with none."""

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.test import Client
from numpy.typing import NDArray

from datasets.models import Dataset
from embeddings.vector_files import dumped
from tests.support.pictures import photograph, zipped

pytestmark = pytest.mark.django_db(transaction=True)

COUNT = 12
PICTURES = {f"{k:02d}.jpg": photograph(k) for k in range(COUNT)}
VECTORS = np.random.default_rng(5).normal(size=(COUNT, 7)).astype(np.float32)


def send(client: Client, files: dict[str, bytes]) -> Any:
    file = io.BytesIO(zipped(files))
    file.name = "photos.zip"
    return client.post("/dataset", {"file": file})


def npy(array: NDArray[Any]) -> bytes:
    return dumped(array)


def parquet(**columns: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def uploaded(client: Client, files: dict[str, bytes]) -> str:
    response = send(client, files)
    assert response.status_code == 200, response.content
    return str(response.content.decode())


def features(client: Client, dataset_id: str) -> NDArray[Any]:
    answer = client.get(f"/dataset/{dataset_id}/features/network?format=npy")
    read: NDArray[Any] = np.load(io.BytesIO(answer.getvalue()))
    return read


@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f8"])
def test_rows_of_npy_are_of_the_pictures_by_name(client: Client, dtype: str) -> None:
    given = VECTORS.astype(dtype)
    dataset_id = uploaded(client, dict(reversed(PICTURES.items())) | {"vectors.npy": npy(given)})
    assert np.array_equal(features(client, dataset_id), given.astype(np.float32))
    described = client.get(f"/dataset/{dataset_id}").json()
    assert (described["backbone"], described["precision"], described["space"], described["engine"]) == (
        "own",
        None,
        "own",
        "vectors.npy",
    )
    assert Dataset.objects.get().network.startswith("own:")


def test_a_skipped_picture_takes_its_row_with_it(client: Client) -> None:
    files = PICTURES | {"03.jpg": b"no picture", "notes.txt": b"x", "vectors.npy": npy(VECTORS)}
    dataset_id = uploaded(client, files)
    assert np.array_equal(features(client, dataset_id), np.delete(VECTORS, 3, axis=0))
    report = client.get(f"/dataset/{dataset_id}/report").json()
    assert [file["outcome"] for file in report["files"] if file["name"] == "vectors.npy"] == ["vectors"]
    assert report["counts"]["vectors"] == 1


def test_rows_of_parquet_are_of_the_pictures_that_they_name(client: Client) -> None:
    order = np.random.default_rng(1).permutation(COUNT)
    table = parquet(
        note=["x"] * COUNT,
        path=[f"/data/photos/{k:02d}.JPG" for k in order],
        vector=pa.FixedSizeListArray.from_arrays(pa.array(VECTORS[order].ravel()), 7),
    )
    folder = {f"photos/{name}": data for name, data in PICTURES.items()}
    dataset_id = uploaded(client, folder | {"vectors.parquet": table})
    assert np.array_equal(features(client, dataset_id), VECTORS)


def test_what_is_alike_is_what_the_vectors_say(client: Client) -> None:
    given = VECTORS.copy()
    given[9] = given[2] * 2
    dataset_id = uploaded(client, PICTURES | {"vectors.npy": npy(given)})
    nearest = client.get(f"/dataset/{dataset_id}/images/2/neighbors?k=1").json()["neighbors"]
    assert [(each["index"], each["similarity"]) for each in nearest] == [(9, 1.0)]
    assert client.get(f"/dataset/{dataset_id}/outliers").status_code == 200
    assert client.get(f"/dataset/{dataset_id}/duplicates").status_code == 200
    for layout in ("pca", "umap"):
        rows = np.array(client.get(f"/dataset/{dataset_id}/features/{layout}").json()["features"])
        assert rows.shape == (COUNT, 3)
        assert np.isfinite(rows).all()


def test_the_vectors_are_part_of_the_id(client: Client) -> None:
    first, second = (uploaded(client, PICTURES | {"vectors.npy": npy(VECTORS + k)}) for k in range(2))
    assert len({first, second, uploaded(client, PICTURES)}) == 3


def test_a_picture_that_is_sent_cannot_be_compared(client: Client) -> None:
    dataset_id = uploaded(client, PICTURES | {"vectors.npy": npy(VECTORS)})
    file = io.BytesIO(photograph(1))
    file.name = "me.jpg"
    response = client.post(f"/search?in={dataset_id}", {"file": file})
    assert response.status_code == 409
    assert response.json()["type"] == "urn:wwzd:error:own-vectors"


@pytest.mark.parametrize("width", [2, 3])
def test_vectors_of_two_or_three_numbers_are_laid_out(client: Client, width: int) -> None:
    dataset_id = uploaded(client, PICTURES | {"vectors.npy": npy(VECTORS[:, :width])})
    rows = np.array(client.get(f"/dataset/{dataset_id}/features/pca").json()["features"])
    assert rows.shape == (COUNT, 3)


def test_vectors_that_are_all_zero_are_laid_out(client: Client) -> None:
    dataset_id = uploaded(client, PICTURES | {"vectors.npy": npy(np.zeros((COUNT, 4), np.float32))})
    assert client.get(f"/dataset/{dataset_id}/images/2/neighbors?k=1").status_code == 200
    assert client.get(f"/dataset/{dataset_id}/outliers").status_code == 200


OBJECTS = io.BytesIO()
np.save(OBJECTS, np.array([{}], dtype=object), allow_pickle=True)
WITH_NAN = VECTORS.copy()
WITH_NAN[4, 2] = np.nan
NAMES = pa.array(PICTURES)


@pytest.mark.parametrize(
    ("file", "content", "code", "says"),
    [
        ("vectors.npy", npy(VECTORS[:-1]), "vectors-unmatched", "has 11 rows and the ZIP 12 files"),
        ("vectors.npy", npy(WITH_NAN), "vectors-unreadable", "row 4 holds numbers"),
        ("vectors.npy", npy(np.full((COUNT, 3), 1e300)), "vectors-unreadable", "row 0 holds numbers"),
        ("vectors.npy", npy(np.ones((COUNT, 1), np.float32)), "vectors-unreadable", "2 to 8192 are taken"),
        ("vectors.npy", npy(np.ones((COUNT, 8193), np.float16)), "vectors-unreadable", "2 to 8192 are taken"),
        ("vectors.npy", npy(np.ones(COUNT, np.float32)), "vectors-unreadable", "the shape (12,)"),
        ("vectors.npy", npy(np.ones((COUNT, 3), np.int32)), "vectors-unreadable", "are int32"),
        ("vectors.npy", OBJECTS.getvalue(), "vectors-unreadable", "are object"),
        ("vectors.npy", npy(VECTORS)[:-4], "vectors-unreadable", "longer or shorter"),
        ("vectors.npy", b"nonsense", "vectors-unreadable", "cannot be read"),
        ("vectors.parquet", b"PAR1nonsensePAR1", "vectors-unreadable", "cannot be read"),
        ("vectors.parquet", parquet(name=NAMES), "vectors-unreadable", "no column of lists"),
        (
            "vectors.parquet",
            parquet(name=NAMES, v=[[1.0, 2.0]] * 11 + [[1.0, 2.0, 3.0]]),
            "vectors-unreadable",
            "2 to 3 numbers",
        ),
        ("vectors.parquet", parquet(name=NAMES, v=[None] + [[1.0, 2.0]] * 11), "vectors-unreadable", "have no vector"),
        ("vectors.parquet", parquet(name=NAMES[:-1], v=[[1.0, 2.0]] * 11), "vectors-unmatched", "11.jpg for one"),
        ("vectors.parquet", parquet(v=[[1.0, 2.0]] * 12), "vectors-unmatched", "No column of text"),
        (
            "vectors.parquet",
            parquet(name=pa.array([*PICTURES, "00.jpg"]), v=[[float(k), 2.0] for k in range(13)]),
            "vectors-unmatched",
            "different vectors for 00.jpg",
        ),
    ],
)
def test_vectors_that_cannot_be_used_are_refused(
    client: Client, file: str, content: bytes, code: str, says: str
) -> None:
    response = send(client, PICTURES | {file: content})
    assert response.status_code == 400
    assert response.json()["type"] == f"urn:wwzd:error:{code}"
    assert says in response.json()["error"]


def plot(vectors: NDArray[Any], *, without: str = "") -> dict[str, bytes]:
    """What PixPlot leaves, by its source: originals, thumbnails, atlases, a vector a picture, layouts, the page."""
    files = {"output/index.html": b"<html>", "output/assets/images/icon.png": photograph(99)}
    files["output/data/manifest.json"] = b'{"version": "0.0.113"}'
    files["output/data/atlases/0c/atlas-0.jpg"] = photograph(98)
    files["output/data/layouts/umap-0c.json"] = b"[[0, 0]]"
    for k, (name, content) in enumerate(PICTURES.items()):
        files[f"output/data/originals/{name}"] = content
        files[f"output/data/thumbs/{name}"] = photograph(50 + k)
        if name != without:
            files[f"output/data/image-vectors/inception/{name}.npy"] = npy(vectors[k])
    return files


def test_what_pixplot_leaves_is_read(client: Client) -> None:
    given = np.random.default_rng(2).normal(size=(COUNT, 2048)).astype(np.float32)
    metadata = "filename,kind\n" + "".join(f"{name},k{k}\n" for k, name in enumerate(PICTURES))
    dataset_id = uploaded(client, plot(given) | {"metadata.csv": metadata.encode()})
    assert np.array_equal(features(client, dataset_id), given)
    images = client.get(f"/dataset/{dataset_id}/images").json()["images"]
    assert [(each["name"], each["metadata"]) for each in images] == [
        (name, {"kind": f"k{k}"}) for k, name in enumerate(PICTURES)
    ]
    described = client.get(f"/dataset/{dataset_id}").json()
    assert (described["folder"], described["in_folders"], described["engine"]) == (
        "output/data/originals",
        0,
        "image-vectors",
    )
    original = client.get(f"/dataset/{dataset_id}/images/3").getvalue()
    assert original == PICTURES["03.jpg"]


def test_a_plot_with_a_missing_or_odd_vector_is_refused(client: Client) -> None:
    missing = send(client, plot(VECTORS, without="05.jpg")).json()
    assert missing["type"] == "urn:wwzd:error:vectors-unmatched"
    assert "05.jpg" in missing["error"]
    odd = plot(VECTORS) | {"output/data/image-vectors/inception/05.jpg.npy": npy(VECTORS[5, :4])}
    refused = send(client, odd).json()
    assert refused["type"] == "urn:wwzd:error:vectors-unreadable"
    assert "number 5 has 4 numbers" in refused["error"]
    nonsense = plot(VECTORS) | {"output/data/image-vectors/inception/05.jpg.npy": b"nonsense"}
    assert send(client, nonsense).json()["type"] == "urn:wwzd:error:vectors-unreadable"
