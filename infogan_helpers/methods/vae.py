"""A VAE, and what β makes of it: an encoder reads, a decoder draws again, and what is read is taxed. No labels here.

Notebook 09 builds the step. With ``beta=1`` and no capacity it is the VAE, with a larger β the β-VAE; a capacity that
grows over the run lets z say more and more. Not here: the networks, the two halves of the bound, and the loop.
"""

from dataclasses import dataclass

from infogan_helpers.arguments import configured
from infogan_helpers.elbo import bernoulli_log_likelihood, gaussian_kl, reparameterise
from infogan_helpers.methods.autoencoders import (
    FINITE,
    Autoencoder,
    AutoencoderConfig,
    StepMetrics,
    decode,
    finish,
    fit_by,
    make_autoencoder,
    step_metrics,
)
from infogan_helpers.methods.players import descend, takes_players
from infogan_helpers.schedules import Ramp, at, weight
from infogan_helpers.training import Method


@dataclass(frozen=True, kw_only=True)
class Config(AutoencoderConfig):
    """Everything that decides a run, apart from the images; see ``AutoencoderConfig`` for the networks.

    A weight is a ``schedules.Ramp``, or a number that stays.

    Args:
        beta: weight of the rate's distance from the capacity.
        capacity: weight, the rate in nats that is not taxed: the loss holds ``beta * |rate - capacity|``. At 0, since
            no rate is negative, that is the β-VAE's loss.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    beta: float | Ramp = 1.0
    capacity: float | Ramp = 0.0

    def __post_init__(self):
        super().__post_init__()
        for name in ("beta", "capacity"):
            object.__setattr__(self, name, weight(name, getattr(self, name)))


@takes_players(Autoencoder, Config)
def train_step(players, real, spec, config, generator=None, done=0.0):
    """One step: encode, draw z, decode; then encoder and decoder move once.

    Args:
        players: the ``Autoencoder``, changed in place.
        real: a batch of images in [-1, 1], shape ``(n, *image_shape)``, on the networks' device.
        spec: the latents; nothing depends on it here.
        config: the ``Config``.
        generator: the ``torch.Generator`` of z, on that device; torch's own where it is ``None``.
        done: share of the run that lies behind, in [0, 1]: scheduled weights depend on it.

    Returns:
        ``StepMetrics``, still on the device.

    Source: Kingma & Welling 2014; Higgins et al. 2017, eq. 4, for β; Burgess et al. 2018, eq. 8, for the capacity.
    """
    beta = at(config.beta, done)

    # Encode, draw z, decode.
    mean, log_variance = players.encoder(real)
    z = reparameterise(mean, log_variance, generator)
    distortion = -bernoulli_log_likelihood(players.decoder(z), real).mean()
    rate = gaussian_kl(mean, log_variance).sum(dim=1).mean()

    # Update encoder and decoder.
    descend({players.optimizer: distortion + beta * (rate - at(config.capacity, done)).abs()})
    return step_metrics(distortion, rate, beta)


METHOD = Method("vae", StepMetrics, FINITE, make_autoencoder, train_step, decode, finish)


def fit(images, config=None, *, device=None, checkpoint=None, callback=None, progress=True):
    """Train a VAE on images, without labels.

    Args:
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, channels, height, width)``; for
            ``architecture="mlp"`` any shape ``(n, …)``.
        config: a ``Config``; its defaults where it is ``None``.
        device, checkpoint, callback, progress: as in ``training.run``, whose errors these are too.

    Returns:
        ``AutoencoderResult(encoder, decoder, history, interrupted)``.
    """
    options = {"device": device, "checkpoint": checkpoint, "callback": callback, "progress": progress}
    return fit_by(METHOD, images, configured(config, Config), **options)
