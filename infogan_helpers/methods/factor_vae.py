"""FactorVAE: a VAE whose latents are made independent of each other, by a critic that tells when they are not.

The page of ``vae``; it taxes the total correlation beside the rate, by the density-ratio trick. No labels here. Not
here: the networks, the two halves of the bound, and the loop.
"""

from dataclasses import dataclass

import torch
from torch import nn

from infogan_helpers import checks
from infogan_helpers.arguments import config_of, configured, takes
from infogan_helpers.elbo import bernoulli_log_likelihood, gaussian_kl, permute_dimensions, reparameterise
from infogan_helpers.games import discriminator_loss
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
from infogan_helpers.methods.players import MAKE, adam, descend, takes_players
from infogan_helpers.schedules import Ramp, at, weight
from infogan_helpers.training import Method


@dataclass(frozen=True, kw_only=True)
class Config(AutoencoderConfig):
    """Everything that decides a run, apart from the images; see ``AutoencoderConfig`` for the networks.

    Args:
        gamma: weight of the total correlation, a ``schedules.Ramp`` or a number that stays. The rate has 1.
        learning_rate_critic: Adam's learning rate for the critic; its decay rates are 0.5 and 0.9.
        critic_units: in each of the critic's ``critic_layers`` hidden layers; the paper has 1,000 in 5.
        critic_layers: how many.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    gamma: float | Ramp = 10.0
    learning_rate_critic: float = 1e-4
    critic_units: int = 256
    critic_layers: int = 5

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "gamma", weight("gamma", self.gamma))
        checks.number("learning_rate_critic", self.learning_rate_critic, above=0)
        for name in ("critic_units", "critic_layers"):
            checks.integer(name, getattr(self, name), least=1)


@dataclass
class WithCritic(Autoencoder):
    """Encoder and decoder, and the critic: from z to a logit that says whether its latents belong together."""

    critic: nn.Module
    optimizer_critic: torch.optim.Optimizer


@takes(config=config_of(Config), **MAKE)
def make(spec, image_shape, config, device="cpu"):
    """``make_autoencoder``, and a critic.

    Raises:
        ValueError: the image shape does not fit the architecture.
    """
    players, layers, units = make_autoencoder(spec, image_shape, config, device), [], config.latents
    for _ in range(config.critic_layers):
        layers += [nn.Linear(units, config.critic_units), nn.LeakyReLU(0.2)]
        units = config.critic_units
    critic = nn.Sequential(*layers, nn.Linear(units, 1)).to(device)
    optimizer = adam(critic.parameters(), config.learning_rate_critic, (0.5, 0.9), device)
    return WithCritic(**vars(players), critic=critic, optimizer_critic=optimizer)


@takes_players(WithCritic, Config)
def train_step(players, real, spec, config, generator=None, done=0.0):
    """One step: encode, draw z, decode; ask the critic; then encoder and decoder, and the critic, each move once.

    Args, Returns: as in ``vae.train_step``.

    Source: Kim & Mnih 2018, algorithm 2. There the permuted latents come from a second batch; here, as in
    disentanglement_lib, from this one.
    """
    gamma = at(config.gamma, done)

    # Encode, draw z, decode.
    mean, log_variance = players.encoder(real)
    z = reparameterise(mean, log_variance, generator)
    distortion = -bernoulli_log_likelihood(players.decoder(z), real).mean()
    rate = gaussian_kl(mean, log_variance).sum(dim=1).mean()

    # A critic that tells q(z) from the product of its marginals has log q(z) / ∏ q(z_j) for its logit.
    total_correlation = players.critic(z).mean()
    apart = permute_dimensions(z.detach(), generator)
    critic_loss = discriminator_loss(players.critic(z.detach()), players.critic(apart))

    # Update encoder and decoder, and the critic.
    loss = distortion + rate + gamma * total_correlation
    descend({players.optimizer: loss, players.optimizer_critic: critic_loss})
    return step_metrics(distortion, rate, gamma, total_correlation)


METHOD = Method("factor_vae", StepMetrics, FINITE, make, train_step, decode, finish)


def fit(images, config=None, *, device=None, checkpoint=None, callback=None, progress=True):
    """Train a FactorVAE on images, without labels.

    Args, Returns: as in ``vae.fit``.
    """
    options = {"device": device, "checkpoint": checkpoint, "callback": callback, "progress": progress}
    return fit_by(METHOD, images, configured(config, Config), **options)
