"""Loaded by pytest before Django's settings: tests never see the data folder of the server that runs beside them."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.support import postgresql, prepared_cache

SESSION = Path(tempfile.mkdtemp(prefix="wwzd-tests-"))
"""A folder for each test process."""
CACHE = SESSION / "cache"
atexit.register(shutil.rmtree, SESSION, ignore_errors=True)

for name in [name for name in os.environ if name.startswith(("MAX_", "RESNET50_", "WWZD_"))]:
    del os.environ[name]
os.environ.update(
    DATA_DIR=str(SESSION / "data"),
    CACHE_DIR=str(CACHE),
    BACKBONE="efficientnet_lite0",
    SPACE="auto",
    PRECISION="fp32",
    DEVICE="cpu",
    TASKS_BACKEND="immediate",
    DEBUG="0",
    HTTPS="0",
    ALLOWED_HOSTS="*",
)
if "DATABASE_URL" in os.environ:  # the same tests on PostgreSQL
    os.environ.setdefault("SECRET_KEY", postgresql.SECRET_KEY)
if "PYTEST_CURRENT_TEST" not in os.environ:  # a process that a test starts has that test's kernels
    os.environ["NUMBA_CACHE_DIR"] = str(CACHE / "kernels")
is_worker = "PYTEST_XDIST_WORKER" in os.environ
if is_worker:
    # Side by side, each with threads for every core, they would wait for each other.
    os.environ["OMP_NUM_THREADS"] = "1"


def pytest_configure(config: pytest.Config) -> None:
    if config.option.collectonly or config.option.help:
        return
    if not is_worker:
        prepared_cache.prepare()
    if is_worker or not config.getoption("numprocesses", None):
        prepared_cache.copy_to(CACHE)
