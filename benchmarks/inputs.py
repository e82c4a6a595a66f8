"""Pictures to measure on: cut from scikit-learn's two sample photographs, so that anyone has the same ones."""

import io
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images

from datasets.tilemap import CAPACITY


def portraits(count: int = CAPACITY, size: tuple[int, int] = (178, 218)) -> dict[str, bytes]:
    """JPEGs of CelebA's size: random cuts of the photographs, of random scale."""
    random = np.random.default_rng(0)
    photographs = [Image.fromarray(image) for image in load_sample_images().images]
    files = {}
    for index in range(count):
        photograph = photographs[index % 2]
        scale = random.uniform(0.6, 1.8)
        width, height = size[0] * scale, size[1] * scale
        left = random.uniform(0, photograph.width - width)
        top = random.uniform(0, photograph.height - height)
        cut = photograph.resize(size, Image.Resampling.BICUBIC, box=(left, top, left + width, top + height))
        files[f"{index:06d}.jpg"] = _jpeg(cut)
    return files


def photographs(count: int) -> dict[str, bytes]:
    """JPEGs of 12 megapixels, as a phone takes them: enlarged cuts with the grain of a sensor."""
    random = np.random.default_rng(0)
    sources = [Image.fromarray(image) for image in load_sample_images().images]
    files = {}
    for index in range(min(count, 8)):
        source = sources[index % 2]
        left, top = random.uniform(0, source.width - 400), random.uniform(0, source.height - 300)
        large = source.resize((4000, 3000), Image.Resampling.BICUBIC, box=(left, top, left + 400, top + 300))
        grain = random.normal(0, 4, (3000, 4000, 1))
        files[f"{index:06d}.jpg"] = _jpeg(Image.fromarray(np.clip(np.asarray(large) + grain, 0, 255).astype(np.uint8)))
    distinct = list(files.values())
    return {f"{index:06d}.jpg": distinct[index % len(distinct)] for index in range(count)}


def clusters(count: int, width: int = 2048, kinds: int = 40) -> "tuple[np.ndarray, np.ndarray]":
    """Made-up features and their labels: clusters on low-dimensional sheets, made positive as a ReLU leaves them."""
    random = np.random.default_rng(0)
    labels = random.integers(0, kinds, count)
    centres = random.normal(size=(kinds, width)).astype(np.float32)
    sheets = random.normal(size=(kinds, 8, width)).astype(np.float32) / 4
    features = np.empty((count, width), np.float32)
    for start in range(0, count, 1000):
        rows = slice(start, min(start + 1000, count))
        inside = random.normal(size=(rows.stop - start, 8)).astype(np.float32)
        noise = random.normal(scale=0.5, size=(rows.stop - start, width)).astype(np.float32)
        features[rows] = centres[labels[rows]] + np.einsum("ij,ijk->ik", inside, sheets[labels[rows]]) + noise
    return np.maximum(features, 0), labels


def seeded_resnet50(path: Path) -> Path:
    """ResNet50's structure with random weights: its speed is the real one's, its features mean nothing."""
    import torch

    from embeddings.torchvision_compat import import_models

    torch.manual_seed(0)
    torch.save(import_models().resnet50(weights=None).state_dict(), path)
    return path


def _jpeg(image: Image.Image) -> bytes:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=92)
    return data.getvalue()
