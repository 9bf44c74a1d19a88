"""Fixtures of the unit tests."""

import warnings

import matplotlib
import pytest
import torch

from infogan_helpers.data import load_mnist

matplotlib.use("agg")  # no window: Windows and macOS would choose a backend that opens them


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """Small tensors are faster on one thread, and a result does not then depend on how many there are."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def digits():
    """The test digits, ``uint8``."""
    return load_mnist(train=False).images


@pytest.fixture
def warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
