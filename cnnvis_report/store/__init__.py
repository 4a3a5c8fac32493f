"""The run folder: whole or not there, one writer at a time, and read as a stranger's."""

from cnnvis_report.store.files.names import NETWORK, SNAPSHOTS, array_key
from cnnvis_report.store.run_folder import StoredRun, load_arrays, load_inspection, load_run
from cnnvis_report.store.writer import RunWriter

__all__ = ["NETWORK", "SNAPSHOTS", "RunWriter", "StoredRun", "array_key", "load_arrays", "load_inspection", "load_run"]
