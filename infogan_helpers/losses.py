"""The information that Q reads: log-likelihoods of the codes, the lower bound L_I, what answers say; all in nats.

Built by hand in notebooks 02 and 03. Everything starts from logits. Not here: the adversarial pair, which is
``games``, and weights λ and who steps on what gradient, which are the methods.
"""

import math
from typing import NamedTuple

import torch

from infogan_helpers.arguments import ANSWER, floats, instance, maybe, number, takes
from infogan_helpers.codes import Codes, CodeSpec


class Nats(NamedTuple):
    """A quantity in nats, summed over the codes of each kind, and ``total``, over all codes."""

    categorical: torch.Tensor
    continuous: torch.Tensor
    circular: torch.Tensor = torch.zeros(())

    @property
    def total(self):
        return self.categorical + self.continuous + self.circular


@takes(posterior=ANSWER, codes=instance(Codes))
def code_log_likelihood(posterior, codes):
    """log Q(c | x) of the codes that made each image, in nats.

    Args:
        posterior: Q's answer, a ``posteriors.Posterior`` for ``n`` images; categorical logits *before* softmax. Softmax
            them first and ten classes can never bring back more than 0.84 of their 2.30 nats.
        codes: the ``Codes`` that made the images, ``n`` rows.

    Returns:
        ``Nats(categorical, continuous, circular)``, each of shape ``(n,)`` and summed over its codes; 0 where there are
        none. The last two parts are densities, so they may be positive.

    Raises:
        ValueError: the shapes disagree, or a class lies outside its code.

    Source: ``posteriors.Posterior.log_prob``.
    """
    kinds = [part.shape[1] for part in (codes.categorical, codes.continuous, codes.circular)]
    return Nats(*(by_code.sum(dim=1) for by_code in posterior.log_prob(codes).split(kinds, dim=1)))


@takes(posterior=ANSWER, codes=instance(Codes), spec=instance(CodeSpec), read_from=maybe(instance(torch.Tensor)))
def lower_bound(posterior, codes, spec, read_from=None):
    """L_I = E[log Q(c | x)] + H(c), the lower bound on I(c; G(c, n)), in nats.

    Args:
        posterior: Q's answer for ``n`` images, logits before softmax.
        codes: the ``Codes`` that made them.
        spec: the ``CodeSpec`` they were drawn from; it supplies H(c), which has no gradient but belongs in the number.
        read_from: which images each code is read from, booleans of shape ``(n, codes)``, in the order of
            ``spec.names``; all of them where it is ``None``.

    Returns:
        ``Nats(categorical, continuous, circular)`` of scalars, with ``.total``. The categorical part is at most
        ``spec.entropy().categorical``; with a fixed variance of 1 the continuous part is at most -0.226 per uniform
        code, less what codes that go together tell about each other, and with a fixed concentration of 1 the circular
        part at most 0.764 per code.

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
    by_code = posterior.log_prob(codes)
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
    kinds = means.split([len(spec.categorical), spec.continuous, spec.circular])
    return Nats(*(part.sum() + entropy for part, entropy in zip(kinds, spec.entropy(), strict=True)))


@takes(posterior=ANSWER, codes=instance(Codes))
def code_recovery(posterior, codes):
    """Share of categorical codes that Q's most probable class gets right, a scalar; NaN where there are none."""
    shapes = [(len(logits),) for logits in posterior.categorical_logits]
    if shapes != [tuple(column.shape) for column in codes.categorical.unbind(1)]:
        raise ValueError(
            "posterior.categorical_logits must have a tensor per column of codes.categorical, of as many rows, "
            f"got {[rows for (rows,) in shapes]} rows for shape {tuple(codes.categorical.shape)}"
        )
    if not shapes:
        return codes.continuous.new_full((), math.nan)
    guesses = torch.stack([logits.argmax(dim=1) for logits in posterior.categorical_logits], dim=1)
    return (guesses == codes.categorical).float().mean()


@takes(logits=floats("n, classes", rows=1), class_balance=number)
def answer_information(logits, class_balance=1.0):
    """I(ĉ; x) between a batch of images and a classifier's answers, in nats: H(mean answer) - mean H(answer).

    Large where each answer is sure and all classes are answered equally often; no label is needed.

    Args:
        logits: the answers before softmax, shape ``(n, classes)``.
        class_balance: weight of H(mean answer). At 1 the two entropies make mutual information; above 1 evenness counts
            for more than sureness.

    Returns:
        A scalar: at 1, between 0 and ``log(classes)``.

    Raises:
        ValueError: ``logits`` have another shape, or no row.

    Source: Bridle, Heading & MacKay 1991; Krause, Perona & Gomes 2010 (RIM); the weight, Hu et al. 2017 (IMSAT).
    """
    log_answers = logits.log_softmax(dim=1)
    log_mean = log_answers.logsumexp(dim=0) - math.log(len(logits))
    entropy_of_mean = -(log_mean.exp() * log_mean).sum()  # first: gradients add up in this order, to the last bit
    return class_balance * entropy_of_mean + (log_answers.exp() * log_answers).sum(dim=1).mean()
