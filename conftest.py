"""What every test run has in common, the notebooks' kernels included: short trainings, no network, no data but the sample."""

import os

os.environ["INFOGAN_BUDGET"] = "quick"
os.environ["INFOGAN_OFFLINE"] = "1"
os.environ.pop("INFOGAN_DATA", None)
