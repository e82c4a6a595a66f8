"""Crops → feature vectors: the engines that run a backbone.

OpenVINO on CPUs, torch on CUDA. Every picture goes through the network in a way that does not depend on its
batch-mates' contents, so the same picture always has the same features.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from .backbones import Weights, WeightsError
from .conversion import convert, import_openvino
from .images.decoding import RGB
from .processor import cpu
from .versions import versions

Features = NDArray[np.float32]
Precision = Literal["fp32", "bf16", "int8"]
Device = Literal["auto", "cpu", "cuda"]
_PACKAGES = ("numpy", "torch", "openvino", "pillow", "simplejpeg", "pi-heif", "pillow-jxl-plugin")
"""That compute, or decode."""


@dataclass(frozen=True, kw_only=True)
class EngineInfo:
    """What runs the network, for people: start-up line, dataset, log."""

    engine: str
    precision: str
    threads: int
    processor: str
    batch: int
    """Pictures that go through the network together."""

    def __str__(self) -> str:
        return f"{self.engine}, {self.precision}, {self.threads} threads"

    def arithmetic(self) -> dict[str, str]:
        """All that the last bits of features and tiles depend on, beside pictures and weights."""
        known = versions()
        packages = {name: known[name] for name in _PACKAGES if name in known}
        about = {"processor": self.processor, "engine": self.engine, "precision": self.precision}
        return {**about, "batch": str(self.batch), **packages}


class Extractor(Protocol):
    """A loaded network."""

    weights: Weights
    info: EngineInfo

    def extract(self, crops: Iterable[RGB]) -> Features:
        """Crops `(side, side, 3) uint8`, taken as the engine can use them → `(n, features) float32`, in their order."""
        ...


def open_extractor(
    weights: Weights,
    cache: Path,
    *,
    precision: Precision = "fp32",
    quantised: Path | None = None,
    device: Device = "auto",
    threads: int | None = None,
) -> Extractor:
    """Load a network, converting it into `cache` the first time; `quantised` is the network file for int8. On a CPU it
    takes so many `threads`, or all there are.

    Raises `WeightsError` for int8 where there is no such file, or on CUDA.
    """
    if device == "cuda" or (device == "auto" and _has_cuda()):
        return TorchExtractor(weights, precision)
    return OpenVinoExtractor(weights, cache, precision, quantised, threads)


class OpenVinoExtractor:
    """OpenVINO's asynchronous queue: as many single-picture requests in flight as the CPU can use."""

    def __init__(
        self,
        weights: Weights,
        cache: Path,
        precision: Precision,
        quantised: Path | None = None,
        threads: int | None = None,
    ) -> None:
        ov = import_openvino()
        self.weights = weights
        if precision != "int8":
            path = convert(weights, cache)
        elif quantised is not None:
            path = quantised
        else:
            raise WeightsError("int8 needs a quantised network: run `manage.py choose_precision int8 SOURCE`")
        options: dict[str, str | int] = {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "INFERENCE_PRECISION_HINT": {"fp32": "f32", "bf16": "bf16", "int8": "f32"}[precision],
            "CACHE_DIR": str(cache / "compiled"),
        }
        if threads is not None:
            options["INFERENCE_NUM_THREADS"] = threads
        try:
            self._network = ov.Core().compile_model(path, "CPU", options)
        except RuntimeError:
            if path == quantised:
                raise
            # What a power cut left of the converted file is of no use, and is made again.
            path.unlink()
            self._network = ov.Core().compile_model(convert(weights, cache), "CPU", options)
        # A chip without bf16 computes in fp32, whatever it was asked for.
        fallen_back = precision == "bf16" and not can_run("bf16")
        self.info = EngineInfo(
            engine=f"OpenVINO {ov.__version__.split('-')[0]}",
            precision="fp32" if fallen_back else precision,
            threads=int(self._network.get_property("INFERENCE_NUM_THREADS")),
            processor=cpu(),
            batch=1,
        )

    def extract(self, crops: Iterable[RGB]) -> Features:
        ov = import_openvino()
        rows: dict[int, Features] = {}
        running: dict[int, int] = {}
        queue = ov.AsyncInferQueue(self._network)

        def collect(request: int) -> None:
            if request in running:
                rows[running.pop(request)] = queue[request].get_output_tensor().data[0].copy()

        # Results are fetched when their request is used again, not by callbacks: a callback gives OpenVINO's threads a
        # Python state, and destroying the network then waits for them while they wait for the interpreter.
        try:
            for index, crop in enumerate(crops):
                request = queue.get_idle_request_id()
                collect(request)
                running[request] = index
                queue.start_async({0: crop[None]})
        finally:
            queue.wait_all()
        for request in list(running):
            collect(request)
        if not rows:
            return np.empty((0, self.weights.backbone.features), np.float32)
        return np.stack([rows[index] for index in range(len(rows))])


