"""InfoGAN where the noise comes last, so that the loudest properties of images settle on the codes. No labels here.

The page of ``infogan``. It adds R1 now and then, noise that grows over the run, a G that waits for D, slow averages of
both networks, and two things that Q owes real images: answers that lie as codes do, and a memory. Not here: the
mirror and the floor under σ, which are networks' (``deep_networks``, ``PlayersConfig.least_deviation``).
"""

import copy
from dataclasses import dataclass

import torch
from torch import nn

from infogan_helpers import checks
from infogan_helpers.data import check_images
from infogan_helpers.games import GAMES
from infogan_helpers.losses import lower_bound
from infogan_helpers.methods.players import (
    FINITE,
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
)
from infogan_helpers.schedules import Ramp, at, weight
from infogan_helpers.training import Method, run

AVERAGED = 0.998  # share of a slow average that a step keeps
MOMENTS_AVERAGED = 0.98  # of the averages of moments: over about fifty batches
PENALTY_EVERY = 4  # steps; the penalty then counts as often: the same slope on average, for less time
FOURTH = {"uniform": 1.8, "normal": 3.0}  # moments of the priors, scaled to variance 1
G_WAITS = Ramp(0.0, 0.1, 0.02, 1.0)  # multiplies G's rate: D and Q see real pictures before G moves


@dataclass(frozen=True, kw_only=True)
class Config(PlayersConfig):
    """Everything that decides a run, apart from the images and the codes; see ``PlayersConfig`` for the players.

    A weight is a ``schedules.Ramp``, or a number that stays.

    Args:
        learning_rate_factor: weight that multiplies all three rates.
        lambda_information: how hard G is pushed to raise L_I, and how much of what Q learns trains the trunk.
        noise: weight that multiplies G's noise.
        moments: weight, for Q, of the squared distance of its answers' moments on real images from those of codes.
        memory: weight, for Q, of the squared distance of its means on real images from those of its slow average.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    steps: int = 16000
    batch_size: int = 32
    learning_rate_g: float = 1e-3
    learning_rate_d: float = 1e-3
    learning_rate_q: float = 1e-3
    betas: tuple[float, float] = (0.0, 0.99)
    game: str = "r1"
    architecture: str = "mirrored"
    norm: str = "none"
    width: float = 1.0
    least_deviation: float = 0.3
    learning_rate_factor: float | Ramp = Ramp(0.5, 1.0, 1.0, 0.02)
    lambda_information: float = 0.2
    noise: float | Ramp = Ramp(0.0, 0.9, 0.0, 1.0)
    moments: float | Ramp = 0.5
    memory: float | Ramp = Ramp(0.2, 0.25, 0.0, 2.0)

    def __post_init__(self):
        super().__post_init__()
        for name in ("learning_rate_factor", "noise", "moments", "memory"):
            object.__setattr__(self, name, weight(name, getattr(self, name)))
        checks.number("lambda_information", self.lambda_information, least=0)


@dataclass
class AveragedPlayers(Players):
    """The players; the slow averages of their weights, which nobody trains and a run returns; averages of moments."""

    average_g: nn.Module
    average_dq: nn.Module
    moments: torch.Tensor


def make(spec, image_shape, config, device="cpu"):
    """``make_players``, with averages that start as what they are averages of."""
    players = make_players(spec, image_shape, config, device)
    g, dq = (copy.deepcopy(x).requires_grad_(False) for x in (players.generator, players.discriminator_q))
    return AveragedPlayers(**vars(players), average_g=g, average_dq=dq, moments=moments_of_codes(spec).to(device))


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

    # Judge real images and fakes; read the codes back; ask of real images what Q owes them.
    (real_logit, on_real), (fake_logit, posterior) = dq(real), dq(fake)
    d_loss, g_loss = game.discriminator(real_logit, fake_logit), game.generator(fake_logit)
    if round(done * config.steps) % PENALTY_EVERY == 0:
        d_loss = d_loss + PENALTY_EVERY * game.penalty(dq, real, fake, generator)
    bound = lower_bound(posterior, codes, spec)
    owed = unlike_codes(on_real, players, spec, at(config.moments, done))
    owed = owed + forgotten(on_real, players.average_dq, real, at(config.memory, done))

    # Update D (and through it the trunk), G and Q; the averages follow.
    descend(
        {
            players.optimizer_d: d_loss + config.lambda_information * (owed - bound.total),
            players.optimizer_g: g_loss - config.lambda_information * bound.total,
            players.optimizer_q: owed - bound.total,
        }
    )
    follow(players.average_g, g, done * config.steps)
    follow(players.average_dq, dq, done * config.steps)
    return step_metrics(d_loss, g_loss, bound, (real_logit, fake_logit), posterior, codes)


def unlike_codes(answers, players, spec, weight):
    """How far Q's answers on real images are from lying as codes do: uniform, and independent of each other.

    Half the squared distance of their moments, up to the fourth and of each pair, from those of codes, times
    ``weight``; answers are scaled to a variance of 1. A mixture of two uniform codes is a tent, whose fourth moment is
    too large: independent component analysis lives on that. In the third moments the square is held fixed, and only the
    other answer moves. One batch says little: ``players.moments`` are averages over about fifty, and what is returned
    has the gradient of that distance, not its value.

    Source: after Comon 1994, who separates mixtures by their fourth cumulants.
    """
    if weight == 0:
        return 0.0
    centred = answers.mean - answers.mean.mean(dim=0)
    z = [centred / centred.square().mean(dim=0).clamp_min(1e-4).sqrt()]
    z = torch.cat(z + [2**0.5 * code.direction for code in answers.circular], dim=1)
    pairs = [z.T @ z, z.T @ z.square().detach(), z.square().T @ z.square()]
    here = torch.stack([z.mean(dim=0).expand(z.shape[1], -1), *(pair / len(z) for pair in pairs)])
    players.moments = players.moments.lerp(here.detach(), 1 - MOMENTS_AVERAGED)
    return weight * ((players.moments - moments_of_codes(spec).to(z.device)) * here).sum() / 2


def forgotten(answers, average_dq, real, weight):
    """How far Q's means on real images are from those of its average: summed over codes, squared, times ``weight``."""
    if weight == 0:
        return 0.0
    with torch.no_grad():
        _, remembered = average_dq(real)
    distance = (answers.mean - remembered.mean).square().sum(dim=1).mean()
    for now, then in zip(answers.circular, remembered.circular, strict=True):
        distance = distance + (now.direction - then.direction).square().sum(dim=1).mean()
    return weight * distance


