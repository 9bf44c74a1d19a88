"""Where a notebook runs and how long it may take: device, seeds, budget.

Not here: anything that knows what a code, an image or a network is.
"""

import os
import random

import numpy as np
import torch

from infogan_helpers import checks


def default_device():
    """CUDA where torch finds it, else the CPU.

    Apple's MPS must be asked for by name: torch 2.4 lacks the gradient of ``grid_sample`` there, which copies and views
    need, and a virtual Mac reports an MPS on which nothing can be allocated.
    """
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def seed_everything(seed):
    """Seed Python, NumPy and torch (all its devices), since a notebook draws from all three.

    Args:
        seed: integer in ``[0, 2**32)``, NumPy's range.

    Raises:
        ValueError: ``seed`` is not such an integer.
    """
    seed = checks.seed("seed", seed)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def isolated_randomness():
    """A context in which torch's random numbers may be seeded and drawn; the caller's go on afterwards as if not."""
    # The devices are named, because torch warns when it has to guess on a machine with several GPUs.
    return torch.random.fork_rng(devices=range(torch.cuda.device_count()))


def budget():
    """How long a training may take: ``"full"``, or ``"quick"`` where ``INFOGAN_BUDGET=quick`` is set.

    Raises:
        ValueError: ``INFOGAN_BUDGET`` holds another word.
    """
    value = os.environ.get("INFOGAN_BUDGET", "") or "full"
    if value not in ("full", "quick"):
        raise ValueError(f"INFOGAN_BUDGET must be 'quick' or 'full' (or unset, which is 'full'), got {value!r}")
    return value


def by_budget(*, full, quick):
    """``full`` at the full budget, ``quick`` at the quick one: ``steps = by_budget(full=4000, quick=400)``."""
    return full if budget() == "full" else quick
