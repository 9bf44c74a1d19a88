"""What all tests and the notebooks' kernels have in common: short trainings, no network, the sample's digits."""

import os

os.environ["INFOGAN_BUDGET"] = "quick"
os.environ["INFOGAN_OFFLINE"] = "1"
os.environ.pop("INFOGAN_DATA", None)
