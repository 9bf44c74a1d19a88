"""InfoGAN where the noise comes last, so that the loudest properties of pictures settle on the codes. No labels here.

The same page as ``infogan``. It adds R1 now and then, noise that grows over the run, slow averages of both networks,
and a Q that keeps on real pictures what it has learned. Not here: the mirror and the floor under σ, which are networks'
(``deep_networks``, ``PlayersConfig.least_deviation``).
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

AVERAGED = 0.999  # share of an average that a step keeps
PENALTY_EVERY = 4  # steps; the penalty then counts as often: the same slope on average, for less time


@dataclass(frozen=True, kw_only=True)
class Config(PlayersConfig):
    """Everything that decides a run, apart from the images and the codes; see ``PlayersConfig`` for the players.

    A weight is a ``schedules.Ramp``, or a number that stays.

    Args:
        learning_rate_factor: weight that multiplies all three rates.
        lambda_information: how hard G is pushed to raise L_I, and how much of what Q learns trains the trunk.
        noise: weight that multiplies G's noise.
        memory: weight, for Q, of the squared distance of its means on real pictures from those of its slow average.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    steps: int = 3000
    batch_size: int = 64
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
    lambda_information: float = 0.4
    noise: float | Ramp = Ramp(0.0, 0.9, 0.0, 1.0)
    memory: float | Ramp = Ramp(0.2, 0.25, 0.0, 5.0)
    evenness: float | Ramp = 0.0
    even_codes: float | Ramp = 1.0
    unlikeness: float | Ramp = 0.0

    def __post_init__(self):
        super().__post_init__()
        for name in ("learning_rate_factor", "noise", "memory", "evenness", "even_codes", "unlikeness"):
            object.__setattr__(self, name, weight(name, getattr(self, name)))
        checks.number("lambda_information", self.lambda_information, least=0)


@dataclass
class AveragedPlayers(Players):
    """The players, and the slow averages of their weights, which nobody trains and a run returns."""

    average_g: nn.Module
    average_dq: nn.Module
    moments: torch.Tensor
    critic: nn.Module
    optimizer_c: torch.optim.Optimizer


def make(spec, image_shape, config, device="cpu"):
    """``make_players``, with averages that start as what they are averages of."""
    players = make_players(spec, image_shape, config, device)
    averages = (copy.deepcopy(network).requires_grad_(False) for network in (players.generator, players.discriminator_q))
    return AveragedPlayers(**vars(players), **dict(zip(("average_g", "average_dq"), averages, strict=True)), moments=even_moments(spec.continuous, spec.circular).to(device), critic=(c := make_critic(spec).to(device)), optimizer_c=torch.optim.Adam(c.parameters(), lr=2e-3, betas=(0.0, 0.99)))


def make_critic(spec):
    n = spec.continuous + 2 * spec.circular + sum(spec.categorical)
    return nn.Sequential(nn.Linear(n, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))


def as_answers(posterior):
    return torch.cat([2 * posterior.mean, *(c.direction for c in posterior.circular), *(x.softmax(1) for x in posterior.categorical_logits)], dim=1)


def unlike(on_real, on_fake, players, config):
    """A critic that sees answers alone learns to tell those on real images from those on fakes; Q's are to fool it."""
    critic, real, fake = players.critic, as_answers(on_real), as_answers(on_fake).detach()
    x = torch.cat([real.detach(), fake]).requires_grad_()
    logit = critic(x)[:, 0]
    n = len(real)
    (slope,) = torch.autograd.grad(logit.sum(), x, create_graph=True)
    loss = torch.nn.functional.softplus(logit[:n]).mean() + torch.nn.functional.softplus(-logit[n:]).mean() + 0.05 * slope.square().sum(dim=1).mean()
    players.optimizer_c.zero_grad()
    loss.backward()
    players.optimizer_c.step()
    for p in critic.parameters():
        p.requires_grad_(False)
    of_q = torch.nn.functional.softplus(-critic(real)).mean()
    for p in critic.parameters():
        p.requires_grad_(True)
    return of_q



def train_step(players, real, spec, config, generator=None, done=0.0):
    """One step: sample, generate with as much noise as is due, judge and read; then D, G and Q each move once.

    Args, Returns: as in ``infogan.train_step``; scheduled weights depend on ``done``.
    """
    g, dq, game = players.generator, players.discriminator_q, GAMES[config.game]
    set_learning_rates(players, config, at(config.learning_rate_factor, done))

    # Sample codes and generate.
    codes = spec.sample(len(real), generator, real.device)
    loud = torch.ones(spec.continuous, device=real.device)
    loud[spec.odd :] = at(config.even_codes, done)
    fake = g(codes.replace(noise=at(config.noise, done) * codes.noise, continuous=loud * codes.continuous))

    # Judge real images and fakes; read the codes back; remember what was said of real images.
    (real_logit, on_real), (fake_logit, posterior) = dq(real), dq(fake)
    d_loss, g_loss = game.discriminator(real_logit, fake_logit), game.generator(fake_logit)
    if round(done * config.steps) % PENALTY_EVERY == 0:
        d_loss = d_loss + PENALTY_EVERY * game.penalty(dq, real, fake, generator)
    bound = lower_bound(posterior, codes, spec)
    reading = forgotten(on_real, players.average_dq, real, at(config.memory, done)) - bound.total
    if at(config.unlikeness, done) > 0:
        reading = reading + at(config.unlikeness, done) * unlike(on_real, posterior, players, config)
    if at(config.evenness, done) > 0:
        reading = reading + at(config.evenness, done) * uneven(on_real, players)

    # Update D (and through it the trunk), G and Q; the averages follow.
    descend(
        {
            players.optimizer_d: d_loss + config.lambda_information * reading,
            players.optimizer_g: g_loss - config.lambda_information * bound.total,
            players.optimizer_q: reading,
        }
    )
    follow(players.average_g, g, done * config.steps)
    follow(players.average_dq, dq, done * config.steps)
    return step_metrics(d_loss, g_loss, bound, (real_logit, fake_logit), posterior, codes)


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


def uneven(answers, players):
    """How far the moments of Q's answers on real images are from those of even, independent codes.

    The gradient is that of half the squared distance of the second and fourth moments, which are averaged over many
    batches: a mixture of two even codes is a tent, whose fourth moment is too large.
    """
    centred = answers.mean - answers.mean.mean(dim=0)
    z = [centred / centred.square().mean(dim=0).clamp_min(1e-4).sqrt()]
    z += [2**0.5 * code.direction for code in answers.circular]
    z = torch.cat(z, dim=1)
    here = torch.stack([z.T @ z, z.T @ z.square().detach(), z.square().T @ z.square()]) / len(z)
    here = torch.cat([here, z.mean(dim=0).expand(1, *here.shape[1:])])
    players.moments = players.moments.lerp(here.detach(), 0.02)
    target = even_moments(answers.mean.shape[1], len(answers.circular)).to(z.device)
    return ((players.moments - target) * here).sum() / 2


def even_moments(continuous, circular):
    """Second and fourth moments of uniform codes and of angles as cosine and sine, each of variance 1; first ones."""
    n = continuous + 2 * circular
    fourth = torch.ones(n, n)
    for i in range(continuous):
        fourth[i, i] = 1.8
    for i in range(continuous, n, 2):
        fourth[i : i + 2, i : i + 2] = torch.tensor([[1.5, 0.5], [0.5, 1.5]])
    return torch.stack([torch.eye(n), torch.zeros(n, n), fourth, torch.zeros(n, n)])


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
