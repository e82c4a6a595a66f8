"""From JPEG bytes to tile and crop: `python -m benchmarks.decoding`."""

import json
import time
from collections.abc import Callable

from datasets.pictures.extraction import prepare
from embeddings.backbones import BACKBONES

from . import inputs, plain

REPEATS = 3


def main() -> None:
    for what, files in (
        ("decode, tile and crop 1000 portraits", inputs.portraits()),
        ("decode, tile and crop 200 photographs of 12 megapixels", inputs.photographs(200)),
    ):
        print(json.dumps(measure(what, files)), flush=True)


def measure(what: str, files: dict[str, bytes]) -> dict[str, object]:
    network = plain.Network.__new__(plain.Network)  # its preparation needs no weights

    def slowly() -> None:
        plain.tilemap(list(files.values()))
        for file in files.values():
            network._prepare(file)

    def ours() -> None:
        for _, outcome in prepare(files, files.__getitem__, BACKBONES["resnet50"], 200_000_000):
            assert not isinstance(outcome, Exception)

    ours()
    pairs = [(_timed(slowly), _timed(ours)) for _ in range(REPEATS)]
    return {"what": what, "plain": [pair[0] for pair in pairs], "ours": [pair[1] for pair in pairs]}


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
