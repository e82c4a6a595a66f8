"""What several of these tests begin with."""

import pytest
from django.test import Client

from datasets.models import Dataset
from tests.support.pictures import photograph, zipped

from .test_upload import upload


@pytest.fixture
def ready(client: Client) -> Dataset:
    """Six pictures, one damaged file and one that is no picture."""
    files = {f"{k}.jpg": photograph(k) for k in range(6)} | {"bad.jpg": b"not a picture", "readme.txt": b"text"}
    return Dataset.objects.get(hash=upload(client, zipped(files)))
