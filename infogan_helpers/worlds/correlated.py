"""A world whose factors are not independent: one head, whose azimuth and light go together. Not here: other heads."""

import math

import torch

from infogan_helpers import checks
from infogan_helpers.arguments import RANDOM, at_least, takes
from infogan_helpers.worlds.faces import Faces
from infogan_helpers.worlds.world import BY_FACTOR, World

IDENTITY = 0  # of ``Faces``
VARY = ("azimuth", "light")


class LitHead(World):
    """One of the heads of ``Faces``, straight and without expression: only azimuth and light vary, and go together.

    Behind the two factors stand two normal numbers of a given correlation (a Gaussian copula). Each factor by itself is
    even over its values, whatever the correlation; at 0 they are independent.

    Args:
        correlation: of the two normal numbers, in (-1, 1).
        side: of the pictures, in pixels.

    Raises:
        ValueError: ``correlation`` is out of range, or ``side`` is not an integer of at least 8.
    """

    def __init__(self, correlation=0.0, side=16):
        if not checks.is_number(correlation) or not -1 < correlation < 1:
            raise ValueError(f"correlation must be a number in (-1, 1), got {correlation!r}")
        self._faces, self.correlation = Faces(side), correlation
        super().__init__([factor for factor in self._faces.factors if factor.name in VARY], side)

    @takes(n=at_least(0), generator=RANDOM)
    def sample_factors(self, n, generator=None):
        """Draw factors that go together.

        Args:
            n: how many images.
            generator: a ``torch.Generator`` on the CPU; torch's own where it is ``None``.

        Returns:
            Integers, shape ``(n, 2)``, positions in each factor's ``values``.
        """
        normal = torch.randn(n, 2, generator=generator, dtype=torch.float64)
        normal[:, 1] = self.correlation * normal[:, 0] + math.sqrt(1 - self.correlation**2) * normal[:, 1]
        sizes = torch.tensor([len(factor.values) for factor in self.factors])
        return (torch.special.ndtr(normal) * sizes).long().minimum(sizes - 1)

    def file_stem(self):
        return f"lit_head{self.image_shape[1]}-{self.correlation:g}"

    @takes(values=BY_FACTOR)
    def draw(self, values):
        still = torch.zeros_like(values["azimuth"])
        return self._faces.draw(values | {"identity": still + IDENTITY, "elevation": still, "expression": still})
