"""The priors that codes are drawn from, and how much there is to know about them; all in nats.

A categorical or a circular prior is of one code, and has ``sample(shape, generator, device)`` and ``entropy()``. A
continuous prior is of all continuous codes of a spec together:

- ``sample(shape, generator, device, classes)``, where ``classes`` are the categorical codes of the same rows;
- ``entropies(codes)``, H of each code given the class and the codes before it, whose sum is the joint entropy;
- ``check(categorical, continuous)``, which refuses a spec that it does not fit;
- ``support``: its codes lie in [-support, support]; ``None`` where they may lie anywhere.

Not here: which codes there are, which is ``codes``.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

import torch

from infogan_helpers import checks
from infogan_helpers.arguments import (
    RANDOM,
    at_least,
    between,
    device,
    floats,
    integers,
    list_of,
    maybe,
    refuse,
    seed,
    takes,
)

CLASSES = integers("n, codes", 0)


def _shape(name, value):
    """A tuple of sizes, as of a tensor."""
    fits = isinstance(value, (tuple, list)) and value and all(checks.is_integer(n) and n >= 0 for n in value)
    return tuple(value) if fits else refuse(name, "a shape, a tuple of integers of at least 0", value)


@dataclass(frozen=True)
class CategoricalPrior:
    """``classes`` that are equally likely."""

    classes: int

    @takes(shape=_shape, generator=RANDOM, device=maybe(device))
    def sample(self, shape, generator=None, device=None):
        """Integers in ``[0, classes)``."""
        return torch.randint(self.classes, shape, generator=generator, device=device)

    def entropy(self):
        """H(c) of one code: log K."""
        return math.log(self.classes)


@dataclass(frozen=True)
class UniformPrior:
    """Each code even on [-1, 1], and independent of all others."""

    support = 1

    @takes(shape=_shape, generator=RANDOM, device=maybe(device), classes=maybe(CLASSES))
    def sample(self, shape, generator=None, device=None, classes=None):
        """Floats in [-1, 1), shape ``(n, codes)``."""
        return 2 * torch.rand(shape, generator=generator, device=device) - 1

    @takes(codes=at_least(0))
    def entropies(self, codes):
        """Differential entropy of each code: log 2."""
        return (math.log(2),) * codes

    @takes(categorical=list_of(at_least(2)), continuous=at_least(0))
    def check(self, categorical, continuous):
        """Every spec will do."""


@dataclass(frozen=True)
class NormalPrior:
    """Each code from N(0, 1), and independent of all others."""

    support = None

    @takes(shape=_shape, generator=RANDOM, device=maybe(device), classes=maybe(CLASSES))
    def sample(self, shape, generator=None, device=None, classes=None):
        """Floats, shape ``(n, codes)``."""
        return torch.randn(shape, generator=generator, device=device)

    @takes(codes=at_least(0))
    def entropies(self, codes):
        """Differential entropy of each code: half of log 2πe."""
        return (0.5 * math.log(2 * math.pi * math.e),) * codes

    @takes(categorical=list_of(at_least(2)), continuous=at_least(0))
    def check(self, categorical, continuous):
        """Every spec will do."""


@dataclass(frozen=True)
class CorrelatedPrior:
    """The first two codes go together; each code by itself is even on [-1, 1], and all others are independent.

    A Gaussian copula: two normal numbers of a given correlation, each put where it stands among normal numbers,
    ``2 Φ(g) - 1``.

    Args:
        correlation: ρ of the normal numbers, in (-1, 1). The codes' own is ``6/π arcsin(ρ/2)``: 0.891 for 0.9.

    Raises:
        ValueError: ``correlation`` is out of range.

    Source: Nelsen 2006, section 2.3 (copulas); the entropy is that of two even codes less the information of two
    normal numbers, Cover & Thomas 2006, section 8.5.
    """

    correlation: float

    support = 1

    def __post_init__(self):
        if not checks.is_number(self.correlation) or not -1 < self.correlation < 1:
            raise ValueError(f"correlation must be a number in (-1, 1), got {self.correlation!r}")

    @takes(shape=_shape, generator=RANDOM, device=maybe(device), classes=maybe(CLASSES))
    def sample(self, shape, generator=None, device=None, classes=None):
        """Floats in [-1, 1], shape ``(n, codes)``."""
        normal = torch.randn(shape, generator=generator, device=device)
        first, second = normal[:, 0], normal[:, 1]
        normal[:, 1] = self.correlation * first + math.sqrt(1 - self.correlation**2) * second
        return _placed(normal)

    @takes(codes=at_least(0))
    def entropies(self, codes):
        """log 2 of each code; of the second, given the first, less by ``-½ log(1 - ρ²)``."""
        told = -0.5 * math.log(1 - self.correlation**2)
        return (math.log(2), math.log(2) - told, *(math.log(2),) * (codes - 2))

    @takes(categorical=list_of(at_least(2)), continuous=at_least(0))
    def check(self, categorical, continuous):
        """Raise a ``ValueError`` where there are fewer than two continuous codes."""
        if continuous < 2:
            raise ValueError(f"continuous must be at least 2 where continuous_prior is {self}, got {continuous}")


@dataclass(frozen=True)
class HierarchicalPrior:
    """First the class, then style given the class: all continuous codes lie about the place of the first class.

    ``2 Φ(√s z + √(1 - s) e) - 1``, where z is the place of the class and e a normal number of each code's own. The
    places are those of the middles of equal shares of N(0, 1), scaled to a variance of 1. Over all classes the numbers
    of two codes have variance 1 and correlation s, and each code is nearly even; within a class they are independent.

    Args:
        classes: of the first categorical code.
        shared: s, the share of each code's variance that the class decides, in [0, 1).

    Raises:
        ValueError: an argument is out of range.
    """

    classes: int
    shared: float

    support = 1

    def __post_init__(self):
        checks.integer("classes", self.classes, least=2)
        if not checks.is_number(self.shared) or not 0 <= self.shared < 1:
            raise ValueError(f"shared must be a number in [0, 1), got {self.shared!r}")

    @takes(device=maybe(device))
    def places(self, device=None):
        """z of each class, shape ``(classes,)``: mean 0, variance 1, rising."""
        middles = (torch.arange(self.classes, device=device, dtype=torch.float64) + 0.5) / self.classes
        normal = torch.special.ndtri(middles)
        return (normal / normal.square().mean().sqrt()).float()

    @takes(shape=_shape, generator=RANDOM, device=maybe(device), classes=maybe(CLASSES))
    def sample(self, shape, generator=None, device=None, classes=None):
        """Floats in [-1, 1], shape ``(n, codes)``; ``classes`` are integers, shape ``(n, categorical codes)``."""
        classes = CLASSES("classes", classes)
        if len(classes) != shape[0] or not classes.shape[1]:
            raise ValueError(f"classes must have shape ({shape[0]}, categorical codes), got {tuple(classes.shape)}")
        own = torch.randn(shape, generator=generator, device=device)
        place = self.places(device)[classes[:, :1]]
        return _placed(math.sqrt(self.shared) * place + math.sqrt(1 - self.shared) * own)

    @takes(codes=at_least(0))
    def entropies(self, codes):
        """Of each code given the class, on average over the classes: ``log 2 + ½ log(1 - s)``, exactly.

        The entropy of a normal number of variance 1 - s, and the mean of ``log 2 φ(g)``, which is ``log 2 - ½ log 2πe``
        because g has mean square 1 over all classes.
        """
        return (math.log(2) + 0.5 * math.log(1 - self.shared),) * codes

    @takes(categorical=list_of(at_least(2)), continuous=at_least(0))
    def check(self, categorical, continuous):
        """Raise a ``ValueError`` where the first categorical code has other classes, or there is none."""
        if categorical[:1] != [self.classes]:
            raise ValueError(
                f"categorical must begin with {self.classes} classes where continuous_prior is {self}, "
                f"got {tuple(categorical)}"
            )


@dataclass(frozen=True)
class CircularPrior:
    """An angle that is even on the circle."""

    @takes(shape=_shape, generator=RANDOM, device=maybe(device))
    def sample(self, shape, generator=None, device=None):
        """Radians in (-π, π]."""
        return math.pi * (1 - 2 * torch.rand(shape, generator=generator, device=device))

    def entropy(self):
        """Differential entropy of one code: log 2π."""
        return math.log(2 * math.pi)


CONTINUOUS_PRIORS = {"uniform": UniformPrior(), "normal": NormalPrior()}  # those without numbers of their own, by name
JOINT_PRIORS = (CorrelatedPrior, HierarchicalPrior)


def continuous_prior(value):
    """The prior that a spec's field of this name stands for.

    Args:
        value: a key of ``CONTINUOUS_PRIORS``, one of ``JOINT_PRIORS``, or a mapping of its fields, as cards store it.

    Returns:
        The prior.

    Raises:
        ValueError: it is none of these, or the prior refuses its fields.
    """
    if isinstance(value, JOINT_PRIORS):
        return value
    if isinstance(value, str) and value in CONTINUOUS_PRIORS:
        return CONTINUOUS_PRIORS[value]
    for prior in JOINT_PRIORS:
        if isinstance(value, Mapping) and set(value) == {field.name for field in fields(prior)}:
            return prior(**value)
    raise ValueError(
        "continuous_prior must be 'uniform' or 'normal', a CorrelatedPrior or a HierarchicalPrior, or a mapping of its "
        f"fields, got {value!r}"
    )


def _placed(normal):
    """Where normal numbers stand among all of them, as even numbers: 2 Φ(g) - 1, in [-1, 1]."""
    return torch.erf(normal / math.sqrt(2))


@takes(angles=floats())
def wrapped(angles):
    """The same directions as angles in (-π, π]; an angle that lies there already keeps its bits.

    Args:
        angles: radians, floats of any shape.
    """
    return angles - 2 * math.pi * torch.ceil((angles - math.pi) / (2 * math.pi))


@takes(seeds=list_of(seed, 2), between=between(0, 1), columns=at_least(0))
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
