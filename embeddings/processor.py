"""What kind of CPU computes here: the last bits of features depend on the instructions that it has."""

import platform
import re
from functools import cache
from pathlib import Path

_ARITHMETIC = re.compile(r"sse4|avx|fma|f16c|amx|asimd|sve|bf16|i8mm|fphp")


@cache
def cpu() -> str:
    """Its model and its instructions for vectors and matrices: virtual machines hide the one or the other."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    known = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    flags = (known.get("flags") or known.get("Features", "")).split()
    has = sorted({flag for flag in flags if _ARITHMETIC.match(flag)})
    return f"{known.get('model name', platform.machine())} ({', '.join(has)})"
