"""CLIP by our code against open_clip's own calls, with seeded weights: the same network, whatever it means."""

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from embeddings import clip
from embeddings.backbones import BACKBONES, Backbone, Weights, WeightsError, find, what_is_missing
from embeddings.clip import _import_open_clip
from embeddings.conversion import is_converted
from embeddings.extractors import TorchExtractor, open_extractor
from embeddings.images.decoding import crop
from embeddings.text_encoder import TextEncoder, TextError, TextTooLong
from tests.support import small_clip
from tests.support.pictures import photograph

TEXTS = ("a smiling dog", "Ein lächelnder Hund, im Gras!", "小狗", "a", "<start_of_text> it's 12 o'clock & raining 🌧")
TOLERANCE = 2e-6
"""Of each of the numbers of a vector, whose length is 1: what float32 sums in another order differ by."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Weights, Any]:
    folder = tmp_path_factory.mktemp("clip")
    small_clip.register(folder)
    return written(small_clip.seeded(small_clip.ARCHITECTURE), small_clip.SMALL_CLIP, folder)


def written(network: Any, backbone: Backbone, folder: Path) -> tuple[Weights, Any]:
    path = folder / "weights.pt"
    torch.save(network.state_dict(), path)
    return Weights(backbone=backbone, path=path, source="a test"), network


def texts_agree(weights: Weights, network: Any, architecture: str, cache: Path) -> None:
    encoder = TextEncoder(weights, cache)
    tokens = _import_open_clip().get_tokenizer(architecture)(list(TEXTS))
    with torch.inference_mode():
        expected = network.encode_text(tokens, normalize=True).numpy()
    for text, vector in zip(TEXTS, expected, strict=True):
        found = encoder.encode(text)
        assert found.shape == (weights.backbone.features,)
        assert found.dtype == np.float32
        assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
        assert np.abs(found - vector).max() <= TOLERANCE
    assert np.array_equal(encoder.encode(TEXTS[0]), encoder.encode(TEXTS[0].upper()))


def pictures_agree(weights: Weights, network: Any, cache: Path, device: str) -> None:
    side = weights.backbone.side
    random = np.random.default_rng(3)
    crops = [random.integers(0, 256, (side, side, 3), dtype=np.uint8) for _ in range(5)]
    # open_clip's own preparation of pictures of this size does nothing but normalise them.
    prepare = _import_open_clip().image_transform(side, is_train=False)
    inputs = torch.stack([prepare(Image.fromarray(each)) for each in crops])
    with torch.inference_mode():
        expected = network.encode_image(inputs, normalize=True).numpy()
    engine = TorchExtractor(weights, "fp32", "cpu") if device == "torch" else open_extractor(weights, cache)
    found = engine.extract(crops)
    assert found.shape == (5, weights.backbone.features)
    assert np.abs(found - expected).max() <= TOLERANCE


def test_a_text_has_the_vector_of_open_clip(small: tuple[Weights, Any], tmp_path: Path) -> None:
    texts_agree(*small, small_clip.ARCHITECTURE, tmp_path)


@pytest.mark.parametrize("engine", ["openvino", "torch"])
def test_a_picture_has_the_vector_of_open_clip(small: tuple[Weights, Any], tmp_path: Path, engine: str) -> None:
    pictures_agree(*small, tmp_path, engine)


@pytest.mark.slow
def test_the_real_architecture_gives_the_vectors_of_open_clip(tmp_path: Path) -> None:
    backbone = BACKBONES["clip_vit_b32"]
    weights, network = written(small_clip.seeded("ViT-B-32"), backbone, tmp_path)
    assert network.visual.output_dim == backbone.features
    assert network.visual.image_size == (backbone.side, backbone.side)
    assert network.context_length == 77
    mean, deviation = (np.array(each) * 255 for each in (network.visual.image_mean, network.visual.image_std))
    assert np.allclose(backbone.mean, mean, atol=1e-6)
    assert np.allclose(backbone.scale, deviation, atol=1e-6)
    texts_agree(weights, network, "ViT-B-32", tmp_path)
    pictures_agree(weights, network, tmp_path, "openvino")
    assert is_converted(weights, tmp_path)


def test_pictures_are_prepared_as_open_clip_prepares_them() -> None:
    with Image.open(io.BytesIO(photograph(5, (600, 400)))) as image:
        rgb = image.convert("RGB")
    ours = crop(np.asarray(rgb), resize=224, side=224).astype(float)
    theirs = _import_open_clip().image_transform(224, is_train=False)(rgb).numpy().transpose(1, 2, 0)
    backbone = BACKBONES["clip_vit_b32"]
    # Resized in one step with its crop, ours may lie half a pixel beside theirs: a few of 255 steps on the average.
    difference = np.abs(ours - (theirs * backbone.scale + backbone.mean))
    assert difference.mean() < 1.5


def test_a_text_may_have_as_many_parts_as_the_network_reads_and_no_more(
    small: tuple[Weights, Any], tmp_path: Path
) -> None:
    encoder = TextEncoder(small[0], tmp_path)
    assert len(clip.tokens("dog " * 75)) == 77
    assert np.isfinite(encoder.encode("dog " * 75)).all()
    with pytest.raises(TextTooLong, match="has 76 words, parts of words and marks, and the network reads 75") as caught:
        encoder.encode("dog " * 76)
    assert caught.value.limit == 75
    with pytest.raises(TextError, match="no words"):
        encoder.encode(" \n ")


def test_a_converted_network_that_is_damaged_is_made_again(small: tuple[Weights, Any], tmp_path: Path) -> None:
    before = TextEncoder(small[0], tmp_path).encode("a dog")
    (path,) = tmp_path.glob("clip_vit_b32-text-*.xml")
    path.write_bytes(path.read_bytes()[:1000])
    assert np.array_equal(TextEncoder(small[0], tmp_path).encode("a dog"), before)


def test_weights_load_as_safetensors_too(small: tuple[Weights, Any], tmp_path: Path) -> None:
    from safetensors.torch import save_file

    weights, network = small
    path = tmp_path / "open_clip_model.safetensors"
    save_file(network.state_dict(), path)
    same = Weights(backbone=weights.backbone, path=path, source="a test")
    tokens = torch.tensor([clip.tokens("a dog") + [0] * 73])
    with torch.inference_mode():
        assert torch.equal(same.text_module()(tokens), weights.text_module()(tokens))
    for content in (path.read_bytes()[:2000], b"", b"nonsense" * 50):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match="no whole file of safetensors"):
            same.module()
    save_file({"positional_embedding": torch.zeros(77, 64)}, path)
    with pytest.raises(WeightsError, match="does not hold weights of clip_vit_b32"):
        same.text_module()


def test_clip_is_found_where_it_is_named_and_never_by_itself(tmp_path: Path) -> None:
    folder = tmp_path / "clip_vit_b32"
    folder.mkdir()
    assert find(tmp_path, choice="clip_vit_b32") is None
    (folder / "pca.npz").touch()
    (folder / "open_clip_model.safetensors").touch()
    found = find(tmp_path, choice="clip_vit_b32")
    assert found is not None
    assert (found.path.name, found.source) == ("open_clip_model.safetensors", "models/clip_vit_b32")
    automatic = find(tmp_path)
    assert automatic is not None
    assert automatic.backbone.name == "efficientnet_lite0"
    (tmp_path / "mine.pt").touch()
    named = find(tmp_path, choice="clip_vit_b32", clip_file=tmp_path / "mine.pt")
    assert named is not None
    assert (named.path.name, named.source) == ("mine.pt", "the file named in CLIP_WEIGHTS")
    with pytest.raises(WeightsError, match=r"there is no file .*missing\.pt to read CLIP's weights from"):
        find(tmp_path, choice="clip_vit_b32", clip_file=tmp_path / "missing.pt")


def test_without_its_package_clip_is_refused_with_the_file_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert what_is_missing("clip_vit_b32") == ""
    monkeypatch.setitem(sys.modules, "open_clip", None)
    assert what_is_missing("resnet50") == ""
    assert "requirements-text.txt" in what_is_missing("clip_vit_b32")
    with pytest.raises(WeightsError, match=r"needs the package open_clip.*requirements-text\.txt"):
        find(tmp_path, choice="clip_vit_b32")
