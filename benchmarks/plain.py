"""The plain way: torch eager in fp32, Pillow as it comes, scikit-learn and umap-learn called as their tutorials do."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from embeddings.torchvision_compat import import_models


class Network:
    """ResNet50 without its classifier, in torch."""

    def __init__(self, weights: Path) -> None:
        import torch

        self.network = import_models().resnet50(weights=None)
        self.network.load_state_dict(torch.load(weights, weights_only=True))
        self.network.fc = torch.nn.Identity()
        self.network.eval()

    def features(self, files: list[bytes]) -> "np.ndarray[Any, np.dtype[np.float32]]":
        """In batches of 32."""
        import torch

        parts = []
        with torch.no_grad():
            for start in range(0, len(files), 32):
                batch = torch.stack([self._prepare(file) for file in files[start : start + 32]])
                parts.append(self.network(batch).numpy())
        return np.concatenate(parts)

    def _prepare(self, file: bytes) -> Any:
        import torch

        image = Image.open(io.BytesIO(file)).convert("RGB")
        scale = 224 / min(image.size)
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
        left, top = (image.width - 224) // 2, (image.height - 224) // 2
        pixels = torch.from_numpy(np.array(image.crop((left, top, left + 224, top + 224)))).permute(2, 0, 1) / 255
        mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
        deviation = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
        return (pixels - mean) / deviation


def tilemap(files: list[bytes]) -> bytes:
    """A second decoding of every picture, full size, shrunk and pasted."""
    page = Image.new("RGB", (500, 5000), "white")
    for index, file in enumerate(files):
        image = Image.open(io.BytesIO(file)).convert("RGB")
        image.thumbnail((48, 48), Image.Resampling.LANCZOS, reducing_gap=None)
        x, y = index % 10 * 50 + (50 - image.width) // 2, index // 10 * 50 + (50 - image.height) // 2
        page.paste(image, (x, y))
    data = io.BytesIO()
    page.save(data, "JPEG", quality=92, subsampling=0)
    return data.getvalue()


def reduce(features: "np.ndarray[Any, np.dtype[np.float32]]") -> "dict[str, np.ndarray[Any, Any]]":
    """PCA and UMAP straight on the standardised features."""
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler
    from umap import UMAP

    scaled = StandardScaler().fit_transform(features)
    return {"pca": PCA(3).fit_transform(scaled), "umap": UMAP(n_components=3).fit_transform(scaled)}


def upload(archive: bytes, network: Network) -> "dict[str, Any]":
    """An upload from its bytes to its vectors and tilemap."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        files = [opened.read(name) for name in sorted(opened.namelist()) if name.endswith(".jpg")]
    page = tilemap(files)
    return {"tilemap": page, **reduce(network.features(files))}
