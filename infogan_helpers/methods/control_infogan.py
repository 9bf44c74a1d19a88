"""InfoGAN whose λ is set anew in every step, so that L_I of the categorical codes stays where you want it. No labels.

The page of ``infogan``, and the controller of ``control_vae``, turned round: there a larger weight lowers what is
measured, here it raises it. Nobody has published this. Not here: the networks, the game, the bound, and the loop.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch

from infogan_helpers import checks
from infogan_helpers.arguments import config_of, configured, takes
from infogan_helpers.controllers import control
from infogan_helpers.data import check_images
from infogan_helpers.games import GAMES
from infogan_helpers.losses import lower_bound
from infogan_helpers.methods import infogan
from infogan_helpers.methods.players import (
    FINITE,
    MAKE,
    Players,
    TrainingResult,
    descend,
    generate,
    make_players,
    step_metrics,
    takes_players,
)
from infogan_helpers.schedules import Ramp, at, weight
from infogan_helpers.training import Method, run


@dataclass(frozen=True, kw_only=True)
class Config(infogan.Config):
    """Everything that decides a run, apart from the images and the codes; see ``infogan.Config``.

    Args:
        lambda_categorical: the smallest λ that the controller may choose.
        set_point: where L_I of the categorical codes is held, in nats, a ``schedules.Ramp`` or a number that stays.
        proportional, gain: of the controller, as in ``controllers.control``.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    lambda_categorical: float = 0.0
    set_point: float | Ramp = 2.0
    proportional: float = 0.1
    gain: float = 0.01

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "set_point", weight("set_point", self.set_point))
        for name in ("proportional", "gain"):
            checks.number(name, getattr(self, name), least=0)


@dataclass
class Controlled(Players):
    """The players, and the state of the controller."""

    integral: torch.Tensor
    output: torch.Tensor


class ControlledMetrics(NamedTuple):
    """What one step measured: ``players.StepMetrics``, and the λ that the controller chose."""

    d_loss: torch.Tensor
    g_loss: torch.Tensor
    bound_categorical: torch.Tensor
    bound_continuous: torch.Tensor
    d_accuracy: torch.Tensor
    code_recovery: torch.Tensor
    lambda_categorical: torch.Tensor

    def summary(self):
        """What the progress bar says."""
        return f"L_I {self.bound_categorical:.2f} nats of classes, λ {self.lambda_categorical:.2f}"


@takes(config=config_of(Config), **MAKE)
def make(spec, image_shape, config, device="cpu"):
    """``make_players``, and a controller at rest.

    Raises:
        ValueError: there is no categorical code whose L_I could be held, or the image shape does not fit.
    """
    if not spec.categorical:
        raise ValueError("spec must have a categorical code whose L_I is held, got none")
    players = make_players(spec, image_shape, config, device)
    at_rest = torch.tensor(float(config.lambda_categorical), device=device)
    return Controlled(**vars(players), integral=torch.zeros_like(at_rest), output=at_rest)


@takes_players(Controlled, Config)
def train_step(players, real, spec, config, generator=None, done=0.0):
    """One step: sample, generate, judge and read; set λ by L_I; then D, G and Q each move once.

    Args, Returns: as in ``infogan.train_step``, with ``ControlledMetrics``; the set point may depend on ``done``.
    """
    g, dq, game = players.generator, players.discriminator_q, GAMES[config.game]

    # Sample codes and generate.
    codes = spec.sample(len(real), generator, real.device)
    fake = g(codes)

    # Judge real images and fakes; read the codes back.
    (real_logit, _), (fake_logit, posterior) = dq(real), dq(fake)
    d_loss = game.discriminator(real_logit, fake_logit) + game.penalty(dq, real, fake, generator)
    g_loss = game.generator(fake_logit)
    bound = lower_bound(posterior, codes, spec)

    # Too little is read: a larger λ. Too much: a smaller one.
    error = bound.categorical.detach() - at(config.set_point, done)
    gains = {"proportional": config.proportional, "gain": config.gain, "least": config.lambda_categorical}
    of_classes = control(error, players.integral, players.output, **gains)
    information = of_classes * bound.categorical
    information = information + config.lambda_continuous * (bound.continuous + bound.circular)

    # Update D (and through it the trunk), G and Q.
    descend(
        {
            players.optimizer_d: d_loss - information if config.information_trains_trunk else d_loss,
            players.optimizer_g: g_loss - information,
            players.optimizer_q: -bound.total,
        }
    )
    metrics = step_metrics(d_loss, g_loss, bound, (real_logit, fake_logit), posterior, codes)
    return ControlledMetrics(*metrics, of_classes)


METHOD = Method("control_infogan", ControlledMetrics, FINITE, make, train_step, generate, infogan.finish)


def fit(images, spec, config=None, *, device=None, checkpoint=None, callback=None, progress=True):
    """Train InfoGAN with a held L_I on images, without labels.

    Args:
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, channels, height, width)``; for
            ``architecture="mlp"`` any shape ``(n, …)``.
        spec: the ``CodeSpec``, with at least one categorical code.
        config: a ``Config``; its defaults where it is ``None``.
        device, checkpoint, callback, progress: as in ``training.run``, whose errors these are too.

    Returns:
        ``TrainingResult``, with D and Q's batch norm measured anew.

    Raises:
        ValueError: ``spec`` has no categorical code.
    """
    options = {"device": device, "checkpoint": checkpoint, "callback": callback, "progress": progress}
    players, history, interrupted = run(METHOD, check_images(images), spec, configured(config, Config), **options)
    return TrainingResult(players.generator, players.discriminator_q, history, interrupted)
