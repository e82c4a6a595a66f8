"""What the database keeps: uploads, the busy flag, and the worker's last sign of life."""

from .dataset import Dataset
from .dataset_files import ARCHIVE, RESULTS, file_path
from .dataset_queries import Status
from .service_state import BusyFlag, WorkerState

__all__ = [
    "ARCHIVE",
    "RESULTS",
    "BusyFlag",
    "Dataset",
    "Status",
    "WorkerState",
    "file_path",
]
