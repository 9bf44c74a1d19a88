"""β-TCVAE: of the three parts of a VAE's rate, only what the latents know of each other is taxed more than once.

The page of ``vae``; q(z) is estimated from the batch, and no network is added. No labels here. Not here: the networks,
the parts of the bound, and the loop.
"""

from dataclasses import dataclass

from infogan_helpers.arguments import configured
from infogan_helpers.elbo import bernoulli_log_likelihood, gaussian_kl, rate_parts, reparameterise
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

    Args:
        beta: weight of the total correlation, a ``schedules.Ramp`` or a number that stays; at 1 this is the VAE.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    beta: float | Ramp = 6.0

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "beta", weight("beta", self.beta))


@takes_players(Autoencoder, Config)
def train_step(players, real, spec, config, generator=None, done=0.0):
    """One step: encode, draw z, decode; take the rate apart; then encoder and decoder move once.

    Args, Returns: as in ``vae.train_step``.

    Source: Chen et al. 2018, eq. 2 to 5, with α = γ = 1.
    """
    beta = at(config.beta, done)

    # Encode, draw z, decode.
    mean, log_variance = players.encoder(real)
    z = reparameterise(mean, log_variance, generator)
    distortion = -bernoulli_log_likelihood(players.decoder(z), real).mean()
    rate = gaussian_kl(mean, log_variance).sum(dim=1).mean()
    parts = rate_parts(z, mean, log_variance)

    # Update encoder and decoder.
    taxed = parts.information + beta * parts.total_correlation + parts.dimension_wise
    descend({players.optimizer: distortion + taxed})
    return step_metrics(distortion, rate, beta, parts.total_correlation)


METHOD = Method("beta_tcvae", StepMetrics, FINITE, make_autoencoder, train_step, decode, finish)


def fit(images, config=None, *, device=None, checkpoint=None, callback=None, progress=True):
    """Train a β-TCVAE on images, without labels.

    Args, Returns: as in ``vae.fit``.
    """
    options = {"device": device, "checkpoint": checkpoint, "callback": callback, "progress": progress}
    return fit_by(METHOD, images, configured(config, Config), **options)
