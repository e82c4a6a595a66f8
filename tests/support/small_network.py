"""A network of some kilobytes in ResNet50's place, for tests in which what it sees does not matter but its time does.

All else is as ever: the file of weights, the conversion, the engine. Run as a module, it is `manage.py` with that
network, for commands in processes of their own.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embeddings.backbones import BACKBONES, Backbone

if TYPE_CHECKING:
    from torch import nn


def _network() -> "nn.Sequential":
    from torch import nn

    layers = [nn.Conv2d(3, 16, 3, stride=2), nn.ReLU(), nn.Conv2d(16, 48, 3, stride=2), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def _build(state: Mapping[str, Any]) -> "nn.Module":
    network = _network()
    network.load_state_dict(state)
    return network.eval()


SMALL = Backbone(
    name="resnet50",
    features=48,
    resize=32,
    side=32,
    mean=(127.0, 127.0, 127.0),
    scale=(128.0, 128.0, 128.0),
    build=_build,
)


def write_weights(path: Path) -> dict[str, str]:
    """Write the same random weights each time. Returns the settings that choose them."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(7)
        state = _network().state_dict()
    torch.save(state, path)
    return {"BACKBONE": "resnet50", "RESNET50_WEIGHTS": str(path)}


if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    BACKBONES["resnet50"] = SMALL
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wwzd.settings")
    execute_from_command_line(sys.argv)
