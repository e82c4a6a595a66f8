"""Django, set up for the benchmarks that call the service's code directly: import it before that."""

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
