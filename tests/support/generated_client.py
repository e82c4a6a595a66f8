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
    begin_upload,
    continue_upload,
    delete_dataset,
    get_dataset,
    get_dataset_tilemap,
    get_dataset_vectors,
    get_upload,
    list_datasets,
    upload_dataset,
)
from wwzd_client.api.likeness import get_catalogue_neighbors, get_dataset_neighbors
from wwzd_client.api.pictures import (
    get_catalogue_images,
    get_catalogue_rows,
    get_dataset_field,
    get_dataset_fields,
    get_dataset_images,
    get_dataset_rows,
)
from wwzd_client.models import Dataset, Problem, UploadDatasetBody
from wwzd_client.types import File

client = Client(base_url=sys.argv[1])
archive = File(payload=io.BytesIO(Path(sys.argv[2]).read_bytes()), file_name="photos.zip", mime_type="application/zip")

assert get_status.sync(client=client).busy is False
total = get_catalogue_info.sync(client=client).total
assert len(get_catalogue_vectors.sync(client=client, reducer="pca", start="0", end="0").features) == total

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

content = archive.payload.getvalue()
begun = begin_upload.sync_detailed(client=client, tus_resumable="1.0.0", upload_length=len(content))
assert begun.status_code == 201
identity = begun.headers["Location"].rsplit("/", 1)[-1]
for offset, end in ((0, 1000), (1000, len(content))):
    part = File(payload=io.BytesIO(content[offset:end]))
    answer = continue_upload.sync_detailed(
        client=client, identity=identity, body=part, tus_resumable="1.0.0", upload_offset=offset
    )
    assert answer.status_code == 204
upload = get_upload.sync(client=client, identity=identity)
assert (upload.state, upload.dataset) == ("accepted", dataset.id)

images = get_dataset_images.sync(client=client, identity=dataset.id, search=".JPG", limit=2)
assert ([image.name for image in images.images], images.total) == (["0.jpg", "1.jpg"], 5)
assert get_dataset_rows.sync(client=client, identity=dataset.id, search="3").rows == [3]
assert [field.name for field in get_dataset_fields.sync(client=client, identity=dataset.id).fields] == ["kind"]
kind = get_dataset_field.sync(client=client, identity=dataset.id, name="kind")
assert (kind.texts, kind.values) == (["wild", "garden"], [0, 1, None, None, 0])
nearest = get_dataset_neighbors.sync(client=client, identity=dataset.id, index="2", k=3).neighbors
assert len({neighbor.index for neighbor in nearest} - {2}) == 3
names = [image.name for image in get_catalogue_images.sync(client=client, limit=1000).images]
assert get_catalogue_rows.sync(client=client, search="copy").rows == [names.index("copy.jpg")]
(nearest,) = get_catalogue_neighbors.sync(client=client, index=str(names.index("copy.jpg")), k=1).neighbors
assert (nearest.name, nearest.similarity) == ("07.jpg", 1.0)

assert dataset.id in {entry.id for entry in list_datasets.sync(client=client, status="ready").datasets}
assert delete_dataset.sync_detailed(client=client, identity=dataset.id).status_code == 204
gone = get_dataset.sync(client=client, identity=dataset.id)
assert isinstance(gone, Problem)
assert gone.error.endswith(".")
