"""Faster arithmetic for the network, used only where it was shown to be faster and to keep the neighbours.

bf16 and int8 run a network two and more times faster than fp32 on CPUs that are made for them, more slowly on others,
and change its features a little. What matters of them is who is near whom, so a precision is chosen by measuring, on
real pictures, how many of each one's ten nearest neighbours stay, and how long this machine takes. The choice is
written down beside the backbone's models, and holds for the weights it was made with.
"""

import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np

from .backbones import Weights, WeightsError
from .conversion import convert, import_openvino
from .extractors import Features, Precision
from .images.decoding import RGB
from .vector_files import replacing

NEIGHBOURS = 10
ENOUGH_RECALL = 0.95
"""Share of neighbours that a precision must keep to be chosen without being told to."""


@dataclass(frozen=True, kw_only=True)
class PrecisionReport:
    """How near features in another precision come to those in fp32."""

    pictures: int
    cosine_min: float
    cosine_mean: float
    recall: float
    """Mean share of each picture's ten nearest neighbours (cosine) that are among its ten nearest in fp32."""

    @classmethod
    def measure(cls, reference: Features, other: Features) -> Self:
        """Compare `(n, d)` features of the same pictures, n > 10."""
        exact, close = _unit(reference), _unit(other)
        cosines = np.einsum("ij,ij->i", exact, close)
        wanted, found = _nearest(exact), _nearest(close)
        kept = [len(set(first) & set(second)) / NEIGHBOURS for first, second in zip(wanted, found, strict=True)]
        return cls(
            pictures=len(reference),
            cosine_min=float(cosines.min()),
            cosine_mean=float(cosines.mean()),
            recall=float(np.mean(kept)),
        )

    def __str__(self) -> str:
        return (
            f"recall@{NEIGHBOURS} {self.recall:.3f}, cosine to fp32 {self.cosine_mean:.4f} "
            f"(smallest {self.cosine_min:.4f}), {self.pictures} pictures"
        )


@dataclass(frozen=True, kw_only=True)
class Speed:
    """How fast this machine computes in fp32 and in another precision, pictures a second."""

    reference: float
    other: float

    @classmethod
    def measure(
        cls, reference: Callable[[], object], other: Callable[[], object], pictures: int, *, rounds: int = 3
    ) -> Self:
        """Time both, which compute as many pictures each time, in turn, so that what slows the machine meets both."""
        taken: dict[Callable[[], object], list[float]] = {reference: [], other: []}
        for compute in (reference, other):
            compute()  # the first time pays for memory
        for _ in range(rounds):
            for compute, seconds in taken.items():
                started = time.perf_counter()
                compute()
                seconds.append(time.perf_counter() - started)
        return cls(
            **{
                name: pictures / statistics.median(taken[compute])
                for name, compute in (("reference", reference), ("other", other))
            }
        )

    def __str__(self) -> str:
        ratio = self.other / self.reference
        return f"{self.other:.0f} pictures/s, {ratio:.2f} times as many as fp32's {self.reference:.0f}"


def why_not(precision: Precision, fidelity: PrecisionReport, speed: Speed) -> str:
    """What speaks against choosing a precision, as a sentence; empty where nothing does."""
    if fidelity.recall < ENOUGH_RECALL:
        return f"{precision} keeps {fidelity.recall:.1%} of the neighbours, less than {ENOUGH_RECALL:.0%}"
    if speed.other <= speed.reference:
        return (
            f"{precision} is slower than fp32 on this machine ({speed.other:.0f} pictures/s, not {speed.reference:.0f})"
        )
    return ""


@dataclass(frozen=True, kw_only=True)
class PrecisionChoice:
    """The precision that a backbone runs in."""

    precision: Precision = "fp32"
    network: Path | None = None
    """The quantised network, for int8."""
    fingerprint: str = ""
    """Tells one quantisation from another; part of every dataset's id."""

    @classmethod
    def read(cls, folder: Path, weights: Weights) -> Self:
        """What was chosen for these weights in `folder`; fp32 where nothing was, or for other weights."""
        try:
            manifest = json.loads((folder / "precision.json").read_text())
        except FileNotFoundError:
            return cls()
        except ValueError as error:
            raise WeightsError(f"{folder / 'precision.json'} is damaged: run `manage.py choose_precision`") from error
        if manifest["weights"] != weights.digest:
            return cls()
        network = folder / manifest["network"] if manifest["network"] else None
        if network is not None and not network.is_file():
            raise WeightsError(f"{network} is missing: run `manage.py choose_precision` again")
        return cls(precision=manifest["precision"], network=network, fingerprint=manifest["identity"])

    def discard(self) -> None:
        """Remove the quantised network of a choice that was not made."""
        if self.network is not None:
            self.network.unlink()
            self.network.with_suffix(".bin").unlink()

    def write(
        self, folder: Path, weights: Weights, fidelity: PrecisionReport | None, speed: Speed | None = None
    ) -> None:
        """Make this the choice for these weights, with what was measured."""
        manifest = {
            "precision": self.precision,
            "network": self.network.name if self.network else "",
            "identity": self.fingerprint,
            "weights": weights.digest,
            "fidelity": asdict(fidelity) if fidelity else None,
            "speed": asdict(speed) if speed else None,
        }
        with replacing(folder / "precision.json") as file:
            file.write(json.dumps(manifest, indent=1).encode())


def quantise(weights: Weights, cache: Path, folder: Path, crops: Sequence[RGB]) -> PrecisionChoice:
    """Post-training quantisation to int8 (NNCF), calibrated on some hundred crops; the network is kept in `folder`."""
    import hashlib
    import logging

    ov = import_openvino()
    import nncf

    logging.getLogger("nncf").setLevel(logging.ERROR)
    network = nncf.quantize(
        ov.Core().read_model(convert(weights, cache)),
        nncf.Dataset(list(crops), lambda crop: crop[None]),
        subset_size=len(crops),
    )
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{os.getpid()}-int8.xml"
    ov.save_model(network, part, compress_to_fp16=False)
    fingerprint = hashlib.sha256(part.with_suffix(".bin").read_bytes()).hexdigest()[:16]
    path = folder / f"int8-{fingerprint}.xml"
    os.replace(part.with_suffix(".bin"), path.with_suffix(".bin"))
    os.replace(part, path)
    return PrecisionChoice(precision="int8", network=path, fingerprint=fingerprint)


def _unit(features: Features) -> Features:
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return (features / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def _nearest(unit: Features) -> "np.ndarray[tuple[int, ...], np.dtype[np.intp]]":
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    return np.argsort(-similarity, axis=1, kind="stable")[:, :NEIGHBOURS]
