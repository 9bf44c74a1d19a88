"""Fixtures of the unit tests."""

import matplotlib
import pytest
import torch

matplotlib.use("agg")  # no window: Windows and macOS would choose a backend that opens them


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """Small tensors are faster on one thread, and a result does not then depend on how many there are."""
    torch.set_num_threads(1)
