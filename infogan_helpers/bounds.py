"""Other bounds on mutual information, from a table of scores: Donsker-Varadhan (MINE), NWJ, InfoNCE; all in nats.

A critic scores n pictures against n codes: row i is picture i, column j is code j, and the pairs that belong together
stand on the diagonal; every other entry is a pair that was drawn apart. Not here: the bound that InfoGAN climbs for its
codes, which is ``losses.lower_bound``, and who learns the critic.
"""

import math

import torch

from infogan_helpers.arguments import floats, number, takes


@takes(log_q=floats("n", rows=1), prior_entropy=number)
def barber_agakov(log_q, prior_entropy):
    """E[log Q(c | x)] + H(c): InfoGAN's L_I, for any Q. It asks for the prior's entropy, and for no second code.

    Args:
        log_q: log Q of the code that made each picture, in nats, shape ``(n,)``.
        prior_entropy: H(c) in nats.

    Returns:
        A scalar. Its expectation is at most I, and I where Q is the posterior; it has no bias, at any ``n``.

    Source: Barber & Agakov 2003; Poole et al. 2019, section 2.1 (arXiv 1905.06922).
    """
    return log_q.mean() + float(prior_entropy)


@takes(scores=floats("n, n", rows=2))
def donsker_varadhan(scores):
    """E[s(x, c)] - log E[exp s(x, c')]: the bound that MINE climbs.

    Args:
        scores: shape ``(n, n)``, pairs that belong together on the diagonal, ``n`` of at least 2.

    Returns:
        A scalar. The best critic is log P(c | x) / P(c) plus any constant. In expectation over all pairs it is at most
        I; from a batch it is no bound, since the logarithm of a sample's mean is too low on average.

    Raises:
        ValueError: ``scores`` have another shape.

    Source: Donsker & Varadhan 1983; Belghazi et al. 2018, section 3 (arXiv 1801.04062); Poole et al. 2019, section 2.2.
    """
    return scores.diagonal().mean() - _log_mean_exp_apart(scores)


@takes(scores=floats("n, n", rows=2))
def nwj(scores):
    """E[s(x, c)] - E[exp(s(x, c') - 1)], after Nguyen, Wainwright and Jordan; also known as f-GAN's KL, or MINE-f.

    Args:
        scores: shape ``(n, n)``, pairs that belong together on the diagonal, ``n`` of at least 2.

    Returns:
        A scalar; its expectation is at most I, at any ``n``, and I for the critic 1 + log P(c | x) / P(c). The
        variance over batches grows with exp(I).

    Raises:
        ValueError: ``scores`` have another shape.

    Source: Nguyen, Wainwright & Jordan 2010; Poole et al. 2019, section 2.2.
    """
    return scores.diagonal().mean() - (_log_mean_exp_apart(scores) - 1).exp()


@takes(scores=floats("n, n", rows=2))
def info_nce(scores):
    """log n minus the cross-entropy of finding, for each picture, its own code among all n.

    Args:
        scores: shape ``(n, n)``, pairs that belong together on the diagonal, ``n`` of at least 2.

    Returns:
        A scalar, never above log n, however large I is: who has to tell n codes apart can show no more. Its
        expectation is at most I.

    Raises:
        ValueError: ``scores`` have another shape.

    Source: van den Oord et al. 2018, eq. 4 and appendix A.1 (arXiv 1807.03748); Poole et al. 2019, section 2.3.
    """
    return scores.log_softmax(dim=1).diagonal().mean() + math.log(len(scores))


def _log_mean_exp_apart(scores):
    """log of the mean of exp(score) over the n² - n pairs that were drawn apart."""
    n = len(scores)
    on_diagonal = torch.eye(n, dtype=torch.bool, device=scores.device)
    return scores.masked_fill(on_diagonal, -math.inf).logsumexp(dim=(0, 1)) - math.log(n * (n - 1))
