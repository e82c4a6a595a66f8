"""Weights: where they are found, what is taken for weights, and how they are fetched."""

import gc
import hashlib
import http.server
import os
import pickle
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from embeddings.backbones import BACKBONES, Weights, WeightsError, find
from embeddings.torchvision_compat import import_models
from embeddings.weights_file import CLIP_URL, download
from tests.support.paths import ROOT

State = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def state() -> State:
    """ResNet50 with seeded random weights, as its training would save it."""
    torch.manual_seed(7)
    weights: State = import_models().resnet50(weights=None).state_dict()
    return weights


def weights(path: Path, name: str = "resnet50") -> Weights:
    return Weights(backbone=BACKBONES[name], path=path, source="a test")


def saved(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, path)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(WeightsError) as caught:
        weights(path).module()
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Found.


def test_it_takes_the_best_weights_at_hand(tmp_path: Path) -> None:
    def chosen(file: Path | None = None) -> str:
        found = find(tmp_path, file=file)
        assert found is not None
        return f"{found.backbone.name}: {found.path.name}, {found.source}"

    assert chosen().startswith("efficientnet_lite0: ")
    assert "package" in chosen()
    (tmp_path / "resnet50").mkdir()
    (tmp_path / "resnet50" / "resnet50-0676ba61.pth").touch()
    assert chosen() == "resnet50: resnet50-0676ba61.pth, torchvision, ImageNet-1k V1 weights"
    (tmp_path / "resnet50_celeba").mkdir()
    (tmp_path / "resnet50_celeba" / "weights.pt").touch()
    assert chosen() == "resnet50: weights.pt, models/resnet50_celeba"
    (tmp_path / "mine.bin").touch()
    assert chosen(tmp_path / "mine.bin") == "resnet50: mine.bin, the file named in RESNET50_WEIGHTS"


def test_other_files_beside_the_weights_are_none(tmp_path: Path) -> None:
    for name in ("resnet50_celeba/model.h5", "resnet50/pca.npz", "resnet50/x.pth.0123.partial", "resnet50/x.ptx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert find(tmp_path, choice="resnet50") is None


def test_a_backbone_can_be_insisted_on(tmp_path: Path) -> None:
    assert find(tmp_path, choice="resnet50") is None
    (tmp_path / "resnet50").mkdir()
    (tmp_path / "resnet50" / "a.pth").touch()
    found = find(tmp_path, choice="efficientnet_lite0", file=tmp_path / "missing.pth")
    assert found is not None
    assert found.backbone.name == "efficientnet_lite0"


def test_the_error_of_an_unknown_backbone_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match="unknown backbone 'vgg'; known are auto, resnet50, efficientnet_lite0, clip_vit_b32"
    ):
        find(tmp_path, choice="vgg")


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"there is no file .*missing\.pth"):
        find(tmp_path, file=tmp_path / "missing.pth")


def test_the_digest_is_that_of_the_file_as_it_is_now(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    for content in (b"one", b"another"):
        path.write_bytes(content)
        assert weights(path).digest == hashlib.sha256(content).hexdigest()


# Loaded.


def test_resnet50_loads_however_it_was_saved(state: State, tmp_path: Path) -> None:
    other_classes = state | {"fc.weight": torch.zeros(40, 2048), "fc.bias": torch.zeros(40)}
    parallel = {f"module.{name}": tensor for name, tensor in other_classes.items()}
    ways: dict[str, Any] = {
        "plain": {name: tensor for name, tensor in state.items() if not name.startswith("fc.")},
        "checkpoint": {"epoch": 3, "state_dict": parallel, "optimizer": {}},
        "model": {"model": other_classes},
        "half": {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()},
    }
    for name, content in ways.items():
        module = weights(saved(tmp_path / f"{name}.pth", content)).module()
        assert not module.training
        for key, tensor in module.state_dict().items():
            assert tensor.dtype == state[key].dtype
            assert torch.allclose(tensor, state[key], atol=1e-3 if name == "half" else 0)
    with torch.inference_mode():
        assert module(torch.rand(2, 3, 64, 64)).shape == (2, 2048)


def test_efficientnet_comes_with_its_package() -> None:
    found = find(Path("nowhere"), choice="efficientnet_lite0")
    assert found is not None
    with torch.inference_mode():
        assert found.module()(torch.rand(2, 3, 224, 224)).shape == (2, 1280)


def test_weights_of_another_network_are_refused(state: State, tmp_path: Path) -> None:
    wrong: list[object] = [
        [],
        {1: torch.zeros(2)},
        {"conv1.weight": "text"},
        {name: tensor for name, tensor in state.items() if name != "layer4.2.conv3.weight"},
        state | {"conv1.weight": torch.zeros(64, 1, 7, 7)},
    ]
    for content in wrong:
        assert "does not hold weights of resnet50" in refusal(saved(tmp_path / "wrong.pth", content))


def test_what_is_no_state_dict_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "sound.pth", {"conv1.weight": torch.rand(64, 3, 7, 7)})
    sound = path.read_bytes()
    for content in (b"", b"garbage" * 99, sound[:1000], sound[: len(sound) // 2], bytes(5000)):
        path.write_bytes(content)
        assert "torch.save(network.state_dict(), …)" in refusal(path)
    assert "torch.save(" in refusal(saved(path, torch.nn.Linear(2, 2)))
    assert "cannot be read" in refusal(tmp_path / "missing.pth")


class Poison:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.trace}",)


def test_nothing_in_a_file_of_weights_is_run(tmp_path: Path) -> None:
    trace = tmp_path / "it-was-run"
    for protocol in (2, 4):
        path = tmp_path / "poisoned.pth"
        torch.save({"conv1.weight": torch.rand(64, 3, 7, 7), "extra": Poison(trace)}, path, pickle_protocol=protocol)
        assert "set to `False`" not in refusal(path)
        path.write_bytes(pickle.dumps({"extra": Poison(trace)}, protocol))
        refusal(path)
    assert not trace.exists()


# Fetched.

CONTENT = b"weights" * 1000
HASH = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # noqa: N802  the library's name
        if "missing" in self.path:
            self.send_error(404)
            return
        if "nonsense" in self.path:
            self.wfile.write(b"what?\r\n\r\n")
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:100] if "cut" in self.path else CONTENT)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_it_fetches_weights_and_checks_them(site: str, tmp_path: Path) -> None:
    path = download(tmp_path, f"{site}/models/resnet50-{HASH[:8]}.pth")
    assert path == tmp_path / "resnet50" / f"resnet50-{HASH[:8]}.pth"
    assert path.read_bytes() == CONTENT
    found = find(tmp_path)
    assert found is not None
    assert found.path == path