class TorchExtractor:
    """torch on CUDA: pinned batches, channels last, half precision where bf16 is asked for."""

    # A batch of 224 px crops needs about 60 MB a picture in fp32 at ResNet50's widest layers, all buffers counted.
    _BYTES_A_PICTURE = 60_000_000
    # Always the same one where there is memory for it: features may have other last bits for another size of batch.
    _BATCH = 64

    def __init__(self, weights: Weights, precision: Precision, device: str = "cuda") -> None:
        import torch

        self.weights = weights
        self._device = torch.device(device)
        if precision == "int8":
            raise WeightsError("int8 is for CPUs: choose bf16 or fp32 for CUDA with `manage.py choose_precision`")
        if precision == "fp32":
            # torch's default lets CUDA round the inputs of convolutions to TF32's ten bits.
            torch.backends.cudnn.allow_tf32 = False
        self._dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
        self._network = weights.module().to(
            self._device,
            self._dtype,
            memory_format=torch.channels_last,  # type: ignore[call-overload]
        )
        backbone = weights.backbone
        shape = (1, 3, 1, 1)
        self._mean = torch.tensor(backbone.mean, device=self._device).view(shape)
        self._scale = torch.tensor(backbone.scale, device=self._device).view(shape)
        self._batch = self._batch_size()
        self.info = EngineInfo(
            engine=f"torch {torch.__version__} on {self._name()}",
            precision=precision,
            threads=torch.get_num_threads(),
            processor=self._name() if self._device.type == "cuda" else cpu(),
            batch=self._batch,
        )

    def extract(self, crops: Iterable[RGB]) -> Features:
        import torch

        parts: list[Features] = []
        with torch.inference_mode():
            # One batch is computed while the next one is decoded: a result is fetched only after its successor started.
            started: torch.Tensor | None = None
            for batch, count in _batches(crops, self._batch):
                pixels = torch.from_numpy(batch)
                if self._device.type == "cuda":
                    pixels = pixels.pin_memory()
                inputs = pixels.to(self._device, non_blocking=True).permute(0, 3, 1, 2).float()
                inputs = ((inputs - self._mean) / self._scale).to(self._dtype, memory_format=torch.channels_last)
                running = self._network(inputs)[:count].float()
                if started is not None:
                    parts.append(started.cpu().numpy())
                started = running
            if started is not None:
                parts.append(started.cpu().numpy())
        return np.concatenate(parts) if parts else np.empty((0, self.weights.backbone.features), np.float32)

    def _batch_size(self) -> int:
        import torch

        if self._device.type != "cuda":
            return 4
        free, _ = torch.cuda.mem_get_info(self._device)
        size = self._BATCH
        while size > 8 and size * self._BYTES_A_PICTURE > free // 2:
            size //= 2
        return size

    def _name(self) -> str:
        import torch

        return torch.cuda.get_device_name(self._device) if self._device.type == "cuda" else "CPU"


def _batches(crops: Iterable[RGB], size: int) -> Iterator[tuple[RGB, int]]:
    """Batches of `size`, and how many crops are in each.

    The last one is filled up with copies: convolutions are computed in another way, with other last bits, for another
    size of batch.
    """
    source = iter(crops)
    while batch := list(islice(source, size)):
        yield np.stack(batch + batch[-1:] * (size - len(batch))), len(batch)


def can_run(precision: Precision) -> bool:
    """Whether this CPU has arithmetic of its own for a precision."""
    known = import_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return precision.upper() in known


def _has_cuda() -> bool:
    """Whether an NVIDIA driver is loaded; told from its device file, so that no CPU machine imports torch to ask."""
    if not Path("/dev/nvidiactl").exists():
        return False
    import torch

    return torch.cuda.is_available()
