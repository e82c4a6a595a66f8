"""What the database keeps: uploads, the busy flag, and the worker's last sign of life."""

from .dataset import ARCHIVE, RESULTS, Dataset, Status, file_path, parses_as_number
from .service_state import BusyFlag, WorkerState

__all__ = [
    "ARCHIVE",
    "RESULTS",
    "BusyFlag",
    "Dataset",
    "Status",
    "WorkerState",
    "file_path",
    "parses_as_number",
]
