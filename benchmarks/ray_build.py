"""Extracting a catalogue on Ray beside the plain command: `python -m benchmarks.ray_build ZIP [--rounds 2]`.

The same command, `extract_features`, over the same pictures in turn: plain, and with `--ray` on a cluster of two nodes
of one core each, on this machine, which runs already. Each is run over all pictures and over the first ones; the
throughput is that of the others, so that what a command takes to begin is told apart. The results must be the same
bytes. All processes but the cluster's are new ones each time; the converted network lies on the disk.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

from tests.support.paths import ROOT
from tests.support.ray_cluster import running_ray

FIRST = 512


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wwzd-ray-") as name, running_ray({}) as cluster:
        cluster.start_node()
        folder = Path(name)
        few, total = _first(given.source, folder / "first.zip")
        ways: dict[str, list[str]] = {"plain": [], "two nodes": ["--ray", cluster.address]}
        environment = {**os.environ, **cluster.environment, "CACHE_DIR": str(folder / "cache"), "DEVICE": "cpu"}
        _extract(few, folder / "converted", [], environment)  # converts the network
        for turn in range(given.rounds):
            for way, options in ways.items():
                short = _extract(few, folder / f"few-{way}-{turn}", options, environment)
                whole = _extract(given.source, folder / f"all-{way}-{turn}", options, environment)
                rate = (total - FIRST) / (whole - short)
                figures = {"begin": short - FIRST / rate, "whole": whole, "pictures a second": rate}
                print(json.dumps({"way": way, **figures}), flush=True)
        reference = _made(folder / "all-plain-0")
        print(json.dumps({"same bytes": all(_made(path) == reference for path in folder.glob("all-*"))}), flush=True)


def _first(source: Path, target: Path) -> tuple[Path, int]:
    """A ZIP of the first pictures, and the number of all."""
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w") as few:
        names = sorted(entry.filename for entry in archive.infolist() if not entry.is_dir())
        for name in names[:FIRST]:
            few.writestr(name, archive.read(name))
    return target, len(names)


def _extract(source: Path, data: Path, options: list[str], environment: dict[str, Any]) -> float:
    """Seconds of the whole command."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "manage.py", "extract_features", str(source.resolve()), *options],
        cwd=ROOT,
        env=environment | {"DATA_DIR": str(data)},
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - started


def _made(data: Path) -> dict[str, bytes]:
    build = data / "build"
    return {str(path.relative_to(build)): path.read_bytes() for path in build.rglob("*") if path.is_file()}


if __name__ == "__main__":
    main()
