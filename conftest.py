"""What all tests and the notebooks' kernels have in common: short trainings, no network, the sample's digits."""

import os
from pathlib import Path

os.environ["INFOGAN_BUDGET"] = "quick"
os.environ["INFOGAN_OFFLINE"] = "1"
os.environ.pop("INFOGAN_DATA", None)
os.environ["OMP_NUM_THREADS"] = "1"  # two kernels at a time: their threads would spin, waiting for each other


def pytest_configure(config):
    """What nbval leaves out when it compares, from whichever folder it is run."""
    config.option.nbval_sanitize_with = str(Path(__file__).resolve().parent / "tests" / "nbval_sanitize.cfg")
