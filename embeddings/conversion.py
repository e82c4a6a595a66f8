"""Networks of torch → OpenVINO's files, once for a file of weights and a version of OpenVINO."""

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .backbones import Weights

logger = logging.getLogger(__name__)


def import_openvino() -> Any:
    """The module `openvino`, without the package that reports its use to Intel: nothing leaves this server."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def is_converted(weights: Weights, cache: Path) -> bool:
    """Whether the network lies in `cache` already, in the form that this version of the engine reads."""
    parts = ("", "text") if weights.backbone.text else ("",)
    return all(_converted_path(weights, cache, part).is_file() for part in parts)


def convert(weights: Weights, cache: Path) -> Path:
    """The torch module → OpenVINO's format, with normalisation inside: the converted network takes raw RGB bytes.

    Returns the file in `cache`; made the first time only.
    """

    def make(ov: Any) -> Any:
        import torch
        from openvino.preprocess import PrePostProcessor

        backbone = weights.backbone
        network = _exported(ov, weights.module(), torch.zeros(1, 3, backbone.side, backbone.side))
        steps = PrePostProcessor(network)
        steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
        steps.input().model().set_layout(ov.Layout("NCHW"))
        floats = steps.input().preprocess().convert_element_type(ov.Type.f32)
        floats.mean(list(backbone.mean)).scale(list(backbone.scale))
        return steps.build()

    return _converted(weights, cache, "", make)


def convert_text(weights: Weights, cache: Path) -> Path:
    """The same for the network that takes texts, `(1, context) int64`; the backbone must have one."""

    def make(ov: Any) -> Any:
        import torch

        assert weights.backbone.text is not None
        return _exported(ov, weights.text_module(), torch.zeros(1, weights.backbone.text.context, dtype=torch.int64))

    return _converted(weights, cache, "text", make)


def _exported(ov: Any, module: Any, example: Any) -> Any:
    """OpenVINO's network of a torch module that takes what has the shape and the type of `example`."""
    import warnings

    import torch

    with warnings.catch_warnings():
        # torch.export's own house-keeping warns of names that torch itself has deprecated.
        warnings.simplefilter("ignore")
        network = ov.convert_model(torch.export.export(module, (example,)))
    network.reshape(ov.PartialShape(list(example.shape)))
    return network


def _converted(weights: Weights, cache: Path, part: str, make: Callable[[Any], Any]) -> Path:
    path = _converted_path(weights, cache, part)
    if path.is_file():
        return path
    ov = import_openvino()
    logger.info("converting %s for OpenVINO, once", " ".join([weights.backbone.name, part]).strip())
    network = make(ov)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{os.getpid()}-{path.name}")
    ov.save_model(network, unfinished, compress_to_fp16=False)
    # The file of weights first: whoever sees the .xml finds its .bin beside it.
    os.replace(unfinished.with_suffix(".bin"), path.with_suffix(".bin"))
    os.replace(unfinished, path)
    return path


def _converted_path(weights: Weights, cache: Path, part: str) -> Path:
    from importlib.metadata import version

    name = "-".join(filter(None, (weights.backbone.name, part, weights.digest[:16])))
    return cache / f"{name}-openvino-{version('openvino')}.xml"
