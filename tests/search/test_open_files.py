"""A collection of more ranges than a process may have files open by default."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.paths import ROOT

RANGES = 300

_LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (200, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "wwzd.settings"
import django
django.setup()
from pathlib import Path
from datasets.collection.folder import CollectionFolder
print(len(CollectionFolder(path=Path(sys.argv[1])).features(int(sys.argv[2]))))
"""


@pytest.mark.slow
def test_every_range_is_mapped_where_few_files_may_be_open_by_default(tmp_path: Path) -> None:
    (tmp_path / "features").mkdir()
    for number in range(RANGES):
        np.save(tmp_path / "features" / f"{number:03d}.npy", np.zeros((2, 4), np.float32))
    command = [sys.executable, "-c", _LIMITED, str(tmp_path), str(RANGES)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == f"{RANGES}\n", done.stderr
