"""A text → the vector that is compared with those of pictures.

OpenVINO on the CPU, in fp32, whatever runs the network for pictures: one text takes some hundredths of a second.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .backbones import Weights
from .conversion import convert_text, import_openvino


class TextError(Exception):
    """A text cannot be taken; the message is a sentence for people."""


class TextTooLong(TextError):
    """It has more parts than the network reads at once."""

    def __init__(self, found: int, limit: int) -> None:
        super().__init__(
            f"The text is too long: it has {found} words, parts of words and marks, and the network reads {limit}."
        )
        self.limit = limit


class TextEncoder:
    """A loaded network for texts."""

    def __init__(self, weights: Weights, cache: Path) -> None:
        """Convert the network into `cache` the first time. `weights` are of a backbone that takes texts."""
        assert weights.backbone.text is not None
        ov = import_openvino()
        self._text = weights.backbone.text
        options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        path = convert_text(weights, cache)
        try:
            network = ov.Core().compile_model(path, "CPU", options)
        except RuntimeError:
            # What a power cut left of the converted file is of no use, and is made again.
            path.unlink()
            network = ov.Core().compile_model(convert_text(weights, cache), "CPU", options)
        self._request = network.create_infer_request()

    def encode(self, text: str) -> NDArray[np.float32]:
        """`(features,) float32` of the length 1. Raises `TextError`."""
        numbers = self._text.tokens(text)
        between = len(numbers) - 2  # what stands between beginning and end
        if between < 1:
            raise TextError("The text has no words.")
        if len(numbers) > self._text.context:
            raise TextTooLong(between, self._text.context - 2)
        row = np.zeros((1, self._text.context), np.int64)
        row[0, : len(numbers)] = numbers
        vector: NDArray[np.float32] = self._request.infer({0: row})[0][0].copy()
        return vector
