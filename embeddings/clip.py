"""CLIP: one network for pictures and one for texts, whose vectors can be compared. By open_clip, which is optional.

Both are taken from one file of weights. Their vectors have the length 1, so that a scalar product is a cosine.
"""

import warnings
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn

MEAN = (122.7709383, 116.7460125, 104.0937362)
DEVIATION = (68.5005327, 66.6321579, 70.3231630)
"""What CLIP was trained with, on the scale 0–255."""


def build_pictures(architecture: str, state: Mapping[str, Any]) -> "nn.Module":
    """State dict → the network for pictures, `(n, 3, side, side) float32` → `(n, features) float32`."""
    from torch import nn

    class Pictures(nn.Module):
        def __init__(self, clip: Any) -> None:
            super().__init__()
            self.tower = clip.visual

        def forward(self, pictures: "torch.Tensor") -> "torch.Tensor":
            return nn.functional.normalize(self.tower(pictures), dim=-1)

    return Pictures(_network(architecture, state)).eval()


def build_texts(architecture: str, state: Mapping[str, Any]) -> "nn.Module":
    """State dict → the network for texts, `(n, context) int64` of `tokens` → `(n, features) float32`."""
    from torch import nn

    class Texts(nn.Module):
        def __init__(self, clip: Any) -> None:
            super().__init__()
            del clip.visual
            self.clip = clip

        def forward(self, tokens: "torch.Tensor") -> "torch.Tensor":
            vectors: torch.Tensor = self.clip.encode_text(tokens, normalize=True)
            return vectors

    return Texts(_network(architecture, state)).eval()


def tokens(text: str) -> list[int]:
    """A text → the numbers of its parts of words, between those of a beginning and an end; not cut to any length."""
    tokenizer = _tokenizer()
    return [tokenizer.sot_token_id, *tokenizer.encode(text), tokenizer.eot_token_id]


def _network(architecture: str, state: Mapping[str, Any]) -> Any:
    open_clip = _import_open_clip()
    network = open_clip.CLIP(**open_clip.get_model_config(architecture))
    network.load_state_dict(state)
    return network


@cache
def _tokenizer() -> Any:
    open_clip = _import_open_clip()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its vocabulary to be closed by the collector
        return open_clip.SimpleTokenizer()


def _import_open_clip() -> Any:
    from .torchvision_compat import import_models

    import_models()  # open_clip imports torchvision
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what its own dependencies have deprecated
        import open_clip

    return open_clip
