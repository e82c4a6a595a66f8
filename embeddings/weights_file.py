"""Files of weights: read as data, never run, and fetched from other machines with a check of their hash."""

import errno
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag
from urllib.request import Request

# The first generation of torchvision's weights (IMAGENET1K_V1), not the newer one: label smoothing and mixup raise V2's
# accuracy but make its features worse for neighbours (Kornblith et al. 2021, "Why do better loss functions lead to less
# transferable features?").
RESNET50_URL = "https://download.pytorch.org/models/resnet50-0676ba61.pth"
# open_clip's `laion2b_s34b_b79k`, at a revision that stays, with the hash of its file.
CLIP_URL = (
    "https://huggingface.co/laion/CLIP-ViT-B-32-laion2B-s34B-b79K/resolve/1a25a446712ba5ee05982a381eed697ef9b435cf/"
    "open_clip_model.safetensors#sha256=ac4f8c4b88af6d963118cbf40ad93176d092abbedfcb752601ae1866352656e6"
)
SAFETENSORS = ".safetensors"

_CONNECT_SECONDS = 10
_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.(?:pth?|safetensors)$")
_HASH_BEHIND = re.compile(r"sha256=([0-9a-f]{8,64})")


class WeightsError(Exception):
    """Weights are missing, damaged or of another network; the message says what to do."""


def read(path: Path) -> Any:
    """What a file of `torch.save`, or one in safetensors' format, holds. Raises `WeightsError`."""
    if path.suffix == SAFETENSORS:
        return _read_safetensors(path)
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises half a dozen types, and some recommend to run what is in the file
        # A wrong seek within a truncated file is an `OSError` too.
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise WeightsError(f"{path} cannot be read: {error}") from error
        raise WeightsError(f"{path} is no file of torch.save(network.state_dict(), …)") from error


def _read_safetensors(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise WeightsError(f"{path} is no whole file of safetensors: {brief(error)}") from error
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error}") from error


def plain(state: Any) -> Mapping[str, Any]:
    """Unwrap a training checkpoint and the prefix that data-parallel training leaves. Raises `TypeError`."""
    for key in ("state_dict", "model"):
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if not isinstance(state, Mapping):
        raise TypeError("it is not a state dict")
    return {key.removeprefix("module."): value for key, value in state.items()}


def download(models: Path, url: str = RESNET50_URL, *, backbone: str = "resnet50") -> Path:
    """Fetch weights into `models/<backbone>/`, with a progress bar, and check their hash.

    The first digits of the file's SHA-256 end its name, as those of all of torchvision's files do, or stand behind the
    address: `…/file.pth#sha256=0123abcd…`. Raises `WeightsError`.
    """
    from torch.hub import download_url_to_file

    address, behind = urldefrag(url)
    name = address.rsplit("/", 1)[-1]
    prefix = _HASH_BEHIND.fullmatch(behind) or _HASH_IN_NAME.search(name)
    if prefix is None or not name:
        raise WeightsError(
            f"the file name in {url} does not end in a hash (name-0123abcd.pth) to check it by, and none stands behind "
            "it (#sha256=0123abcd)"
        )
    target = models / backbone / name
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        # torch finds out that this is no address when it has made its file, and leaves that behind.
        Request(address)  # noqa: S310  a file: address is as good, its content is checked too
        with _socket_timeout(_CONNECT_SECONDS):
            download_url_to_file(address, str(target), prefix.group(1), progress=True)
    # RuntimeError is torch's word for a wrong hash, ValueError urllib's for what is no address.
    except (OSError, HTTPException, RuntimeError, ValueError) as error:
        raise WeightsError(f"could not fetch {url}: {brief(error)}") from error
    return target


def brief(error: Exception) -> str:
    """What went wrong, on one line of 200 characters at most."""
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
