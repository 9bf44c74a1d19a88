"""The losses of InfoGAN: the adversarial pair, and the lower bound on the information in nats.

Built by hand in notebooks 02 and 03. Everything starts from logits. Not here: weights λ and who steps on what
gradient, which is ``training``.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F

from infogan_helpers.codes import check_classes

SOFTENED = 0.3  # logits count that much where classes are to be kept alive
NEAR = 0.2  # how far uniform answers lie apart that are nearly the same, in radians, where a code's range is a turn
IN_CACHE = 2**19  # numbers
TINY = 1e-8  # of a probability, so that its logarithm is a number


class Nats(NamedTuple):
    """A quantity in nats, for the categorical codes (summed), for the continuous ones (summed), and together."""

    categorical: torch.Tensor
    continuous: torch.Tensor

    @property
    def total(self):
        return self.categorical + self.continuous


def discriminator_loss(real_logit, fake_logit):
    """-E[log D(x)] - E[log(1 - D(G(z)))], each mean over its own batch.

    Args:
        real_logit: D's logits on real images, any shape.
        fake_logit: D's logits on generated images, any shape.

    Returns:
        A scalar tensor; 2 log 2 where D knows nothing.

    Raises:
        ValueError: a batch is empty.

    Source: Goodfellow et al. 2014, eq. 1.
    """
    _check_logits(real_logit=real_logit, fake_logit=fake_logit)
    return F.softplus(-real_logit).mean() + F.softplus(fake_logit).mean()


def generator_loss(fake_logit):
    """-E[log D(G(z))], the non-saturating form: its gradient stays large while D wins.

    Args:
        fake_logit: D's logits on generated images, any shape.

    Returns:
        A scalar tensor; log 2 where D knows nothing.

    Raises:
        ValueError: the batch is empty.

    Source: Goodfellow et al. 2014, section 3.
    """
    _check_logits(fake_logit=fake_logit)
    return F.softplus(-fake_logit).mean()


def code_log_likelihood(posterior, codes):
    """log Q(c | x) of the codes that made each image, in nats.

    Args:
        posterior: Q's answer, a ``networks.Posterior`` for ``n`` images; categorical logits *before* softmax. Softmax
            them first and ten classes can never bring back more than 0.84 of their 2.30 nats.
        codes: the ``Codes`` that made the images, ``n`` rows.

    Returns:
        ``Nats(categorical, continuous)``, each of shape ``(n,)`` and summed over its codes; 0 where there are none. The
        continuous part is a density, so it may be positive.

    Raises:
        ValueError: the shapes disagree, or a class lies outside its code.

    Source: Chen et al. 2016, section 6: softmax for a categorical code, a factored Gaussian for continuous ones.
    """
    categorical, continuous = _log_likelihood_by_code(posterior, codes)
    return Nats(categorical.sum(dim=1), continuous.sum(dim=1))


def lower_bound(posterior, codes, spec, read_from=None):
    """L_I = E[log Q(c | x)] + H(c), the lower bound on I(c; G(c, n)), in nats.

    Args:
        posterior: Q's answer for ``n`` images, logits before softmax.
        codes: the ``Codes`` that made them.
        spec: the ``CodeSpec`` they were drawn from; it supplies H(c), which has no gradient but belongs in the number.
        read_from: which images each code is read from, booleans of shape ``(n, codes)``, categorical codes first; all
            of them where it is ``None``.

    Returns:
        ``Nats(categorical, continuous)`` of scalars, with ``.total``. The categorical part is at most
        ``spec.entropy().categorical``; with a fixed variance of 1 the continuous part is at most -0.226 a uniform code.

    Raises:
        ValueError: there are no codes, the shapes disagree with each other or with the spec, a class lies outside its
            code, or ``read_from`` leaves a code without an image.

    Source: Chen et al. 2016, eq. 4 and 5.
    """
    spec.check(codes)
    if len(codes) == 0:
        raise ValueError("codes must have at least one row to average over, got none")
    classes = tuple(logits.shape[-1] for logits in posterior.categorical_logits)
    if classes != spec.categorical:
        raise ValueError(f"posterior.categorical_logits must have the spec's classes {spec.categorical}, got {classes}")
    by_code = torch.cat(_log_likelihood_by_code(posterior, codes), dim=1)
    if read_from is None:
        means = by_code.mean(dim=0)
    else:
        if read_from.shape != by_code.shape or read_from.dtype != torch.bool:
            raise ValueError(
                f"read_from must be booleans of shape {tuple(by_code.shape)}, "
                f"got {read_from.dtype} of shape {tuple(read_from.shape)}"
            )
        if read_from.device.type == "cpu" and not read_from.any(dim=0).all():
            raise ValueError("read_from must mark at least one image for each code")
        means = (by_code * read_from).sum(dim=0) / read_from.sum(dim=0)
    entropy, first_continuous = spec.entropy(), len(spec.categorical)
    return Nats(
        means[:first_continuous].sum() + entropy.categorical, means[first_continuous:].sum() + entropy.continuous
    )


def answer_information(logits):
    """I(ĉ; x) between a batch of images and a classifier's answers, in nats: H(mean answer) - mean H(answer).

    Large where each answer is sure and all classes are answered equally often; no label is needed.

    Args:
        logits: the answers before softmax, shape ``(n, classes)``.

    Returns:
        A scalar between 0 and ``log(classes)``.

    Raises:
        ValueError: ``logits`` have another shape, or no row.

    Source: Bridle, Heading & MacKay 1991; Krause, Perona & Gomes 2010 (RIM).
    """
    _check_answers(logits)
    log_answers = logits.log_softmax(dim=1)
    log_mean = log_answers.logsumexp(dim=0) - math.log(len(logits))
    entropy_of_mean = -(log_mean.exp() * log_mean).sum()  # first: gradients add up in this order, to the last bit
    return entropy_of_mean + (log_answers.exp() * log_answers).sum(dim=1).mean()


def answer_unevenness(logits, beside):
    """How far classes are from being answered equally often, whatever the answer on other codes is, in nats.

    For each image: log(classes) - H(mean answer of the images that have nearly the same other answers); then the mean.
    Codes are independent in the prior. Answers that are not can divide one code's range among the classes of another.
    ``answer_information`` asks for even classes as well, but a sure answer has no slope: a class that lost its last
    image never comes back. So the answers are softened here, their logits multiplied by ``SOFTENED``.

    Args:
        logits: the answers before softmax, shape ``(n, classes)``.
        beside: the answers on uniform codes, in [-1, 1], shape ``(n, codes)``; no gradient flows to them. Rows count as
            near within about ``NEAR``. No column: all rows are near.

    Returns:
        A scalar between 0 and ``log(classes)``.

    Raises:
        ValueError: ``logits`` have another shape, or no row, or ``beside`` has another number of rows.

    Source: the class-balance term of Krause, Perona & Gomes 2010 (RIM), with a temperature, near each image.
    """
    _check_answers(logits)
    if beside.ndim != 2 or len(beside) != len(logits):
        raise ValueError(f"beside must have shape ({len(logits)}, codes), got {tuple(beside.shape)}")
    angles = math.pi * (beside[:, None] - beside).detach()
    near = (-((angles / NEAR) ** 2).sum(dim=2) / 2).softmax(dim=1)  # each row's weights on all rows sum to 1
    mean = near @ (SOFTENED * logits).softmax(dim=1)
    return math.log(logits.shape[1]) + (mean * mean.clamp_min(TINY).log()).sum(dim=1).mean()


def answer_spread(means):
    """How far a batch of continuous answers is from even on [-1, 1]: the squared distance of 1-D optimal transport.

    Args:
        means: the answers, shape ``(n,)``.

    Returns:
        A scalar: the mean squared distance of the answers, in order, from the middles of ``n`` equal steps; 0 where
        they are those, 1/3 (nearly) where all are 0.

    Raises:
        ValueError: ``means`` have another shape, or no entry.

    Source: squared 2-Wasserstein distance on the line; Peyré & Cuturi 2019, remark 2.30.
    """
    if means.ndim != 1 or len(means) == 0:
        raise ValueError(f"means must have shape (n,) with n of at least 1, got {tuple(means.shape)}")
    steps = (2 * torch.arange(len(means), device=means.device) + 1) / len(means) - 1
    return (means.sort().values - steps).square().mean()


def distance_disagreement(answers, shown):
    """1 - the correlation, over all pairs, of how far answers lie apart and how far what they answer lies apart.

    Without it a continuous answer may be spread, sure and folded: the same for two things that are not alike.

    Args:
        answers: shape ``(n, …)``; a mean a row, or a row of probabilities.
        shown: what was asked about, shape ``(n, …)``; no gradient flows to it.

    Returns:
        A scalar between 0 and 2; 1 where all answers are the same.

    Raises:
        ValueError: the two have different lengths, or fewer than three rows.

    Source: distances kept as in multidimensional scaling, Kruskal 1964.
    """
    if len(answers) != len(shown) or len(answers) < 3:
        raise ValueError(f"answers and shown must be as many, at least 3, got {len(answers)} and {len(shown)}")
    here, there = _distances(answers), _distances(shown.detach())
    here, there = here - here.mean(), there - there.mean()
    return 1 - (here * there).mean() / (here.square().mean() * there.square().mean() + 1e-12).sqrt()


def _distances(rows):
    """Euclidean distances of all pairs, each pair once; so many at a time that they stay in the cache."""
    pairs = torch.triu_indices(len(rows), len(rows), 1, device=rows.device)
    rows = rows.reshape(len(rows), -1)
    at_once = max(1, IN_CACHE // rows.shape[1])
    squares = [
        (rows.index_select(0, i) - rows.index_select(0, j)).square().sum(dim=1) for i, j in pairs.split(at_once, dim=1)
    ]
    return (torch.cat(squares) + 1e-8).sqrt()


def _log_likelihood_by_code(posterior, codes):
    """log Q in nats of each code: categorical ones, shape ``(n, codes)``, and continuous ones, likewise."""
    _check_fit(posterior, codes)
    categorical = [
        -F.cross_entropy(logits, classes.long(), reduction="none")
        for logits, classes in zip(posterior.categorical_logits, codes.categorical.unbind(1), strict=True)
    ]
    categorical = torch.stack(categorical, dim=1) if categorical else codes.continuous.new_zeros(len(codes), 0)
    scaled = (codes.continuous - posterior.mean).square() * torch.exp(-posterior.log_variance)
    return categorical, -0.5 * (math.log(2 * math.pi) + posterior.log_variance + scaled)


def _check_answers(logits):
    if logits.ndim != 2 or len(logits) == 0:
        raise ValueError(f"logits must have shape (n, classes) with n of at least 1, got {tuple(logits.shape)}")


def _check_logits(**logits):
    for name, value in logits.items():
        if value.numel() == 0:
            raise ValueError(f"{name} must hold at least one logit, got shape {tuple(value.shape)}")


def _check_fit(posterior, codes):
    logits, expected = posterior.categorical_logits, codes.categorical.shape
    if len(logits) != expected[1]:
        raise ValueError(
            f"posterior.categorical_logits must have one tensor per code ({expected[1]}), got {len(logits)}"
        )
    for i, tensor in enumerate(logits):
        if tensor.ndim != 2 or len(tensor) != len(codes):
            raise ValueError(
                f"posterior.categorical_logits[{i}] must have shape ({len(codes)}, classes), got {tuple(tensor.shape)}"
            )
    for name in ("mean", "log_variance"):
        shape = getattr(posterior, name).shape
        if shape != codes.continuous.shape:
            raise ValueError(f"posterior.{name} must have shape {tuple(codes.continuous.shape)}, got {tuple(shape)}")
    check_classes(codes.categorical, [tensor.shape[1] for tensor in logits])
