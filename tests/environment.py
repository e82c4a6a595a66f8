"""Loaded by pytest before Django's settings: tests never see the data folder of the server that runs beside them."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

SESSION = Path(tempfile.mkdtemp(prefix="wwzd-tests-"))
atexit.register(shutil.rmtree, SESSION, ignore_errors=True)

for name in [name for name in os.environ if name.startswith(("MAX_", "RESNET50_", "WWZD_"))]:
    del os.environ[name]
os.environ.update(
    DATA_DIR=str(SESSION / "data"),
    CACHE_DIR=str(SESSION / "cache"),
    BACKBONE="efficientnet_lite0",
    SPACE="auto",
    PRECISION="fp32",
    DEVICE="cpu",
    TASKS_BACKEND="immediate",
    DEBUG="0",
    HTTPS="0",
    ALLOWED_HOSTS="*",
)
