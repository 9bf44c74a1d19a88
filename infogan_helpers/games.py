"""Adversarial pairs: what D and G play, as a choice, each with the penalty on D that belongs to it.

The standard pair is built by hand in notebook 03. Everything starts from logits; a Wasserstein critic's are its scores.
Not here: the information, which is ``losses``, and who steps on what gradient, which are the methods.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F

from infogan_helpers.arguments import RANDOM, between, floats, function, takes, told

GRADIENT_PENALTY = 10.0  # Gulrajani et al. 2017
R1_GAMMA = 0.3  # Mescheder et al. 2018 have 10, on pictures of 36 times as many pixels
LIGHT_GAMMA = 0.001  # for data with detail of a hundredth, where D has to be steep to see anything


class Game(NamedTuple):
    """One adversarial pair.

    Attributes:
        discriminator: ``(real_logit, fake_logit)`` to D's loss, a scalar.
        generator: ``fake_logit`` to G's loss, a scalar.
        penalty: ``(discriminator_q, real, fake, generator)`` to what is added to D's loss, a scalar; ``generator`` is
            the ``torch.Generator`` of its draws.
    """

    discriminator: Callable
    generator: Callable
    penalty: Callable


@takes(real_logit=floats(), fake_logit=floats())
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


@takes(fake_logit=floats())
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


@takes(real_logit=floats(), fake_logit=floats())
def hinge_discriminator_loss(real_logit, fake_logit):
    """E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]: an image that D judges right by a margin of 1 teaches it nothing.

    Args, Returns, Raises: as in ``discriminator_loss``; 2 where D's logits are 0.

    Source: Lim & Ye 2017; Miyato et al. 2018, eq. 16.
    """
    _check_logits(real_logit=real_logit, fake_logit=fake_logit)
    return F.relu(1 - real_logit).mean() + F.relu(1 + fake_logit).mean()


@takes(real_logit=floats(), fake_logit=floats())
def wasserstein_discriminator_loss(real_logit, fake_logit):
    """E[D(G(z))] - E[D(x)]: less the distance of the two distributions, where D is 1-Lipschitz.

    Args, Returns, Raises: as in ``discriminator_loss``; it has no bound below.

    Source: Arjovsky et al. 2017, eq. 2.
    """
    _check_logits(real_logit=real_logit, fake_logit=fake_logit)
    return fake_logit.mean() - real_logit.mean()


@takes(fake_logit=floats())
def critic_generator_loss(fake_logit):
    """-E[D(G(z))], G's loss in the hinge game and in the Wasserstein game.

    Args, Returns, Raises: as in ``generator_loss``; 0 where D's logits are 0.

    Source: Arjovsky et al. 2017; Miyato et al. 2018, eq. 17.
    """
    _check_logits(fake_logit=fake_logit)
    return -fake_logit.mean()


def no_penalty(discriminator_q, real, fake, generator):
    """0: nothing is asked of D's slope."""
    return 0.0


@takes(discriminator_q=function, real=floats(), fake=floats(), generator=RANDOM)
def gradient_penalty(discriminator_q, real, fake, generator):
    """10 E[(‖∇D(x̂)‖ - 1)²], x̂ at random on the line from a fake to a real image: D's slope should be 1 there.

    Args:
        discriminator_q: called with images, gives ``(logit, posterior)``; without batch norm, since the penalty is on
            each image by itself.
        real: images in [-1, 1], shape ``(n, …)``.
        fake: as many; no gradient flows to G.
        generator: the ``torch.Generator`` of x̂, on the images' device; torch's own where it is ``None``.

    Returns:
        A scalar tensor with a gradient for D.

    Raises:
        ValueError: ``real`` and ``fake`` have different shapes, or another one than D takes.

    Source: Gulrajani et al. 2017, eq. 3 and algorithm 1.
    """
    if real.shape != fake.shape:
        raise ValueError(f"real and fake must have one shape, got {tuple(real.shape)} and {tuple(fake.shape)}")
    way = torch.rand(len(real), *[1] * (real.ndim - 1), generator=generator, device=real.device)
    between = (way * real + (1 - way) * fake.detach()).requires_grad_()
    slope = _slope(discriminator_q, between)
    return GRADIENT_PENALTY * (slope.flatten(1).norm(dim=1) - 1).square().mean()


@takes(discriminator_q=function, real=floats(), gamma=between(0, None))
def r1_penalty(discriminator_q, real, fake, generator, gamma=R1_GAMMA):
    """γ/2 E‖∇D(x)‖² on real images: where the fakes are as good as they, D should be flat.

    Args:
        discriminator_q: called with images, gives ``(logit, posterior)``; without batch norm, since the penalty is on
            each image by itself.
        real: images in [-1, 1], shape ``(n, …)``.
        fake, generator: not looked at.
        gamma: γ.

    Returns:
        A scalar tensor with a gradient for D.

    Source: Mescheder et al. 2018, eq. 9.
    """
    x = real.detach().clone().requires_grad_()
    slope = _slope(discriminator_q, x)
    return gamma / 2 * slope.flatten(1).square().sum(dim=1).mean()


def _slope(discriminator_q, images):
    """The gradient of D's logits with respect to images, itself with a gradient for D."""
    shape = getattr(discriminator_q, "image_shape", images.shape[1:])
    if not images.ndim or tuple(images.shape[1:]) != tuple(shape) or not len(images):
        raise ValueError(f"real must have shape (n, {', '.join(map(str, shape))}), got {tuple(images.shape)}")
    judged = discriminator_q(images)
    if not isinstance(judged, tuple) or not isinstance(judged[0], torch.Tensor):
        raise ValueError(f"discriminator_q must give (logit, posterior) of images, got {told(judged)}")
    (slope,) = torch.autograd.grad(judged[0].sum(), images, create_graph=True)
    return slope


GAMES = {
    "standard": Game(discriminator_loss, generator_loss, no_penalty),
    "r1": Game(discriminator_loss, generator_loss, r1_penalty),
    "r1_light": Game(discriminator_loss, generator_loss, partial(r1_penalty, gamma=LIGHT_GAMMA)),
    "hinge": Game(hinge_discriminator_loss, critic_generator_loss, no_penalty),
    "wasserstein": Game(wasserstein_discriminator_loss, critic_generator_loss, gradient_penalty),
}


def _check_logits(**logits):
    for name, value in logits.items():
        if value.numel() == 0:
            raise ValueError(f"{name} must hold at least one logit, got shape {tuple(value.shape)}")
