"""Losses of answers on views: classes in equal use, answers spread out and as far apart as what they answer.

Known to ``viewed`` and to the notebooks on worlds alone. Not here: views, and who learns from which loss.
"""

import math

import torch

SOFTENED = 0.3  # logits count that much where classes are to be kept alive
NEAR = 0.2  # how far uniform answers lie apart that are nearly the same, in radians, where a code's range is a turn
IN_CACHE = 2**19  # numbers
TINY = 1e-8  # of a probability, so that its logarithm is a number


def class_imbalance(logits, beside):
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
    if logits.ndim != 2 or len(logits) == 0:
        raise ValueError(f"logits must have shape (n, classes) with n of at least 1, got {tuple(logits.shape)}")
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
        answers: shape ``(n, …)``; a mean per row, or a row of probabilities.
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
