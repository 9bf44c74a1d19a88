"""ControlVAE: the β-VAE whose β is set anew in every step, so that the rate stays where you want it. No labels here.

The page of ``vae``, and a controller. Not here: what the controller does (``controllers``), the networks, the bound's
two halves, and the loop.
"""

from dataclasses import dataclass

import torch

from infogan_helpers import checks
from infogan_helpers.arguments import config_of, configured, takes
from infogan_helpers.controllers import control
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
from infogan_helpers.methods.players import MAKE, descend, takes_players
from infogan_helpers.schedules import Ramp, at, weight
from infogan_helpers.training import Method


@dataclass(frozen=True, kw_only=True)
class Config(AutoencoderConfig):
    """Everything that decides a run, apart from the images; see ``AutoencoderConfig`` for the networks.

    Args:
        set_point: where the rate is held, in nats, a ``schedules.Ramp`` or a number that stays. It has to begin low
            (``controllers.control`` says why).
        proportional, gain, least_beta: of the controller, as in ``controllers.control``; the paper's code has these.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    set_point: float | Ramp = Ramp(0.0, 0.6, 0.5, 18.0)
    proportional: float = 0.01
    gain: float = 0.001
    least_beta: float = 1.0

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "set_point", weight("set_point", self.set_point))
        for name in ("proportional", "gain", "least_beta"):
            checks.number(name, getattr(self, name), least=0)


@dataclass
class Controlled(Autoencoder):
    """Encoder and decoder, and the state of the controller."""

    integral: torch.Tensor
    output: torch.Tensor


@takes(config=config_of(Config), **MAKE)
def make(spec, image_shape, config, device="cpu"):
    """``make_autoencoder``, and a controller at rest.

    Raises:
        ValueError: the image shape does not fit the architecture.
    """
    players = make_autoencoder(spec, image_shape, config, device)
    at_rest = torch.tensor(float(config.least_beta), device=device)
    return Controlled(**vars(players), integral=torch.zeros_like(at_rest), output=at_rest)


@takes_players(Controlled, Config)
def train_step(players, real, spec, config, generator=None, done=0.0):
    """One step: encode, draw z, decode; set β by the rate; then encoder and decoder move once.

    Args, Returns: as in ``vae.train_step``.

    Source: Shao et al. 2020, algorithm 1.
    """
    # Encode, draw z, decode.
    mean, log_variance = players.encoder(real)
    z = reparameterise(mean, log_variance, generator)
    distortion = -bernoulli_log_likelihood(players.decoder(z), real).mean()
    rate = gaussian_kl(mean, log_variance).sum(dim=1).mean()

    # Too much is read: a larger β. Too little: a smaller one.
    error = at(config.set_point, done) - rate.detach()
    gains = {"proportional": config.proportional, "gain": config.gain, "least": config.least_beta}
    beta = control(error, players.integral, players.output, **gains)

    # Update encoder and decoder.
    descend({players.optimizer: distortion + beta * rate})
    return step_metrics(distortion, rate, beta)


METHOD = Method("control_vae", StepMetrics, FINITE, make, train_step, decode, finish)


def fit(images, config=None, *, device=None, checkpoint=None, callback=None, progress=True):
    """Train a ControlVAE on images, without labels.

    Args, Returns: as in ``vae.fit``.
    """
    options = {"device": device, "checkpoint": checkpoint, "callback": callback, "progress": progress}
    return fit_by(METHOD, images, configured(config, Config), **options)
