"""Pictures to measure on: cut from scikit-learn's two sample photographs, so that anyone has the same ones."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images

from datasets.tilemaps.layout import CAPACITY


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


def continuum(count: int, width: int = 2048, kinds: int = 40) -> "tuple[np.ndarray, np.ndarray]":
    """Made-up features `(count, width) float32` and their labels, as awkward for a search of neighbours as real ones.

    Kinds of unequal size that overlap in 24 dimensions, with heavy tails and one point in seven between two kinds, sent
    through a random network with two ReLUs and noise. At 3000 rows, beside EfficientNet-Lite0's features of as many
    CelebA faces: intrinsic dimension 21 (28), skewness of how often a row is a neighbour 1.7 (2.7), distance to the
    15th neighbour over the mean distance 0.71 (0.71), variance in 100 principal axes 67 % (63 %).
    """
    features, labels = np.empty((count, width), np.float32), np.empty(count, np.int64)
    for start, (block, kind) in zip(range(0, count, 1000), continuum_blocks(count, width, kinds), strict=True):
        features[start : start + 1000], labels[start : start + 1000] = block, kind
    return features, labels


def continuum_blocks(count: int, width: int, kinds: int = 40) -> "Iterator[tuple[np.ndarray, np.ndarray]]":
    """The same, a thousand rows after the other."""
    random = np.random.default_rng(0)
    latent = 24
    shares = np.arange(1, kinds + 1) ** -0.7
    labels = random.choice(kinds, count, p=shares / shares.sum())
    families = random.normal(scale=0.45, size=(8, latent))
    centres = random.normal(scale=0.45, size=(kinds, latent)) + families[random.integers(0, 8, kinds)]
    shapes = random.normal(size=(kinds, latent, latent)) * np.geomspace(1.6, 0.24, latent)[:, None] / latent**0.5
    first = random.normal(size=(latent, 256)).astype(np.float32) / np.float32(latent**0.5)
    second = random.normal(size=(256, width)).astype(np.float32) / np.float32(16)
    bias = random.normal(scale=0.3, size=width).astype(np.float32)
    for start in range(0, count, 1000):
        kind = labels[start : start + 1000]
        rows = len(kind)
        inside = np.einsum("ni,nij->nj", random.normal(size=(rows, latent)), shapes[kind])
        inside *= random.gamma(4, 0.25, (rows, 1)) ** 0.5
        towards = random.uniform(0, 0.5, (rows, 1)) * (random.random((rows, 1)) < 0.15)
        inside += centres[kind]
        inside += towards * (centres[random.integers(0, kinds, rows)] - inside)
        hidden = np.maximum(inside.astype(np.float32) @ first + np.float32(0.5), 0)
        noise = random.standard_normal((rows, width), np.float32) * np.float32(0.32)
        yield np.maximum(hidden @ second + bias + noise, 0), kind


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
