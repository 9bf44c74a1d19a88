"""Latent codes: which there are, how they are sampled, how much there is to know about them.

Built by hand in notebook 03. Not here: the distributions that they are drawn from, which are ``priors``, and how well a
network reads them back, which is ``losses``.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F

from infogan_helpers import checks
from infogan_helpers.arguments import RANDOM, at_least, device, instance, integers, list_of, maybe, number, takes, told
from infogan_helpers.priors import (
    CategoricalPrior,
    CircularPrior,
    CorrelatedPrior,
    HierarchicalPrior,
    continuous_prior,
    noise_between,
    wrapped,
)


class CodeEntropy(NamedTuple):
    """H(c) in nats, joint over each kind: the ceiling of L_I for the categorical codes, else the differential entropy.

    Where continuous codes depend on the class, theirs is the entropy given the class: the three always sum to H(c).
    """

    categorical: float
    continuous: float
    circular: float


@dataclass(frozen=True)
class Codes:
    """One batch of generator inputs, in parts that stay together.

    Attributes:
        noise: floats, shape ``(n, noise)``.
        categorical: integers, shape ``(n, number of categorical codes)``: the class each code takes.
        continuous: floats, shape ``(n, number of continuous codes)``.
        circular: angles in radians, in (-π, π], shape ``(n, number of circular codes)``; no code where it is left out.

    Raises:
        ValueError: a part is not a matrix, the parts disagree in rows, or categories are not integers.
    """

    noise: torch.Tensor
    categorical: torch.Tensor
    continuous: torch.Tensor
    circular: torch.Tensor | None = None

    def __post_init__(self):
        for name in ("noise", "categorical", "continuous"):
            self._check_part(name)
        if self.circular is None:
            object.__setattr__(self, "circular", self.noise.new_empty(len(self.noise), 0))
        self._check_part("circular")

    def _check_part(self, name):
        part = getattr(self, name)
        if not isinstance(part, torch.Tensor) or part.ndim != 2:
            got = tuple(part.shape) if isinstance(part, torch.Tensor) else type(part).__name__
            raise ValueError(f"{name} must be a tensor of shape (n, columns), got {got}")
        if len(part) != len(self.noise):
            raise ValueError(f"{name} must have as many rows as noise ({len(self.noise)}), got {len(part)}")
        if not (_is_integer(part) if name == "categorical" else part.is_floating_point()):
            wanted = "integers, the class and not its one-hot" if name == "categorical" else "floats"
            raise ValueError(f"{name} must hold {wanted}, got {part.dtype}")

    def __len__(self):
        return len(self.noise)

    def __getitem__(self, rows):
        """The chosen rows as ``Codes``; one row, ``codes[3]``, stays a batch of one."""
        if checks.is_integer(rows) or (isinstance(rows, torch.Tensor) and rows.ndim == 0):
            row = range(len(self))[int(rows)]
            rows = slice(row, row + 1)
        elif isinstance(rows, list):  # torch is about to change what a list of rows means
            rows = torch.tensor(rows)
        return Codes(self.noise[rows], self.categorical[rows], self.continuous[rows], self.circular[rows])

    @takes(device=device)
    def to(self, device):
        """The same codes on another device."""
        return Codes(*(part.to(device) for part in (self.noise, self.categorical, self.continuous, self.circular)))

    def replace(self, *, noise=None, categorical=None, continuous=None, circular=None):
        """A copy with the named part exchanged and the others untouched: the one move behind every traversal."""
        return Codes(
            self.noise if noise is None else noise,
            self.categorical if categorical is None else categorical,
            self.continuous if continuous is None else continuous,
            self.circular if circular is None else circular,
        )

    def sweep_continuous(self, index, values):
        """Each row once per value of one continuous code, everything else held.

        Args:
            index: which continuous code, from 0.
            values: the values that it takes, length ``m``.

        Returns:
            ``Codes`` with ``n * m`` rows: all values of row 0, then all of row 1, …

        Raises:
            ValueError: there is no such code, or the values are not a list of numbers.
        """
        _check_index(index, self.continuous.shape[1], "continuous")
        return self._sweep("continuous", index, _as_list_of(values, self.continuous, "values"))

    def sweep_categorical(self, index, classes):
        """Each row once per class of one categorical code, everything else held.

        Args:
            index: which categorical code, from 0.
            classes: the classes that it takes, length ``m``.

        Returns:
            ``Codes`` with ``n * m`` rows: all classes of row 0, then all of row 1, …

        Raises:
            ValueError: there is no such code, or the classes are not a list of integers.
        """
        _check_index(index, self.categorical.shape[1], "categorical")
        return self._sweep("categorical", index, _as_list_of(classes, self.categorical, "classes"))

    def sweep_circular(self, index, angles):
        """Each row once per angle of one circular code, everything else held.

        Args:
            index: which circular code, from 0.
            angles: the angles that it takes, in radians, length ``m``; full turns are taken off. A sweep once around
                holds one of -π and π, which are the same.

        Returns:
            ``Codes`` with ``n * m`` rows: all angles of row 0, then all of row 1, …

        Raises:
            ValueError: there is no such code, or the angles are not a list of numbers.
        """
        _check_index(index, self.circular.shape[1], "circular")
        return self._sweep("circular", index, wrapped(_as_list_of(angles, self.circular, "angles")))

    def _sweep(self, part, index, values):
        rows = torch.arange(len(self), device=self.noise.device).repeat_interleave(len(values))
        swept = self[rows]
        column = getattr(swept, part).clone()
        column[:, index] = values.repeat(len(self))
        return swept.replace(**{part: column})


@dataclass(frozen=True)
class CodeSpec:
    """Which latent codes a generator takes: z = (c, n), codes that Q must read back and noise that it need not.

    Args:
        categorical: classes of each categorical code: ``(10,)`` is one code of ten classes, ``()`` is none.
        continuous: how many continuous codes.
        noise: how many noise dimensions, drawn from N(0, 1).
        continuous_prior: ``"uniform"`` on [-1, 1], ``"normal"``, N(0, 1), or one of ``priors.JOINT_PRIORS``.
        circular: how many circular codes: angles, even on the circle, whose end is their beginning.
        odd: how many continuous codes, the first, change sign in a mirror (``deep_networks.MirroredDiscriminatorQ``).

    Raises:
        ValueError: a field is out of range, the prior does not fit the codes, or there is no code at all.

    Source: Chen et al. 2016, section 7.1 (MNIST: the defaults).
    """

    categorical: tuple[int, ...] = (10,)
    continuous: int = 2
    noise: int = 62
    continuous_prior: str | CorrelatedPrior | HierarchicalPrior = "uniform"
    circular: int = 0
    odd: int = 0

    def __post_init__(self):
        object.__setattr__(self, "categorical", _class_counts(self.categorical))
        for name in ("continuous", "noise", "circular", "odd"):
            object.__setattr__(self, name, checks.integer(name, getattr(self, name), least=0))
        if self.odd > self.continuous:
            raise ValueError(f"odd must be at most continuous, {self.continuous}, got {self.odd}")
        prior = continuous_prior(self.continuous_prior)
        prior.check(self.categorical, self.continuous)
        if not isinstance(self.continuous_prior, str):
            object.__setattr__(self, "continuous_prior", prior)
        if not self.names:
            raise ValueError("categorical, continuous and circular must not all be empty: Q needs a code, got none")

    @property
    def dim(self):
        """Columns of the generator's input: one-hot categories, continuous codes, two per circular code, noise."""
        return sum(self.categorical) + self.continuous + 2 * self.circular + self.noise

    @property
    def names(self):
        """The codes' names in the paper's order, ``("c1", "c2", "c3")``: categorical, continuous, circular."""
        return tuple(f"c{i + 1}" for i in range(len(self.categorical) + self.continuous + self.circular))

    def entropy(self):
        """H(c) of the priors in nats, ``CodeEntropy(categorical, continuous, circular)``, of all codes of a kind."""
        return CodeEntropy(
            float(sum(CategoricalPrior(k).entropy() for k in self.categorical)),
            math.fsum(continuous_prior(self.continuous_prior).entropies(self.continuous)),
            self.circular * CircularPrior().entropy(),
        )

    @takes(n=at_least(1), generator=RANDOM, device=maybe(device))
    def sample(self, n, generator=None, device=None):
        """Draw ``n`` inputs from the prior.

        Args:
            n: how many.
            generator: a ``torch.Generator``; torch's own where it is ``None``. The draw happens on its device, so that
                one seed gives the same codes wherever they are sent.
            device: where the codes go; the generator's device where it is ``None``.

        Returns:
            ``Codes(noise, categorical, continuous, circular)``.

        Raises:
            ValueError: ``n`` is not a positive integer.
        """
        where = (generator, device if generator is None else generator.device)
        noise = torch.randn(n, self.noise, generator=where[0], device=where[1])
        classes = [CategoricalPrior(k).sample((n, 1), *where) for k in self.categorical]
        categorical = torch.cat(classes, dim=1) if classes else torch.empty(n, 0, dtype=torch.long, device=where[1])
        continuous = continuous_prior(self.continuous_prior).sample((n, self.continuous), *where, categorical)
        codes = Codes(noise, categorical, continuous, CircularPrior().sample((n, self.circular), *where))
        return codes if device is None else codes.to(device)

    @takes(categorical=list_of(at_least(0)), continuous=list_of(number), circular=list_of(number))
    def codes_at(self, categorical=(), continuous=(), seeds=(0, 1), between=0.0, circular=()):
        """One row of chosen codes, with noise on the way from one seed's draw to another's (``priors.noise_between``).

        Args:
            categorical: the class of each categorical code.
            continuous: the value of each continuous code.
            seeds: of the noise vectors at either end.
            between: where on the way, in [0, 1].
            circular: the angle of each circular code, in radians; full turns are taken off.

        Returns:
            ``Codes`` of one row, on the CPU.

        Raises:
            ValueError: too few or too many codes, a class or ``between`` out of range, or a value that is not finite.
        """
        values, angles = (torch.tensor([row], dtype=torch.float32) for row in (continuous, circular))
        classes = torch.tensor([categorical], dtype=torch.long)
        codes = Codes(noise_between(seeds, between, self.noise), classes, values, wrapped(angles))
        self.check(codes)
        return codes

    def encode(self, codes):
        """The generator's input: one-hot categories, continuous codes, cosine and sine of each circular one, noise.

        Returns:
            Floats, shape ``(n, dim)``; codes that do not fit are refused as in ``check``.
        """
        self.check(codes)
        _check_columns(codes, "noise", self.noise, "")
        one_hots = [F.one_hot(codes.categorical[:, i].long(), k) for i, k in enumerate(self.categorical)]
        circular = torch.stack([codes.circular.cos(), codes.circular.sin()], dim=2).flatten(1)
        return torch.cat([*one_hots, codes.continuous, circular, codes.noise], dim=1).to(codes.noise.dtype)

    def check(self, codes):
        """Raise a ``ValueError`` unless ``codes`` have this spec's columns and classes."""
        for name in ("categorical", "continuous", "circular"):
            wanted = len(self.categorical) if name == "categorical" else getattr(self, name)
            _check_columns(codes, name, wanted, ", one per code")
        check_classes(codes.categorical, self.categorical)


