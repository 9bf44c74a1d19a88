"""Gaussians in the plane whose modes can be counted: a ring of 8, a grid of 25. Who finds all of them, and how well?

Scaled to [-1, 1], where generators draw. Not here: who draws, and pictures whose modes a classifier counts, which is
``stacked_digits``.
"""

import math
from typing import NamedTuple

import torch

from infogan_helpers import checks
from infogan_helpers.arguments import RANDOM, at_least, finite, instance, takes

GOOD_WITHIN = 3.0  # standard deviations from the nearest centre; 0.989 of the real points lie there
EDGE = 0.8  # of [-1, 1], where the outermost centres lie: tanh still has a slope there


class Mixture(NamedTuple):
    """Round Gaussians of one size, each as likely as any other.

    Attributes:
        centres: floats, shape ``(modes, 2)``.
        deviation: standard deviation of each Gaussian, in both directions.
    """

    centres: torch.Tensor
    deviation: float


class ModeCount(NamedTuple):
    """What points show of a mixture.

    Attributes:
        caught: modes with at least one good point.
        good: share of points that are good, in [0, 1]: within ``GOOD_WITHIN`` deviations of the nearest centre.
        shares: of all points, those that are good and of each mode, shape ``(modes,)``.
    """

    caught: int
    good: float
    shares: torch.Tensor


def ring():
    """8 Gaussians on a circle, whose deviation is a hundredth of its radius.

    Source: Srivastava et al. 2017 (VEEGAN); the sizes are those of Lin et al. 2018 (PacGAN), scaled.
    """
    angles = 2 * math.pi * torch.arange(8) / 8
    return Mixture(EDGE * torch.stack([angles.cos(), angles.sin()], dim=1), 0.01 * EDGE)


def grid():
    """25 Gaussians at the crossings of five lines and five, whose deviation is a fortieth of the lines' distance.

    Source: as of ``ring``.
    """
    lines = EDGE * torch.arange(-2, 3) / 2
    return Mixture(torch.cartesian_prod(lines, lines), EDGE / 80)


@takes(mixture=instance(Mixture), n=at_least(1), generator=RANDOM)
def sample(mixture, n, generator=None):
    """Draw points.

    Args:
        mixture: a ``Mixture``.
        n: how many.
        generator: a ``torch.Generator``; torch's own where it is ``None``.

    Returns:
        Floats, shape ``(n, 2)``.

    Raises:
        ValueError: ``n`` is not a positive integer.
    """
    checks.integer("n", n, least=1)
    chosen = torch.randint(len(mixture.centres), (n,), generator=generator)
    return mixture.centres[chosen] + mixture.deviation * torch.randn(n, 2, generator=generator)


@takes(mixture=instance(Mixture), points=finite("n, 2"))
def count_modes(mixture, points):
    """How many modes points catch, and how good the points are.

    Args:
        mixture: the ``Mixture`` that they should be of.
        points: floats, shape ``(n, 2)``; 2,500 in the published tables.

    Returns:
        ``ModeCount``.

    Raises:
        ValueError: there are no points, or they have another shape.

    Source: Lin et al. 2018, section 4.1.
    """
    points = points.float()
    distances, nearest = torch.cdist(points, mixture.centres, compute_mode="donot_use_mm_for_euclid_dist").min(dim=1)
    good = nearest[distances <= GOOD_WITHIN * mixture.deviation]
    counts = torch.bincount(good, minlength=len(mixture.centres))
    return ModeCount(int((counts > 0).sum()), len(good) / len(points), counts / len(points))
