"""The whole way from crops to 3-D vectors: a network, and the space in which its features are placed."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from . import clusters
from .backbones import Weights
from .extractors import Device, Extractor, Features, open_extractor
from .images.decoding import RGB
from .ordering import ChosenRows
from .precision import PrecisionChoice
from .principal_axes import standardised
from .reducers import FORMAT, REDUCERS, SEED, ModelError, Reducer, load_all, warm_up
from .vector_files import StackedRows, Vectors, replacing

VERSION = 1
"""Part of every dataset's id: raised when the same pictures would get other vectors."""
OWN_VERSION = 2
"""The same for datasets that are fitted on themselves alone."""

OWN_VECTORS = "own:"
"""What `Pipeline.network` begins with where vectors came with the pictures."""


@dataclass(frozen=True, kw_only=True)
class Space:
    """The catalogue's fitted reducers, in which uploads can be placed."""

    folder: Path
    fingerprint: str
    """Changes whenever the reducers do."""
    demo: bool
    """Fitted on the demo catalogue: photographs have no business among its digits."""

    @classmethod
    def find(cls, folder: Path) -> "Space | None":
        """The space saved in `folder`, or `None`. Raises `ModelError` where it is of another format."""
        try:
            manifest = json.loads((folder / "space.json").read_text())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise ModelError(f"{folder / 'space.json'} is damaged: rebuild it with `manage.py fit_reducers`") from error
        if manifest.get("format") != FORMAT:
            raise ModelError(f"{folder} is of another format: rebuild it with `manage.py fit_reducers`")
        return cls(folder=folder, fingerprint=manifest["identity"], demo=manifest["demo"])

    @classmethod
    def save(cls, folder: Path, reducers: Iterable[Reducer], *, demo: bool) -> None:
        """Write fitted reducers; the card that announces them comes last."""
        digest = hashlib.sha256()
        for reducer in reducers:
            path = folder / f"{reducer.name}.npz"
            reducer.save(path)
            digest.update(path.read_bytes())
        with replacing(folder / "space.json") as file:
            manifest = {"format": FORMAT, "identity": digest.hexdigest()[:16], "demo": demo}
            file.write(json.dumps(manifest).encode())

    def reducers(self) -> dict[str, Reducer]:
        """Load them. Raises `ModelError`."""
        return load_all(self.folder)


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where pictures came to lie."""

    vectors: dict[str, Vectors]
    """`(n, 3) float32` by reducer."""
    explained_variance: list[float]
    """Shares of the whole variance that lie along PCA's three axes: of these pictures', or of the catalogue's where
    they were placed in its space."""


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """Everything that decides which vectors a picture gets. Cheap to make: the network is loaded at first use."""

    weights: Weights
    cache: Path
    """Folder for converted networks."""
    space: Space | None
    """Where uploads are placed; `None`: each is fitted on itself."""
    choice: PrecisionChoice = PrecisionChoice()
    """The precision that the network runs in."""
    device: Device = "auto"
    _loaded: dict[str, Reducer] = field(default_factory=dict, compare=False, repr=False)

    @property
    def network(self) -> str:
        """Equal networks give features that can be compared."""
        return f"{self.weights.backbone.name}:{self.weights.digest}:{self.choice.precision}{self.choice.fingerprint}"

    @property
    def signature(self) -> str:
        """Equal signatures give equal vectors."""
        place = self.space.fingerprint if self.space else f"own-{OWN_VERSION}"
        return f"{VERSION}:{self.network}:{place}"

    @cached_property
    def extractor(self) -> Extractor:
        return open_extractor(
            self.weights,
            self.cache,
            precision=self.choice.precision,
            quantised=self.choice.network,
            device=self.device,
        )

    def warm_up(self) -> None:
        """Load the network and compile UMAP, so that the first upload does not wait for either."""
        _ = self.extractor
        self._reducers()
        warm_up()
        clusters.warm_up()

    def extract(self, crops: Iterable[RGB]) -> Features:
        """Crops `(side, side, 3) uint8` → `(n, d) float32`."""
        return self.extractor.extract(crops)

    def place(
        self,
        features: Features | StackedRows,
        on_start: Callable[[str], object],
        *,
        on_placed: Callable[[str, Vectors], object] = lambda name, vectors: None,
        on_fitted: Callable[[Reducer], object] = lambda reducer: None,
        on_moved: Callable[[str, Vectors], object] | None = None,
        onto: Mapping[str, Vectors] = MappingProxyType({}),
    ) -> Places:
        """`(n, d)` features → their places.

        `on_start` is told each reducer's name and `on_placed` its vectors; `on_fitted` is given each reducer that was
        fitted for these features. While it is, `on_moved` is given where they lie, each half second at most. Such a
        one is turned `onto` earlier places of the first rows, by reducer.
        """
        places: dict[str, Vectors] = {}
        fitted = dict(self._reducers())
        if not fitted:
            standardizer, coordinates, rows = standardised(features)
        for name, kind in REDUCERS.items():
            on_start(name)
            if name in fitted:
                places[name] = placed(fitted[name], features)
            else:
                on_move = on_moved and partial(_notify, on_moved, name, rows)
                fitted[name], found = kind.fit(standardizer, coordinates, seed=SEED, on_move=on_move)
                places[name] = found[rows]
                if name in onto:
                    fitted[name], places[name] = fitted[name].turned_onto(places[name], onto[name])
                on_fitted(fitted[name])
            on_placed(name, places[name])
        return Places(vectors=places, explained_variance=fitted["pca"].explained_variance())

    def _reducers(self) -> dict[str, Reducer]:
        if self.space and not self._loaded:
            self._loaded.update(self.space.reducers())
        return self._loaded


@dataclass(frozen=True, kw_only=True)
class OwnVectorsPipeline(Pipeline):
    """For pictures that come with vectors of their own: no network runs, and they are fitted on themselves."""

    digest: str
    """Of the vectors."""

    @property
    def network(self) -> str:
        return f"{OWN_VECTORS}{self.digest}"

    def extract(self, crops: Iterable[RGB]) -> Features:
        """A column of zeros for the crops, whose vectors are put in its place when it is known which were readable."""
        return np.zeros((sum(1 for _ in crops), 1), np.float32)


def with_own_vectors(pipeline: Pipeline, digest: str) -> OwnVectorsPipeline:
    """The same preparation of pictures, with vectors that are not the network's."""
    return OwnVectorsPipeline(weights=pipeline.weights, cache=pipeline.cache, space=None, digest=digest)


def _notify(on_moved: Callable[[str, Vectors], object], name: str, rows: NDArray[np.intp], places: Vectors) -> None:
    on_moved(name, places[rows])


def placed(reducer: Reducer, features: Features | StackedRows) -> Vectors:
    """`(n, d)` features → `(n, 3)`, some at a time."""
    return np.concatenate([reducer.transform(part) for part in ChosenRows([features], np.arange(len(features)))])
