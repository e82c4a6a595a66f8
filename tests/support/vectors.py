"""Vectors as clients fetch them."""

import io
from typing import Any

import numpy as np
from django.test import Client


def array(client: Client, path: str) -> Any:
    """What a call answers in NumPy's own form."""
    response = client.get(path, {"format": "npy"})
    assert response.status_code == 200, response.content
    return np.load(io.BytesIO(response.getvalue()))
