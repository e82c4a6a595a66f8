"""Run by test_schema.py, beside a client that was generated from the document: the calls, by their generated names.

generated_client.py ADDRESS ARCHIVE
"""

import io
import sys
import time
from pathlib import Path

from wwzd_client import Client
from wwzd_client.api.catalogue import get_catalogue_info, get_catalogue_vectors, get_status
from wwzd_client.api.datasets import (
    delete_dataset,
    get_dataset,
    get_dataset_tilemap,
    get_dataset_vectors,
    list_datasets,
    upload_dataset,
)
from wwzd_client.models import Dataset, Problem, UploadDatasetBody
from wwzd_client.types import File

client = Client(base_url=sys.argv[1])
archive = File(payload=io.BytesIO(Path(sys.argv[2]).read_bytes()), file_name="photos.zip", mime_type="application/zip")

assert get_status.sync(client=client).busy is False
total = get_catalogue_info.sync(client=client).total
assert len(get_catalogue_vectors.sync(client=client, reducer="pca", start="0", end="2").features) == total

answer = upload_dataset.sync_detailed(client=client, body=UploadDatasetBody(file=archive), prefer="respond-async")
assert answer.status_code == 202
assert answer.headers["Location"] == f"/dataset/{answer.parsed.id}"
dataset = answer.parsed
while dataset.status in ("queued", "processing"):
    time.sleep(0.2)
    dataset = get_dataset.sync(client=client, identity=dataset.id)
    assert isinstance(dataset, Dataset)
assert dataset.status == "ready", dataset.error
assert dataset.skipped[0].name == "bad.jpg"
assert len(get_dataset_vectors.sync(client=client, identity=dataset.id, reducer="umap").features) == dataset.count
assert get_dataset_tilemap.sync(client=client, identity=dataset.id).payload.read(2) == b"\xff\xd8"
assert dataset.id in {entry.id for entry in list_datasets.sync(client=client, status="ready").datasets}
assert delete_dataset.sync_detailed(client=client, identity=dataset.id).status_code == 204
gone = get_dataset.sync(client=client, identity=dataset.id)
assert isinstance(gone, Problem)
assert gone.error.endswith(".")
