"""What is measured, and against what: `make bench`.

Each module measures one thing both ways, ours and the plain way, on the same inputs in the same run, and prints its
rows as JSON lines; `run` collects them into one table. The plain way is what a competent person writes in an hour with
the usual libraries (`plain`).
"""

import atexit
import os
import shutil
import tempfile

import django

if "DJANGO_SETTINGS_MODULE" not in os.environ:
    # The service's code is called directly too: with a data folder of its own, whatever lies in that of the project.
    data = tempfile.mkdtemp(prefix="wwzd-benchmarks-")
    atexit.register(shutil.rmtree, data, ignore_errors=True)
    os.environ |= {"DJANGO_SETTINGS_MODULE": "wwzd.settings", "DATA_DIR": data}
django.setup()
