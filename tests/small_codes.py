"""Codes that the tests of ``codes`` share: a spec with classes and numbers, seeded draws, what equals what."""

import torch

from infogan_helpers.codes import CodeSpec

SPEC = CodeSpec(categorical=(3, 5), continuous=2, noise=4)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def same(a, b):
    parts = ("noise", "categorical", "continuous", "circular")
    return all(torch.equal(getattr(a, part), getattr(b, part)) for part in parts)
