"""What computed a result: the versions of all that has a say in the numbers."""

import platform
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "umap-learn",
    "openTSNE",
    "pacmap",
    "numba",
    "torch",
    "openvino",
    "pillow",
    "simplejpeg",
    "pi-heif",
    "pillow-jxl-plugin",
)


def versions() -> dict[str, str]:
    """Package → its version, and Python's; without importing any of them."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # a GPU machine may do without OpenVINO
            continue
    return found