@takes(categorical=integers("n, codes", 0), sizes=list_of(at_least(1)))
def check_classes(categorical, sizes):
    """Raise a ``ValueError`` where a class lies outside its code; on a GPU the kernel's own assertion does this.

    Args:
        categorical: integers, shape ``(n, codes)``.
        sizes: classes of each code.
    """
    if categorical.shape[1] != len(sizes):
        raise ValueError(f"codes.categorical must have {len(sizes)} columns, one per code, got {categorical.shape[1]}")
    if categorical.device.type != "cpu" or categorical.numel() == 0:
        return  # Looking at the values would make the GPU wait in every step.
    for i, size in enumerate(sizes):
        low, high = categorical[:, i].aminmax()
        if low < 0 or high >= size:
            wrong = int(low) if low < 0 else int(high)
            raise ValueError(f"codes.categorical must lie in [0, {size}) in column {i}, got {wrong}")


def _class_counts(categorical):
    """``categorical`` as a tuple of ``int``, if it lists class counts."""
    is_list = isinstance(categorical, (tuple, list))
    if not is_list or not all(checks.is_integer(k) and k >= 2 for k in categorical):
        raise ValueError(
            "categorical must be a tuple of class counts of at least 2, such as (10,) for one code of ten classes "
            f"or () for none, got {categorical!r}"
        )
    return tuple(int(k) for k in categorical)


def _check_columns(codes, name, wanted, why):
    got = getattr(instance(Codes)("codes", codes), name).shape[1]
    if got != wanted:
        raise ValueError(f"codes.{name} must have {wanted} columns{why}, got {got}")


def _is_integer(tensor):
    return not (tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool)


def _as_list_of(values, like, name):
    kind = "integers" if _is_integer(like) else "numbers"
    try:
        tensor = torch.as_tensor(values, device=like.device)
        rounded = tensor.to(like.dtype)
    except (TypeError, ValueError, RuntimeError):
        tensor = rounded = torch.empty(())
    if tensor.ndim != 1 or tensor.is_complex() or tensor.dtype == torch.bool or not torch.isfinite(rounded).all():
        raise ValueError(f"{name} must be a list of {kind}, got {told(values)}")
    if _is_integer(like) and not torch.equal(rounded.to(tensor.dtype), tensor):
        raise ValueError(f"{name} must be a list of {kind}, got {told(values)}")
    return rounded


def _check_index(index, available, kind):
    if not checks.is_integer(index) or not 0 <= index < available:
        raise ValueError(f"index must name one of the {available} {kind} codes, counted from 0, got {index!r}")