@pytest.mark.parametrize(
    "name",
    ["resnet50-00000000.pth", f"cut-{HASH[:8]}.pth", f"missing-{HASH[:8]}.pth", f"nonsense-{HASH[:8]}.pth"],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_cannot_be_fetched_whole_leaves_nothing(site: str, tmp_path: Path, name: str) -> None:
    with pytest.raises(WeightsError, match=r"could not fetch http.*: .{5,200}$") as caught:
        download(tmp_path, f"{site}/{name}")
    assert list((tmp_path / "resnet50").iterdir()) == []
    del caught
    gc.collect()  # urllib leaves its socket open in the error: collected here, where the warning is expected


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/w-0123abcd.pth", "nonsense://x/w-0123abcd.pth", "w-0123abcd.pth"])
def test_an_unreachable_address_of_weights_is_an_error(tmp_path: Path, url: str) -> None:
    with pytest.raises(WeightsError, match="could not fetch"):
        download(tmp_path, url)
    assert find(tmp_path, choice="resnet50") is None


@pytest.mark.parametrize("name", ["resnet50.pth", "resnet50-.pth", "resnet50-a.pth", "resnet50-zzzzzzzz.pth", ""])
def test_a_name_without_a_hash_is_not_fetched(site: str, tmp_path: Path, name: str) -> None:
    with pytest.raises(WeightsError, match="does not end in a hash"):
        download(tmp_path, f"{site}/{name}")
    assert not (tmp_path / "resnet50").exists()


def test_a_hash_may_stand_behind_the_address(site: str, tmp_path: Path) -> None:
    """As that of CLIP's weights does, whose file has the name of many others."""
    assert re.fullmatch(r"https://\S+/open_clip_model\.safetensors#sha256=[0-9a-f]{64}", CLIP_URL)
    url = f"{site}/resolve/1a25a/open_clip_model.safetensors#sha256="
    path = download(tmp_path, url + HASH, backbone="clip_vit_b32")
    assert path == tmp_path / "clip_vit_b32" / "open_clip_model.safetensors"
    assert path.read_bytes() == CONTENT
    found = find(tmp_path, choice="clip_vit_b32")
    assert found is not None
    assert found.path == path
    path.unlink()
    with pytest.raises(WeightsError, match="could not fetch"):
        download(tmp_path, url + "0" * 64, backbone="clip_vit_b32")
    assert list(path.parent.iterdir()) == []
    with pytest.raises(WeightsError, match="none stands behind"):
        download(tmp_path, url, backbone="clip_vit_b32")


# Imported.


def run_strictly(script: str) -> tuple[int, str, str]:
    """Run Python with warnings as errors → how it ended, what it printed and what it complained of."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_torchvision_imports_beside_any_torch_without_warnings() -> None:
    script = (
        "from embeddings.torchvision_compat import import_models\n"
        "models = import_models()\n"
        "assert import_models() is models\n"
        "models.resnet50(weights=None)\n"
    )
    assert run_strictly(script) == (0, "", "")


def test_looking_for_weights_does_not_load_torch() -> None:
    script = (
        "import sys, pathlib\n"
        "from embeddings import backbones, extractors, pipeline, reducers, text_encoder\n"
        "from embeddings.images import decoding\n"
        "backbones.find(pathlib.Path('nowhere')).digest\n"
        "heavy = {'torch', 'torchvision', 'open_clip', 'openvino', 'umap', 'numba', 'sklearn', 'scipy'}\n"
        "print(sorted(heavy & sys.modules.keys()))\n"
    )
    assert run_strictly(script) == (0, "[]\n", "")