def moments_of_codes(spec):
    """First to fourth moments of each pair of codes of variance 1; an angle is its cosine and its sine.

    Args:
        spec: the ``CodeSpec``; its classes are left out.

    Returns:
        Shape ``(4, n, n)`` with n = continuous + 2 circular: E[z_j], E[z_i z_j], E[z_i z_j²] and E[z_i² z_j²].
    """
    n = spec.continuous + 2 * spec.circular
    fourth = torch.ones(n, n)
    fourth[range(spec.continuous), range(spec.continuous)] = FOURTH[spec.continuous_prior]
    for i in range(spec.continuous, n, 2):
        fourth[i : i + 2, i : i + 2] = torch.tensor([[1.5, 0.5], [0.5, 1.5]])
    return torch.stack([torch.zeros(n, n), torch.eye(n), torch.zeros(n, n), fourth])


@torch.no_grad()
def follow(average, network, step):
    """Move an average's weights towards the network's; the first steps' average is a plain mean."""
    kept = min(AVERAGED, 1 - 1 / (step + 2))
    for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1 - kept)
    for slow, fast in zip(average.buffers(), network.buffers(), strict=True):
        slow.copy_(fast)


def draw(players, codes):
    """Images of ``codes`` by G's average."""
    return players.average_g(codes)


def finish(players, images, spec, config):
    """Measure the batch norm of G's average anew: what the running one holds belongs to other weights and few images.

    Without this the Fréchet distance of two runs on Faces was 142 and 146, with it 64 and 70.
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
    players, history, interrupted = run(METHOD, check_images(images), spec, config or Config(), **options)
    return TrainingResult(players.average_g, players.average_dq, history, interrupted)
