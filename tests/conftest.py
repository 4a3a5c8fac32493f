import os
from pathlib import Path

import pytest
import torch

os.environ.setdefault("TORCH_HOME", "/nonexistent/torch-home")  # no test may find, or fetch, somebody's weights
torch.set_num_threads(max(1, min(2, os.cpu_count() or 1)))

REAL = Path(os.environ.get("CNNVIS_REAL", Path(__file__).parents[2] / "shared" / "real"))


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("gpu") and not torch.cuda.is_available():
            item.add_marker(pytest.mark.skip(reason="no CUDA device"))


@pytest.fixture(scope="session")
def real() -> Path:
    """A real network and real photographs, where there are any."""
    if not (REAL / "squeezenet1_1.safetensors").is_file():
        pytest.skip(f"no real network in {REAL.name}/ beside the project (set CNNVIS_REAL to a folder that has one)")
    return REAL


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.fixture
def targets() -> torch.Tensor:
    return torch.tensor([1, 4, 0])
