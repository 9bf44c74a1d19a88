"""The priors that codes are drawn from, and how much there is to know about one code; all in nats.

Each has ``sample(shape, generator, device)`` and ``entropy()``. Not here: which codes there are, which is ``codes``.
"""

import math
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class CategoricalPrior:
    """``classes`` that are equally likely."""

    classes: int

    def sample(self, shape, generator=None, device=None):
        """Integers in ``[0, classes)``."""
        return torch.randint(self.classes, shape, generator=generator, device=device)

    def entropy(self):
        """H(c) of one code: log K."""
        return math.log(self.classes)


@dataclass(frozen=True)
class UniformPrior:
    """Even on [-1, 1]."""

    def sample(self, shape, generator=None, device=None):
        """Floats in [-1, 1)."""
        return 2 * torch.rand(shape, generator=generator, device=device) - 1

    def entropy(self):
        """Differential entropy of one code: log 2."""
        return math.log(2)


@dataclass(frozen=True)
class NormalPrior:
    """N(0, 1)."""

    def sample(self, shape, generator=None, device=None):
        """Floats."""
        return torch.randn(shape, generator=generator, device=device)

    def entropy(self):
        """Differential entropy of one code: half of log 2πe."""
        return 0.5 * math.log(2 * math.pi * math.e)


@dataclass(frozen=True)
class CircularPrior:
    """An angle that is even on the circle."""

    def sample(self, shape, generator=None, device=None):
        """Radians in (-π, π]."""
        return math.pi * (1 - 2 * torch.rand(shape, generator=generator, device=device))

    def entropy(self):
        """Differential entropy of one code: log 2π."""
        return math.log(2 * math.pi)


CONTINUOUS_PRIORS = {"uniform": UniformPrior(), "normal": NormalPrior()}


def wrapped(angles):
    """The same directions as angles in (-π, π]; an angle that lies there already keeps its bits.

    Args:
        angles: radians, floats of any shape.
    """
    return angles - 2 * math.pi * torch.ceil((angles - math.pi) / (2 * math.pi))


def noise_between(seeds, between, columns):
    """Noise on the way from one seed's draw to another's.

    The way is a quarter of a circle, ``cos(t π/2) a + sin(t π/2) b``: each point on it is distributed as a draw of
    N(0, 1) is, while the straight line's middle lies nearer to the origin than almost any draw.

    Args:
        seeds: of the two draws.
        between: where on the way, in [0, 1].
        columns: how many dimensions.

    Returns:
        Floats, shape ``(1, columns)``, on the CPU.
    """
    start, end = (torch.randn(1, columns, generator=torch.Generator().manual_seed(seed)) for seed in seeds)
    angle = between * math.pi / 2
    return math.cos(angle) * start + math.sin(angle) * end
