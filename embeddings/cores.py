"""Jobs shared by all cores, with the same results on any number of them."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


def on_every_core(work: Callable[[Job], Result], jobs: Iterable[Job]) -> list[Result]:
    """What `work` returns for each job, in their order; it should let go of the interpreter, as NumPy does.

    Each matrix product within runs on one core: the last bits of its result would depend on their number otherwise.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="core") as pool:
        return list(pool.map(work, jobs))
