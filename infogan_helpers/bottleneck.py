"""The information bottleneck of a small joint distribution: how much a summary can know of y for what it keeps of x.

Notebook 09 draws the curve. Everything is in nats, computed in float64. Not here: entropy and mutual information
(``information``), and any network.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import rel_entr, softmax

from infogan_helpers.arguments import between, list_of, numbers, takes
from infogan_helpers.information import mutual_information

TOLERANCE = 1e-10  # largest change of any probability at which a fixed point counts as found
ROUNDS = 20_000


class Summary(NamedTuple):
    """A summary t of x, and what it knows.

    Attributes:
        encoder: ``q(t | x)``, shape ``(summaries, symbols of x)``; each column is a distribution.
        kept: I(t; x), in nats.
        relevant: I(t; y), in nats; at most ``kept``, and at most I(x; y).
    """

    encoder: np.ndarray
    kept: float
    relevant: float


@takes(joint=numbers(None, 0), encoder=numbers(None, 0))
def summarise(joint, encoder):
    """What a summary keeps of x and knows of y.

    Args:
        joint: ``p(x, y)``, shape ``(symbols of x, symbols of y)``, sums to 1.
        encoder: ``q(t | x)``, shape ``(summaries, symbols of x)``; each column sums to 1.

    Returns:
        ``Summary``.

    Raises:
        ValueError: the shapes disagree, or either is no distribution.
    """
    joint, encoder = joint.astype(float), encoder.astype(float)
    if encoder.ndim != 2 or joint.ndim != 2 or encoder.shape[1] != len(joint):
        raise ValueError(f"encoder must have a column per symbol of x, got shapes {encoder.shape} and {joint.shape}")
    if (joint < 0).any() or not np.isclose(joint.sum(), 1):
        raise ValueError(f"joint must hold probabilities that sum to 1, got sum {joint.sum():.6g}")
    if (encoder < 0).any() or not np.allclose(encoder.sum(axis=0), 1):
        raise ValueError(f"encoder must have columns that sum to 1, got sums {encoder.sum(axis=0).round(6).tolist()}")
    kept = mutual_information(_normalised(encoder * joint.sum(axis=1)))
    return Summary(encoder, kept, mutual_information(_normalised(encoder @ joint)))


@takes(joint=numbers(None, 0), beta=between(0, None), encoder=numbers(None, 0))
def bottleneck(joint, beta, encoder):
    """The summary that is best at a price: a fixed point of I(t; x) - β I(t; y) under Blahut and Arimoto's iteration.

    Each round makes q(t | x) proportional to q(t) exp(-β KL(p(y | x) ‖ q(y | t))), then q(t) and q(y | t) anew. No
    round makes the objective larger; where it ends depends on where it began, as the problem is not convex.

    Args:
        joint: ``p(x, y)``, shape ``(symbols of x, symbols of y)``, sums to 1; every x occurs.
        beta: how many nats of x a nat of y is worth, at least 0.
        encoder: ``q(t | x)`` to begin at, shape ``(summaries, symbols of x)``.

    Returns:
        ``Summary``.

    Raises:
        ValueError: ``beta`` is below 0, an x does not occur, or as in ``summarise``.

    Source: Tishby, Pereira & Bialek 1999, theorem 4; Blahut 1972 and Arimoto 1972 for the iteration.
    """
    joint, (encoder, *_) = joint.astype(float), summarise(joint, encoder)
    of_x = joint.sum(axis=1)
    if not (of_x > 0).all():
        raise ValueError(f"joint must give every x a probability above 0, got {of_x.tolist()}")
    given_x = joint / of_x[:, None]
    for _ in range(ROUNDS):
        weights = encoder @ of_x
        used = weights > 0
        given_t = (encoder[used] @ joint) / weights[used, None]
        price = rel_entr(given_x[None], given_t[:, None]).sum(axis=2)  # KL of every x from every t that is used
        moved = np.zeros_like(encoder)
        moved[used] = softmax(np.log(weights[used])[:, None] - beta * price, axis=0)
        change, encoder = np.abs(moved - encoder).max(), moved
        if change < TOLERANCE:
            break
    return summarise(joint, encoder)


@takes(joint=numbers("x, y", 0), betas=list_of(between(0, None)))
def bottleneck_curve(joint, betas):
    """The best summaries at many prices, each begun at the one before, from the dearest β down.

    Args:
        joint: as in ``bottleneck``.
        betas: prices, in any order; the first summary is x itself.

    Returns:
        A list of ``Summary``, in the order of ``betas``. Above the curve through them lies no summary at all, as far as
        the iteration found the best ones.

    Raises:
        ValueError: as in ``bottleneck``.
    """
    encoder, found = np.eye(len(joint)), {}
    for beta in sorted(betas, reverse=True):
        found[beta] = bottleneck(joint, beta, encoder)
        encoder = found[beta].encoder
    return [found[beta] for beta in betas]


def _normalised(joint):
    """A table whose sum is 1 but for rounding, with that taken off."""
    return joint / joint.sum()
