"""What every process does once Django has its settings, and before any other app is ready."""

import os

from django.apps import AppConfig

from . import data_folder, open_files


class ProcessConfig(AppConfig):
    name = "wwzd"

    def ready(self) -> None:
        from django.conf import settings

        # What is uploaded, what is made of it and the database are for this user's eyes only: files 0600, folders 0700.
        os.umask(0o077)
        data_folder.make(settings.DATA_DIR)
        data_folder.make(settings.FILE_UPLOAD_TEMP_DIR)
        open_files.raise_limit(open_files.OF_A_PROCESS)
        # Read by numba itself: where UMAP's compiled kernels are kept.
        os.environ.setdefault("NUMBA_CACHE_DIR", str(settings.CACHE_DIR / "kernels"))
