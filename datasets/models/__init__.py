"""What the database keeps: uploads, what else is to be computed of collections, the busy flag, and the worker's last
sign of life."""

from .catalogue import Catalogue
from .dataset import Dataset
from .dataset_files import ARCHIVE, RESULTS, file_path
from .dataset_queries import Status
from .derived_result import DerivedResult
from .service_state import BusyFlag, WorkerState
from .stored_folder import CATALOGUE, COLLECTIONS, DATASETS, QUERIES, NotStored, StoredFolder

__all__ = [
    "ARCHIVE",
    "CATALOGUE",
    "COLLECTIONS",
    "DATASETS",
    "QUERIES",
    "RESULTS",
    "BusyFlag",
    "Catalogue",
    "Dataset",
    "DerivedResult",
    "NotStored",
    "Status",
    "StoredFolder",
    "WorkerState",
    "file_path",
]
