"""The run folder: whole or not there, one writer at a time, and read as a stranger's."""

from cnnvis_report.store.names import FILMS, NETWORK, array_key
from cnnvis_report.store.run_folder import StoredRun, load_arrays, load_inside, load_run
from cnnvis_report.store.writer import RunWriter

__all__ = ["FILMS", "NETWORK", "RunWriter", "StoredRun", "array_key", "load_arrays", "load_inside", "load_run"]
