"""One forward pass over a batch, and many backward passes through what it recorded."""

from cnnvis_report.isolation.compiler import import_torchvision

import_torchvision()  # before any module here imports it the slow way
