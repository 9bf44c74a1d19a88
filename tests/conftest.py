"""Fixtures of the unit tests."""

import importlib.util
import warnings

import matplotlib
import pytest
import torch
from browser import SCREENSHOTS, browser_page, unavailable, what_is_missing

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


@pytest.fixture(scope="session")
def browser_needed():
    """Skips where there is no browser; with ``INFOGAN_BROWSER=required``, as in CI, that is a failure."""
    if missing := what_is_missing():
        unavailable(f"the browser test needs {' and '.join(missing)}")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)


@pytest.fixture
def page(browser_needed):
    """A page in Chromium; nothing may be logged on it as an error."""
    with browser_page() as page:
        yield page


@pytest.fixture
def axe():
    """axe-core, which names what a screen reader stumbles over; skips, or fails, as ``browser_needed``."""
    if importlib.util.find_spec("axe_playwright_python") is None:
        unavailable("the check of accessibility needs the Python package axe-playwright-python")
    from axe_playwright_python.sync_playwright import Axe

    return Axe()
