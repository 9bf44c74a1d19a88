"""Q's answer: a distribution over the codes for each image, and the log-likelihood that it gives to codes, in nats.

Another Q, a mixture or a flow say, is another class with ``categorical_logits``, ``rows`` and ``log_prob``. Not here:
the network that answers, which is ``networks``, and the bound made of the answers, which is ``losses``.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F

from infogan_helpers import checks
from infogan_helpers.arguments import ANSWER, floats, instance, list_of, refuse, takes
from infogan_helpers.codes import Codes, check_classes


class VonMises(NamedTuple):
    """Q(c | x) of one circular code, a bell around the circle; κ plays the part of one over a variance.

    Attributes:
        direction: cosine and sine of the mean angle, shape ``(n, 2)``.
        concentration: κ, above 0, shape ``(n,)``.

    Source: Mardia & Jupp 2000, section 3.5.4.
    """

    direction: torch.Tensor
    concentration: torch.Tensor

    @takes(angles=floats())
    def log_prob(self, angles):
        """Log-density of angles in radians, shape ``(n,)``: κ cos(c - μ) - log(2π I0(κ)), in nats."""
        if angles.ndim != 1 or len(self.concentration) not in (1, len(angles)):
            wanted, got = tuple(self.concentration.shape), tuple(angles.shape)
            raise ValueError(f"angles must be one per image, of shape {wanted}, got shape {got}")
        cosine = self.direction[:, 0] * angles.cos() + self.direction[:, 1] * angles.sin()
        # I0(κ) grows like exp(κ) and would overflow; i0e(κ) is I0(κ) exp(-κ).
        return self.concentration * (cosine - 1) - torch.log(2 * math.pi * torch.special.i0e(self.concentration))

    @property
    def angle(self):
        """Mean angles in radians, in [-π, π], shape ``(n,)``."""
        return torch.atan2(self.direction[:, 1], self.direction[:, 0])

    @property
    def deviation(self):
        """Circular standard deviations in radians, shape ``(n,)``: the square root of -2 log(I1(κ) / I0(κ))."""
        resultant = torch.special.i1e(self.concentration) / torch.special.i0e(self.concentration)
        return (-2 * resultant.log()).sqrt()


def _rows(name, value):
    """A slice, or indices or booleans as a tensor; a list of integers counts as its tensor."""
    if isinstance(value, list) and value and all(map(checks.is_integer, value)):
        return torch.tensor(value)
    kinds = (torch.long, torch.int, torch.bool)
    fits = isinstance(value, torch.Tensor) and value.ndim == 1 and value.dtype in kinds
    wanted = "a slice, or a tensor of indices or booleans of shape (n,)"
    return value if fits or isinstance(value, slice) else refuse(name, wanted, value)


class Posterior(NamedTuple):
    """Q(c | x) for a batch of images, each code by itself.

    Attributes:
        categorical_logits: one tensor per categorical code, shape ``(n, classes)``, before softmax.
        mean: means of the continuous codes, shape ``(n, codes)``.
        log_variance: their log-variances, same shape.
        circular: a ``VonMises`` per circular code.
    """

    categorical_logits: tuple[torch.Tensor, ...]
    mean: torch.Tensor
    log_variance: torch.Tensor
    circular: tuple[VonMises, ...] = ()

    @takes(chosen=_rows)
    def rows(self, chosen):
        """The answers on some of the images: a slice, indices or booleans."""
        logits = tuple(x[chosen] for x in self.categorical_logits)
        circular = tuple(VonMises(*(part[chosen] for part in code)) for code in self.circular)
        return Posterior(logits, self.mean[chosen], self.log_variance[chosen], circular)

    @takes(codes=instance(Codes))
    def log_prob(self, codes):
        """log Q(c | x) of each code, in nats.

        Args:
            codes: the ``Codes`` that made the images, ``n`` rows.

        Returns:
            Shape ``(n, codes)``, in the order of ``CodeSpec.names``.

        Raises:
            ValueError: the shapes disagree, or a class lies outside its code.

        Source: Chen et al. 2016, section 6: softmax for a categorical code, a factored Gaussian for continuous ones.
        """
        _check_fit(self, codes)
        classes, angles = codes.categorical.long().unbind(1), codes.circular.unbind(1)
        categorical = [
            -F.cross_entropy(logits, k, reduction="none")
            for logits, k in zip(self.categorical_logits, classes, strict=True)
        ]
        scaled = (codes.continuous - self.mean).square() * torch.exp(-self.log_variance)
        continuous = -0.5 * (math.log(2 * math.pi) + self.log_variance + scaled)
        circular = [code.log_prob(angle) for code, angle in zip(self.circular, angles, strict=True)]
        return torch.cat([*(x[:, None] for x in categorical), continuous, *(x[:, None] for x in circular)], dim=1)


@takes(posteriors=list_of(ANSWER, 1))
def joined(posteriors):
    """The answers on several batches of images as one ``Posterior``, in order, on the CPU."""
    logits = zip(*(p.categorical_logits for p in posteriors), strict=True)
    circular = zip(*(p.circular for p in posteriors), strict=True)
    return Posterior(
        tuple(torch.cat(pieces).cpu() for pieces in logits),
        torch.cat([p.mean for p in posteriors]).cpu(),
        torch.cat([p.log_variance for p in posteriors]).cpu(),
        tuple(VonMises(*(torch.cat(parts).cpu() for parts in zip(*pieces, strict=True))) for pieces in circular),
    )


def _check_fit(posterior, codes):
    for name, tensors, expected in (
        ("categorical_logits", posterior.categorical_logits, codes.categorical.shape[1]),
        ("circular", posterior.circular, codes.circular.shape[1]),
    ):
        if len(tensors) != expected:
            what = "tensor" if name == "categorical_logits" else "VonMises"
            raise ValueError(f"posterior.{name} must have one {what} per code ({expected}), got {len(tensors)}")
    for i, tensor in enumerate(posterior.categorical_logits):
        if tensor.ndim != 2 or len(tensor) != len(codes):
            raise ValueError(
                f"posterior.categorical_logits[{i}] must have shape ({len(codes)}, classes), got {tuple(tensor.shape)}"
            )
    shapes = {name: (getattr(posterior, name), tuple(codes.continuous.shape)) for name in ("mean", "log_variance")}
    for i, code in enumerate(posterior.circular):
        shapes[f"circular[{i}].direction"] = code.direction, (len(codes), 2)
        shapes[f"circular[{i}].concentration"] = code.concentration, (len(codes),)
    for name, (tensor, shape) in shapes.items():
        if tensor.shape != shape:
            raise ValueError(f"posterior.{name} must have shape {shape}, got {tuple(tensor.shape)}")
    check_classes(codes.categorical, [tensor.shape[1] for tensor in posterior.categorical_logits])
