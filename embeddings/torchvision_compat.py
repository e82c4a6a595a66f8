"""Lets torchvision's models be imported beside a CPU-only torch, whose ABI its compiled operators do not match.

torchvision registers fake kernels for a few operators when it is imported, and fails where its compiled library did not
load and so did not declare them. No network used here calls one: declaring their names is enough.
"""

from typing import Any

# Kept for the life of the process: a library's declarations vanish with it.
_declared: list[Any] = []


def import_models() -> Any:
    """`torchvision.models`, whatever torch stands beside it."""
    import torch

    if not _declared:
        library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
        for operator in ("nms", "qnms"):
            # torchvision loads its compiled operators itself, later; where they are going to work, none is missing.
            if not hasattr(torch.ops.torchvision, operator) and not _compiled_operators_load():
                library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # type: ignore[no-untyped-call]
        _declared.append(library)
    import torchvision.models

    return torchvision.models


def _compiled_operators_load() -> bool:
    from importlib.util import find_spec
    from pathlib import Path

    import torch

    spec = find_spec("torchvision")
    if spec is None or spec.origin is None:
        return False
    for library in sorted(Path(spec.origin).parent.glob("_C*.so")):
        try:
            torch.ops.load_library(str(library))  # type: ignore[no-untyped-call]
        except OSError:
            continue
        return True
    return False
