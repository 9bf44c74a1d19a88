"""A picture's codes, read by Q, and its noise, which nothing reads: searched for through a frozen G.

Not here: what is done with what was found, which is editing and anomalies.
"""

from typing import NamedTuple

import torch

from infogan_helpers.arguments import above, at_least, having, images, instance, network, takes
from infogan_helpers.codes import Codes, CodeSpec
from infogan_helpers.data import as_model_range
from infogan_helpers.evaluation import check_finite, eval_mode, read_codes
from infogan_helpers.priors import continuous_prior, wrapped


class Found(NamedTuple):
    """What G needs to draw given pictures again, and how near it comes.

    Attributes:
        codes: ``Codes`` of ``n`` rows: Q's likeliest classes, means and angles, and the noise that the search ended at.
        images: what G draws from them, floats in [-1, 1], shape ``(n, *image_shape)``.
        error: of each picture, shape ``(n,)``: root mean squared error of its pixels' ink, which runs from 0 to 1.
    """

    codes: Codes
    images: torch.Tensor
    error: torch.Tensor


ANSWER = having("mean", "categorical_logits", "circular", what="Q's answer, a Posterior, or a VAE's")


@takes(posterior=ANSWER, spec=instance(CodeSpec))
def likeliest_codes(posterior, spec):
    """The codes that Q holds likeliest, with noise 0, its prior's mean.

    Args:
        posterior: a ``posteriors.Posterior`` for ``n`` images, or a VAE's.
        spec: the ``CodeSpec`` of the network that answered.

    Returns:
        ``Codes`` of ``n`` rows: the likeliest class of each categorical code; means, brought back into the prior's
        support where they left it; mean angles.

    Raises:
        ValueError: the answer is on codes of another spec, or not finite.
    """
    classes = tuple(logits.shape[1] for logits in posterior.categorical_logits)
    got, wanted = (
        (classes, posterior.mean.shape[1], len(posterior.circular)),
        (spec.categorical, spec.continuous, spec.circular),
    )
    if got != wanted:
        raise ValueError(f"posterior must answer on classes, continuous and circular codes {wanted}, got {got}")
    for answer in (*posterior.categorical_logits, posterior.mean):
        check_finite("posterior", "hold", answer)
    n, support = len(posterior.mean), continuous_prior(spec.continuous_prior).support
    classes = [logits.argmax(dim=1) for logits in posterior.categorical_logits]
    angles = [code.angle for code in posterior.circular]
    return Codes(
        noise=torch.zeros(n, spec.noise),
        categorical=torch.stack(classes, dim=1) if classes else torch.zeros(n, 0, dtype=torch.long),
        continuous=posterior.mean if support is None else posterior.mean.clamp(-support, support),
        circular=wrapped(torch.stack(angles, dim=1)) if angles else None,
    )


@takes(
    generator=network("spec"),
    discriminator_q=network("spec"),
    images=images(None),
    steps=at_least(0),
    learning_rate=above(0),
    batch_size=at_least(1),
)
def find_codes(generator, discriminator_q, images, steps=100, learning_rate=0.1, batch_size=500):
    """Read each picture's codes by Q, and search for the noise with which G draws it best.

    The noise starts at 0 and goes down the squared error by Adam, each picture by itself, while the codes stay as Q
    read them. Nothing is drawn at random, so the same pictures give the same answer, and the networks stay as they are:
    weights, gradients and mode. Without noise (a VAE's decoder and encoder) there is nothing to search for, and the
    pictures are drawn from what was read.

    Args:
        generator, discriminator_q: a trained pair, on one device.
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, *image_shape)``, on any device.
        steps: of the search; 0 keeps noise 0.
        learning_rate: of Adam, in noise, whose prior is N(0, 1).
        batch_size: images per pass.

    Returns:
        ``Found``, on the CPU.

    Raises:
        ValueError: there are no images, they have another shape than the networks take, the two are no pair, or a
            number is out of range.

    Source: Zhu et al. 2016, *Generative Visual Manipulation on the Natural Image Manifold*, who go down from the answer
    of a network too; theirs answers all of z.
    """
    if generator.spec != discriminator_q.spec:
        raise ValueError(
            f"discriminator_q must read the generator's codes, {generator.spec}, got {discriminator_q.spec}"
        )
    codes = likeliest_codes(read_codes(discriminator_q, images, batch_size), generator.spec)
    found = []
    with eval_mode(generator) as device:
        for i in range(0, len(images), batch_size):
            wanted = as_model_range(images[i : i + batch_size].to(device))
            found.append(_searched(generator, codes[i : i + batch_size].to(device), wanted, steps, learning_rate))
    noise, drawn, error = (torch.cat(part).cpu() for part in zip(*found, strict=True))
    check_finite("generator", "draw", drawn)
    return Found(codes.replace(noise=noise), drawn, error)


def _searched(generator, codes, wanted, steps, learning_rate):
    """``(noise, images, error)`` of one batch."""
    noise = codes.noise.clone().requires_grad_()
    optimizer = torch.optim.Adam([noise], lr=learning_rate)
    for _ in range(steps if noise.numel() else 0):
        with torch.enable_grad():  # the caller may have turned gradients off
            drawn = generator(codes.replace(noise=noise))
            # A sum over pictures, so that none's gradient depends on how many are searched for together.
            error = (drawn - wanted).square().flatten(1).mean(dim=1).sum()
        [noise.grad] = torch.autograd.grad(error, [noise])  # backward() would leave gradients in G's weights, too
        optimizer.step()
    with torch.no_grad():
        drawn = generator(codes.replace(noise=noise.detach()))
    return noise.detach(), drawn, (drawn - wanted).square().flatten(1).mean(dim=1).sqrt() / 2  # ink is half as wide
