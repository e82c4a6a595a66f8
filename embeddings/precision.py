"""Faster arithmetic for the network, used only where it was shown to keep the neighbours.

bf16 and int8 run a network two and more times faster than fp32, and change its features a little. What matters of
them is who is near whom, so a precision is chosen by measuring, on real pictures, how many of each one's ten nearest
neighbours stay. The choice is written down beside the backbone's models, and holds for the weights it was made with.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np

from .backbones import Weights, WeightsError
from .features import Features, Precision, convert, import_openvino
from .images import RGB
from .vectors import replacing

NEIGHBOURS = 10
ENOUGH_RECALL = 0.95
"""Share of neighbours that a precision must keep to be chosen without being told to."""


@dataclass(frozen=True, kw_only=True)
class Fidelity:
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
class Choice:
    """The precision that a backbone runs in."""

    precision: Precision = "fp32"
    network: Path | None = None
    """The quantised network, for int8."""
    identity: str = ""
    """Tells one quantisation from another; part of every dataset's id."""

    @classmethod
    def read(cls, folder: Path, weights: Weights) -> Self:
        """What was chosen for these weights in `folder`; fp32 where nothing was, or for other weights."""
        try:
            card = json.loads((folder / "precision.json").read_text())
        except FileNotFoundError:
            return cls()
        except ValueError as error:
            raise WeightsError(f"{folder / 'precision.json'} is damaged: run `manage.py choose_precision`") from error
        if card["weights"] != weights.digest:
            return cls()
        network = folder / card["network"] if card["network"] else None
        if network is not None and not network.is_file():
            raise WeightsError(f"{network} is missing: run `manage.py choose_precision` again")
        return cls(precision=card["precision"], network=network, identity=card["identity"])

    def discard(self) -> None:
        """Remove the quantised network of a choice that was not made."""
        if self.network is not None:
            self.network.unlink()
            self.network.with_suffix(".bin").unlink()

    def write(self, folder: Path, weights: Weights, fidelity: Fidelity | None) -> None:
        """Make this the choice for these weights."""
        card = {
            "precision": self.precision,
            "network": self.network.name if self.network else "",
            "identity": self.identity,
            "weights": weights.digest,
            "fidelity": asdict(fidelity) if fidelity else None,
        }
        with replacing(folder / "precision.json") as file:
            file.write(json.dumps(card, indent=1).encode())


def quantise(weights: Weights, cache: Path, folder: Path, crops: Sequence[RGB]) -> Choice:
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
    identity = hashlib.sha256(part.with_suffix(".bin").read_bytes()).hexdigest()[:16]
    path = folder / f"int8-{identity}.xml"
    os.replace(part.with_suffix(".bin"), path.with_suffix(".bin"))
    os.replace(part, path)
    return Choice(precision="int8", network=path, identity=identity)


def _unit(features: Features) -> Features:
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return (features / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def _nearest(unit: Features) -> "np.ndarray[tuple[int, ...], np.dtype[np.intp]]":
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    return np.argsort(-similarity, axis=1, kind="stable")[:, :NEIGHBOURS]
