"""A CLIP of open_clip's own classes with few layers, in the real one's place: for tests in which what it means does not
matter. All else is as ever: the file of weights, the tokens, the conversions, the engines.

`seeded` makes the real architecture's, or this one's, with the same random weights each time: they mean nothing.
"""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from embeddings import clip
from embeddings.backbones import BACKBONES, TextNetwork
from embeddings.clip import _import_open_clip

ARCHITECTURE = "wwzd-small"
_CONFIGURATION = {
    "embed_dim": 48,
    "vision_cfg": {"image_size": 64, "layers": 2, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2},
}

SMALL_CLIP = replace(
    BACKBONES["clip_vit_b32"],
    features=48,
    resize=64,
    side=64,
    build=partial(clip.build_pictures, ARCHITECTURE),
    text=TextNetwork(build=partial(clip.build_texts, ARCHITECTURE), tokens=clip.tokens, context=77),
)


def register(folder: Path) -> None:
    """Tell open_clip of the architecture."""
    path = folder / f"{ARCHITECTURE}.json"
    path.write_text(json.dumps(_CONFIGURATION))
    _import_open_clip().add_model_config(path)


def seeded(architecture: str) -> Any:
    """open_clip's own network."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(7)
        return _import_open_clip().create_model(architecture, pretrained=None).eval()
