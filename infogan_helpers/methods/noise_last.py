"""InfoGAN where the noise comes last: at first the codes alone can make one image differ from another. No labels here.

The page of ``infogan``. It adds a penalty that keeps D from running away (R1), noise that grows over the run, a G that
waits for D, and slow averages of both networks. Not here: the mirror, which is a network's (``deep_networks``).
"""

import copy
from dataclasses import dataclass

import torch
from torch import nn

from infogan_helpers import checks
from infogan_helpers.arguments import between, config_of, configured, images, instance, network, takes
from infogan_helpers.codes import Codes
from infogan_helpers.data import check_images
from infogan_helpers.games import GAMES
from infogan_helpers.losses import lower_bound
from infogan_helpers.methods.players import (
    FINITE,
    MAKE,
    RECALIBRATION_BATCH,
    RECALIBRATION_BATCHES,
    Players,
    PlayersConfig,
    StepMetrics,
    TrainingResult,
    descend,
    make_players,
    set_learning_rates,
    step_metrics,
    takes_players,
)
from infogan_helpers.schedules import Ramp, at, weight
from infogan_helpers.training import Method, run

AVERAGED = 0.998  # share of a slow average that a step keeps
PENALTY_EVERY = 4  # steps; the penalty then counts as often: the same slope on average, for less time
G_WAITS = Ramp(0.0, 0.1, 0.02, 1.0)  # multiplies G's rate: D and Q see real pictures before G moves


@dataclass(frozen=True, kw_only=True)
class Config(PlayersConfig):
    """Everything that decides a run, apart from the images and the codes; see ``PlayersConfig`` for the players.

    A weight is a ``schedules.Ramp``, or a number that stays.

    Args:
        learning_rate_factor: weight that multiplies all three rates.
        lambda_information: how hard G is pushed to raise L_I. Q's head climbs it itself; the trunk learns from D alone.
        noise: weight that multiplies G's noise.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    steps: int = 6000
    batch_size: int = 32
    learning_rate_g: float = 1e-3
    learning_rate_d: float = 1e-3
    learning_rate_q: float = 1e-3
    betas: tuple[float, float] = (0.0, 0.99)
    game: str = "r1"
    architecture: str = "mirrored"
    norm: str = "none"
    width: float = 1.0
    learning_rate_factor: float | Ramp = Ramp(0.5, 1.0, 1.0, 0.02)
    lambda_information: float = 0.2
    noise: float | Ramp = Ramp(0.0, 0.9, 0.0, 1.0)

    def __post_init__(self):
        super().__post_init__()
        for name in ("learning_rate_factor", "noise"):
            object.__setattr__(self, name, weight(name, getattr(self, name)))
        checks.number("lambda_information", self.lambda_information, least=0)


@dataclass
class AveragedPlayers(Players):
    """The players, and the slow averages of their weights, which nobody trains and a run returns."""

    average_g: nn.Module
    average_dq: nn.Module


@takes(config=config_of(Config), **MAKE)
def make(spec, image_shape, config, device="cpu"):
    """``make_players``, with averages that start as what they are averages of."""
    players = make_players(spec, image_shape, config, device)
    g, dq = (copy.deepcopy(x).requires_grad_(False) for x in (players.generator, players.discriminator_q))
    return AveragedPlayers(**vars(players), average_g=g, average_dq=dq)


@takes_players(AveragedPlayers, Config)
def train_step(players, real, spec, config, generator=None, done=0.0):
    """One step: sample, generate with as much noise as is due, judge and read; then D, G and Q each move once.

    Args, Returns: as in ``infogan.train_step``; scheduled weights depend on ``done``.
    """
    g, dq, game = players.generator, players.discriminator_q, GAMES[config.game]
    set_learning_rates(players, config, at(config.learning_rate_factor, done))
    players.optimizer_g.param_groups[0]["lr"] *= G_WAITS(done)

    # Sample codes and generate.
    codes = spec.sample(len(real), generator, real.device)
    fake = g(codes.replace(noise=at(config.noise, done) * codes.noise))

    # Judge real images and fakes; read the codes back.
    (real_logit, _), (fake_logit, posterior) = dq(real), dq(fake)
    d_loss, g_loss = game.discriminator(real_logit, fake_logit), game.generator(fake_logit)
    if round(done * config.steps) % PENALTY_EVERY == 0:
        d_loss = d_loss + PENALTY_EVERY * game.penalty(dq, real, fake, generator)
    bound = lower_bound(posterior, codes, spec)

    # Update D (and through it the trunk), G and Q; the averages follow.
    descend(
        {
            players.optimizer_d: d_loss,
            players.optimizer_g: g_loss - config.lambda_information * bound.total,
            players.optimizer_q: -bound.total,
        }
    )
    follow(players.average_g, g, done * config.steps)
    follow(players.average_dq, dq, done * config.steps)
    return step_metrics(d_loss, g_loss, bound, (real_logit, fake_logit), posterior, codes)


@takes(average=network(), network=network(), step=between(0, None))
@torch.no_grad()
def follow(average, network, step):
    """Move an average's weights towards the network's; the first steps' average is a plain mean."""
    kept = min(AVERAGED, 1 - 1 / (step + 2))
    for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1 - kept)
    for slow, fast in zip(average.buffers(), network.buffers(), strict=True):
        slow.copy_(fast)


@takes(players=instance(AveragedPlayers), codes=instance(Codes))
def draw(players, codes):
    """Images of ``codes`` by G's average."""
    return players.average_g(codes)


@takes_players(AveragedPlayers, Config, images(None))
def finish(players, images, spec, config):
    """Measure the batch norm of G's average anew: what the running one holds belongs to other weights and few images.

    Without this the Fréchet distance of two runs of an earlier form, on Faces, was 142 and 146, with it 64 and 70.
    """
    average, random = players.average_g, torch.Generator(images.device).manual_seed(config.seed)
    layers = [layer for layer in average.modules() if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d))]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # a plain average over all batches
    average.train()
    with torch.no_grad():
        for _ in range(RECALIBRATION_BATCHES):
            average(spec.sample(RECALIBRATION_BATCH, random, images.device))
    average.eval()


METHOD = Method("noise_last", StepMetrics, FINITE, make, train_step, draw, finish)


def fit(images, spec, config=None, *, device=None, checkpoint=None, callback=None, progress=True):
    """Train InfoGAN with the noise coming last, without labels.

    Args:
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, channels, side, side)``.
        spec: the ``CodeSpec``; its ``odd`` and ``circular`` codes are what a mirror turns round.
        config: a ``Config``; its defaults where it is ``None``.
        device, checkpoint, callback, progress: as in ``training.run``, whose errors these are too.

    Returns:
        ``TrainingResult`` with the averages of both networks.
    """
    options = {"device": device, "checkpoint": checkpoint, "callback": callback, "progress": progress}
    players, history, interrupted = run(METHOD, check_images(images), spec, configured(config, Config), **options)
    return TrainingResult(players.average_g, players.average_dq, history, interrupted)
