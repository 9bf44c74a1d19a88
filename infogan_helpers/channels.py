"""Channels from continuous codes to one number, so small that their information is known: what a Q is measured on.

Notebook 08 reads them with several Qs. Not here: discrete channels, which are tables and belong to ``information``, and
the Qs, which are ``methods.variational``.
"""

from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from scipy.integrate import trapezoid

from infogan_helpers.arguments import RANDOM, at_least, takes
from infogan_helpers.priors import UniformPrior

CODE_STEPS = {1: 4000, 2: 200}  # of the quadrature, per code: 1 / 100 at most, well below the noise
PICTURE_STEPS = 800
REACH = 8  # standard deviations of the noise beyond the clean pictures, where nothing is left


class Channel(NamedTuple):
    """x = f(c) + noise, with c even on [-1, 1] in each of its dimensions and noise from N(0, ``noise``²).

    Attributes:
        codes: dimensions of c.
        picture: f, from floats of shape ``(n, codes)``, tensor or array, to shape ``(n,)``.
        noise: its standard deviation.
    """

    codes: int
    picture: Callable
    noise: float = 0.15

    @takes(n=at_least(1), generator=RANDOM)
    def sample(self, n, generator=None):
        """``(c, x)``: codes of shape ``(n, codes)`` and their pictures of shape ``(n, 1)``, floats.

        Raises:
            ValueError: ``n`` is no integer of at least 1.
        """
        codes = UniformPrior().sample((n, self.codes), generator)
        return codes, self.picture(codes)[:, None] + self.noise * torch.randn(n, 1, generator=generator)

    def information(self):
        """I(c; x) in nats, to 1e-4: H(x) by quadrature, less H(x | c), which is the noise's ½ log(2πe s²).

        p(x) is the mean of p(x | c) over the midpoints of a grid of codes; H(x) is a trapezoid sum.

        Source: Cover & Thomas, *Elements of Information Theory*, eq. 8.48 and 8.9.
        """
        steps = CODE_STEPS[self.codes]
        midpoints = (np.arange(steps) + 0.5) * 2 / steps - 1
        clean = self.picture(np.array(list(product(midpoints, repeat=self.codes))))
        x = np.linspace(clean.min() - REACH * self.noise, clean.max() + REACH * self.noise, PICTURE_STEPS)
        scale = np.sqrt(2 * np.pi) * self.noise
        density = np.array([np.exp(-(((at - clean) / self.noise) ** 2) / 2).mean() / scale for at in x])
        of_picture = -trapezoid(density * np.log(density), x)
        return float(of_picture - 0.5 * np.log(2 * np.pi * np.e * self.noise**2))


CHANNELS = {
    "symmetric": Channel(1, lambda c: c[:, 0] ** 2),  # the same for c and -c: a posterior of two humps
    "circle": Channel(2, lambda c: c[:, 0] ** 2 + c[:, 1] ** 2),  # the same all round the origin: a ring
    "banana": Channel(2, lambda c: c[:, 1] - c[:, 0] ** 2),  # the same along a parabola: a bent band
}
