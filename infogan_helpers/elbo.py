"""The two halves of a VAE's bound and what the second one is made of, in nats; estimates of total correlation.

Built by hand in notebook 09. Not here: weights on these terms and who steps on what gradient, which are the methods.
"""

import math
from typing import NamedTuple

import torch

from infogan_helpers.arguments import RANDOM, at_least, floats, takes

SURE = 1e-7  # ink is taken to be at least this far from 0 and 1, where single precision ends: 16 nats for a wrong pixel


@takes(mean=floats(), log_variance=floats())
def gaussian_kl(mean, log_variance):
    """KL(N(μ, σ²) ‖ N(0, 1)) of each latent, in nats.

    Args:
        mean: μ, shape ``(n, latents)``.
        log_variance: log σ², same shape.

    Returns:
        Shape ``(n, latents)``, at least 0. Its mean over images, summed over latents, is the *rate*, an upper bound on
        I(z; x) of what the encoder reads.

    Raises:
        ValueError: the shapes disagree.

    Source: Kingma & Welling 2014, appendix B.
    """
    _check_pair(mean, log_variance)
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


@takes(pictures=floats(), images=floats())
def bernoulli_log_likelihood(pictures, images):
    """log p(x | z) in nats, a pixel's ink in [0, 1] being how likely it is to be black.

    Args:
        pictures: the decoder's, in [-1, 1], shape ``(n, …)``.
        images: in [-1, 1], same shape. A grey pixel counts as a coin that shows black in that share of throws: then
            even a perfect decoder is left with the entropy of those coins.

    Returns:
        Shape ``(n,)``, summed over pixels; at most 0. Minus its mean is the *distortion*.

    Raises:
        ValueError: the shapes disagree.

    Source: Kingma & Welling 2014, appendix C.1.
    """
    if pictures.shape != images.shape:
        raise ValueError(
            f"pictures and images must have one shape, got {tuple(pictures.shape)} and {tuple(images.shape)}"
        )
    ink, wanted = ((x.flatten(1) + 1) / 2 for x in (pictures, images))
    ink = ink.clamp(SURE, 1 - SURE)
    return (torch.xlogy(wanted, ink) + torch.xlogy(1 - wanted, 1 - ink)).sum(dim=1)


@takes(mean=floats(), log_variance=floats(), generator=RANDOM)
def reparameterise(mean, log_variance, generator=None):
    """z = μ + σε with ε ~ N(0, 1): a draw whose gradient reaches μ and σ.

    Args:
        mean, log_variance: as in ``gaussian_kl``.
        generator: the ``torch.Generator`` of ε, on the means' device; torch's own where it is ``None``.

    Returns:
        Shape ``(n, latents)``.

    Raises:
        ValueError: the shapes disagree.

    Source: Kingma & Welling 2014, section 2.4.
    """
    _check_pair(mean, log_variance)
    return mean + (0.5 * log_variance).exp() * torch.randn(mean.shape, generator=generator, device=mean.device)


@takes(z=floats("n, latents"), generator=RANDOM)
def permute_dimensions(z, generator=None):
    """Shuffle each latent over the batch by itself: draws from ∏ q(z_j), whatever tied the latents.

    Args:
        z: shape ``(n, latents)``.
        generator: a ``torch.Generator`` on its device; torch's own where it is ``None``.

    Returns:
        The same numbers, column by column; permuting whole rows would leave q(z) as it is.

    Raises:
        ValueError: ``z`` is no matrix.

    Source: Kim & Mnih 2018, algorithm 1.
    """
    order = torch.rand(z.shape, generator=generator, device=z.device).argsort(dim=0)
    return z.gather(0, order)


class RateParts(NamedTuple):
    """The rate in three parts, scalars in nats: they sum to it, but for what is sampled.

    Attributes:
        information: I(z; x), what z knows of the image.
        total_correlation: KL(q(z) ‖ ∏ q(z_j)), what the latents know of each other.
        dimension_wise: Σ KL(q(z_j) ‖ p(z_j)), how far each latent lies from its prior.
    """

    information: torch.Tensor
    total_correlation: torch.Tensor
    dimension_wise: torch.Tensor


@takes(z=floats(), mean=floats(), log_variance=floats(), count=at_least(1))
def rate_parts(z, mean, log_variance, count=1):
    """The three parts of the rate, by minibatch-weighted sampling: q(z) from the encoder's answers on one batch.

    Args:
        z: drawn from q(z | x) of each image of the batch, shape ``(n, latents)``.
        mean, log_variance: the encoder's answers on these images, same shape.
        count: images in the whole data set, as published; 1 makes q(z) the plain mean over the batch. It moves the
            parts by constants, and no gradient.

    Returns:
        ``RateParts``. None of them is to be taken at its word. At ``count=1`` the information is at most ``log(n)``,
        and a larger count adds its logarithm to it, and ``latents - 1`` times that to the total correlation.

    Raises:
        ValueError: the shapes disagree, or ``count`` is no positive integer.

    Source: Chen et al. 2018, eq. 2 and 5.
    """
    _check_pair(mean, log_variance)
    if z.shape != mean.shape:
        raise ValueError(f"z must have the means' shape {tuple(mean.shape)}, got {tuple(z.shape)}")
    of_each = gaussian_log_density(z[:, None], mean, log_variance)  # (n, n, latents): z of row i under answer j
    weight = math.log(len(z) * count)
    log_q = of_each.sum(dim=2).logsumexp(dim=1) - weight
    log_q_each = of_each.logsumexp(dim=1) - weight  # (n, latents)
    log_q_given_x = of_each.diagonal().sum(dim=0)  # diagonal: (latents, n)
    log_prior = gaussian_log_density(z, torch.zeros_like(z), torch.zeros_like(z)).sum(dim=1)
    product = log_q_each.sum(dim=1)
    return RateParts((log_q_given_x - log_q).mean(), (log_q - product).mean(), (product - log_prior).mean())


@takes(z=floats(), mean=floats(), log_variance=floats())
def gaussian_log_density(z, mean, log_variance):
    """log N(z; μ, σ²) of each latent, in nats; shapes broadcast."""
    try:
        torch.broadcast_shapes(*(x.shape for x in (z, mean, log_variance)))
    except RuntimeError:
        shapes = [tuple(x.shape) for x in (z, mean, log_variance)]
        raise ValueError(f"z, mean and log_variance must have shapes that broadcast, got {shapes}") from None
    return -0.5 * ((z - mean).square() * (-log_variance).exp() + log_variance + math.log(2 * math.pi))


def _check_pair(mean, log_variance):
    if mean.ndim != 2 or mean.shape != log_variance.shape:
        raise ValueError(
            "mean and log_variance must have one shape (n, latents), got "
            f"{tuple(mean.shape)} and {tuple(log_variance.shape)}"
        )
