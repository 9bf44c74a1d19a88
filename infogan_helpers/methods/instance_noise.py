"""InfoGAN whose D and Q see noise: at first so much that all modes are one cloud, and less and less. No labels here.

The page of ``infogan``. It adds noise to everything that D and Q are shown, real and fake, which falls over the run,
and learning rates that fall with it. Not here: noise that G is given, which are codes (``noise_last``).
"""

from dataclasses import dataclass

import torch

from infogan_helpers import checks
from infogan_helpers.arguments import RANDOM, between, configured, floats, images, takes
from infogan_helpers.data import check_images
from infogan_helpers.games import GAMES
from infogan_helpers.losses import lower_bound
from infogan_helpers.methods.players import (
    FINITE,
    Players,
    PlayersConfig,
    StepMetrics,
    TrainingResult,
    descend,
    generate,
    make_players,
    recalibrate_batch_norm,
    set_learning_rates,
    step_metrics,
    takes_players,
)
from infogan_helpers.schedules import Ramp, at, weight
from infogan_helpers.training import Method, run


@dataclass(frozen=True, kw_only=True)
class Config(PlayersConfig):
    """Everything that decides a run, apart from the images and the codes; see ``PlayersConfig`` for the players.

    A weight is a ``schedules.Ramp``, or a number that stays.

    Args:
        noise: weight, the standard deviation of what is added to each pixel, on [-1, 1].
        learning_rate_factor: weight that multiplies all three rates.
        lambda_information: how hard G is pushed to raise L_I. Q's head climbs it itself; the trunk learns from D alone.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    noise: float | Ramp = Ramp(0.0, 0.8, 0.5, 0.0)
    learning_rate_factor: float | Ramp = 1.0
    lambda_information: float = 1.0

    def __post_init__(self):
        super().__post_init__()
        for name in ("noise", "learning_rate_factor"):
            object.__setattr__(self, name, weight(name, getattr(self, name)))
        checks.number("lambda_information", self.lambda_information, least=0)


@takes(images=floats(), deviation=between(0, None), generator=RANDOM)
def blurred(images, deviation, generator=None):
    """Images with noise of its own on each pixel.

    Args:
        images: floats, any shape.
        deviation: standard deviation of the noise; 0 leaves the images as they are.
        generator: the ``torch.Generator`` of the noise, on the images' device; torch's own where it is ``None``.

    Returns:
        Floats of the same shape; the gradient is that of the images.
    """
    return images + deviation * torch.randn(images.shape, generator=generator, device=images.device)


@takes_players(Players, Config)
def train_step(players, real, spec, config, generator=None, done=0.0):
    """One step: sample, generate, hide real and fake under as much noise as is due, judge and read; then all move once.

    Args, Returns: as in ``infogan.train_step``; scheduled weights depend on ``done``.

    Source: Sønderby et al. 2017, section 3.2 (instance noise); Arjovsky & Bottou 2017.
    """
    g, dq, game = players.generator, players.discriminator_q, GAMES[config.game]
    set_learning_rates(players, config, at(config.learning_rate_factor, done))

    # Sample codes and generate; D and Q see everything through the same fog.
    codes = spec.sample(len(real), generator, real.device)
    real, fake = (blurred(x, at(config.noise, done), generator) for x in (real, g(codes)))

    # Judge real images and fakes; read the codes back.
    (real_logit, _), (fake_logit, posterior) = dq(real), dq(fake)
    d_loss = game.discriminator(real_logit, fake_logit) + game.penalty(dq, real, fake, generator)
    g_loss = game.generator(fake_logit)
    bound = lower_bound(posterior, codes, spec)

    # Update D (and through it the trunk), G and Q.
    descend(
        {
            players.optimizer_d: d_loss,
            players.optimizer_g: g_loss - config.lambda_information * bound.total,
            players.optimizer_q: -bound.total,
        }
    )
    return step_metrics(d_loss, g_loss, bound, (real_logit, fake_logit), posterior, codes)


@takes_players(Players, Config, images(None))
def finish(players, images, spec, config):
    """Measure batch norm anew on real images and fakes: what a step shows D and Q, without the noise."""
    recalibrate_batch_norm(players, images, spec, config.seed, lambda real, fake, generator: (real, fake))


METHOD = Method("instance_noise", StepMetrics, FINITE, make_players, train_step, generate, finish)


def fit(images, spec, config=None, *, device=None, checkpoint=None, callback=None, progress=True):
    """Train InfoGAN under instance noise, without labels.

    Args:
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, channels, height, width)``; for
            ``architecture="mlp"`` and ``"points"`` any shape ``(n, …)``.
        spec: the ``CodeSpec``.
        config: a ``Config``; its defaults where it is ``None``.
        device, checkpoint, callback, progress: as in ``training.run``, whose errors these are too.

    Returns:
        ``TrainingResult``, with D and Q's batch norm measured anew (``finish``).
    """
    options = {"device": device, "checkpoint": checkpoint, "callback": callback, "progress": progress}
    players, history, interrupted = run(METHOD, check_images(images), spec, configured(config, Config), **options)
    return TrainingResult(players.generator, players.discriminator_q, history, interrupted)
