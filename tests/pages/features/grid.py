"""Where the feature maps are on the page."""

from cnnvis_report.records.inspection import ImageInspection
from cnnvis_report.store.run_folder import StoredRun

READY = "document.querySelectorAll('[data-grid] button').length > 0"
SAID = "document.querySelector('[data-said]').textContent"
Looked = tuple[StoredRun, ImageInspection]
