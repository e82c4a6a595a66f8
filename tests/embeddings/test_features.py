"""Crops → features, by every engine that runs without a GPU."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from django.conf import settings

from embeddings.backbones import BACKBONES, Weights, find
from embeddings.conversion import convert, is_converted
from embeddings.extractors import (
    Extractor,
    Features,
    OpenVinoExtractor,
    TorchExtractor,
    open_extractor,
)
from embeddings.images.decoding import RGB, crop, decode
from embeddings.torchvision_compat import import_models
from tests.support.pictures import photograph, picture

pytestmark = pytest.mark.slow
names = pytest.mark.parametrize("name", ["resnet50", "efficientnet_lite0"])  # test_clip.py has CLIP


def crops(count: int) -> list[RGB]:
    pictures = [photograph(k, (300, 260)) if k % 5 else picture(37 * k, (224, 224)) for k in range(count)]
    return [crop(decode(data, min_side=256, max_pixels=10**6), resize=256, side=224) for data in pictures]


CROPS = crops(9)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Weights]:
    """The real EfficientNet, and ResNet50 with seeded random weights."""
    torch.manual_seed(7)
    path = tmp_path_factory.mktemp("weights") / "resnet50.pth"
    torch.save(import_models().resnet50(weights=None).state_dict(), path)
    resnet50 = find(path.parent, choice="resnet50", file=path)
    efficientnet = find(path.parent, choice="efficientnet_lite0")
    assert resnet50 is not None
    assert efficientnet is not None
    return {"resnet50": resnet50, "efficientnet_lite0": efficientnet}


@pytest.fixture(scope="module")
def engines(weights: dict[str, Weights]) -> dict[str, dict[str, Extractor]]:
    return {
        name: {
            "openvino": OpenVinoExtractor(found, settings.CACHE_DIR, "fp32"),
            "torch": TorchExtractor(found, "fp32", "cpu"),
        }
        for name, found in weights.items()
    }


def plain(weights: Weights, pictures: list[RGB]) -> Features:
    """What the network gives when it is called by hand."""
    backbone = weights.backbone
    pixels = (np.stack(pictures) - np.array(backbone.mean, np.float32)) / np.array(backbone.scale, np.float32)
    with torch.inference_mode():
        features: Features = weights.module()(torch.from_numpy(pixels).permute(0, 3, 1, 2)).numpy()
    return features


engine = pytest.mark.parametrize("engine", ["openvino", "torch"])


@names
@engine
def test_it_computes_what_the_network_does(
    name: str, engine: str, weights: dict[str, Weights], engines: dict[str, dict[str, Extractor]]
) -> None:
    expected = plain(weights[name], CROPS)
    found = engines[name][engine].extract(CROPS)
    assert found.dtype == np.float32
    assert found.shape == expected.shape == (9, {"resnet50": 2048, "efficientnet_lite0": 1280}[name])
    assert found.shape[1] == BACKBONES[name].features
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()
    # The rows tell the pictures apart, so their order is seen.
    apart = np.linalg.norm(found[:, None] - expected[None], axis=2)
    assert (apart.argmin(axis=1) == np.arange(9)).all()


@pytest.mark.parametrize(
    ("name", "engine"),
    [("resnet50", "openvino"), ("efficientnet_lite0", "openvino"), ("efficientnet_lite0", "torch")],
)
def test_a_pictures_features_do_not_depend_on_the_others(
    name: str, engine: str, engines: dict[str, dict[str, Extractor]]
) -> None:
    extractor = engines[name][engine]
    together = extractor.extract(CROPS)
    for start, size in ((0, 1), (8, 1), (3, 5)):
        part = extractor.extract(CROPS[start : start + size])
        np.testing.assert_array_equal(part, together[start : start + size])
    order = np.random.default_rng(1).permutation(9)
    np.testing.assert_array_equal(extractor.extract([CROPS[k] for k in order]), together[order])


@engine
@pytest.mark.parametrize("name", ["efficientnet_lite0"])
def test_no_crops_have_no_features(name: str, engine: str, engines: dict[str, dict[str, Extractor]]) -> None:
    found = engines[name][engine].extract([])
    assert found.shape == (0, BACKBONES[name].features)
    assert found.dtype == np.float32


@engine
def test_a_failure_among_the_crops_comes_through_and_does_no_harm(
    engine: str, engines: dict[str, dict[str, Extractor]]
) -> None:
    extractor = engines["efficientnet_lite0"][engine]

    def failing() -> Iterator[RGB]:
        yield from CROPS[:7]
        raise LookupError("on purpose")

    with pytest.raises(LookupError, match="on purpose"):
        extractor.extract(failing())
    np.testing.assert_array_equal(extractor.extract(iter(CROPS[:3])), extractor.extract(CROPS)[:3])


def test_whoever_makes_the_crops_may_use_their_memory_again(engines: dict[str, dict[str, Extractor]]) -> None:
    extractor = engines["efficientnet_lite0"]["openvino"]
    buffer = np.empty_like(CROPS[0])

    def reusing() -> Iterator[RGB]:
        for pixels in CROPS:
            buffer[:] = pixels
            yield buffer

    np.testing.assert_array_equal(extractor.extract(reusing()), extractor.extract(CROPS))


def test_a_network_is_converted_once(weights: dict[str, Weights], tmp_path: Path) -> None:
    found = weights["efficientnet_lite0"]
    assert not is_converted(found, tmp_path)
    first = open_extractor(found, tmp_path, device="cpu")
    assert is_converted(found, tmp_path)
    converted = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.*")}
    assert sorted(path.suffix for path in converted) == [".bin", ".xml"]
    second = open_extractor(found, tmp_path, device="cpu")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.*")} == converted
    np.testing.assert_array_equal(first.extract(CROPS[:3]), second.extract(CROPS[:3]))


def test_other_weights_are_another_network(weights: dict[str, Weights], tmp_path: Path) -> None:
    found = weights["efficientnet_lite0"]
    open_extractor(found, tmp_path, device="cpu")
    changed = tmp_path / "changed.pth"
    state = torch.load(found.path, weights_only=True)
    torch.save({key: value * 1.5 if "_conv_stem" in key else value for key, value in state.items()}, changed)
    assert not is_converted(Weights(backbone=found.backbone, path=changed, source="a test"), tmp_path)


@engine
def test_the_engine_is_described(engine: str, engines: dict[str, dict[str, Extractor]]) -> None:
    info = engines["efficientnet_lite0"][engine].info
    assert engine in str(info).lower()
    assert "fp32" in str(info)
    assert info.threads >= 1


def test_a_damaged_converted_network_is_made_again(tmp_path: Path) -> None:
    weights = find(tmp_path, choice="efficientnet_lite0")
    assert weights is not None
    path = convert(weights, tmp_path / "cache")
    path.write_bytes(path.read_bytes()[:100])
    extractor = open_extractor(weights, tmp_path / "cache", device="cpu")
    assert extractor.extract([np.zeros((224, 224, 3), np.uint8)]).shape == (1, 1280)
