"""InfoGAN-CR: two pictures share one code, and a head has to say which. The page of ``infogan``, and that. No labels.

Not here: the networks, the game, the bound, and the loop.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from infogan_helpers import checks
from infogan_helpers.architectures import ARCHITECTURES
from infogan_helpers.arguments import RANDOM, at_least, config_of, configured, device, instance, maybe, takes
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import check_images
from infogan_helpers.games import GAMES
from infogan_helpers.losses import lower_bound
from infogan_helpers.methods import infogan
from infogan_helpers.methods.players import (
    FINITE,
    MAKE,
    Players,
    StepMetrics,
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
        learning_rate_h: Adam's learning rate for the head.
        lambda_contrast: weight, for G, of the head's cross-entropy: how hard G is pushed to let it be seen which code
            two pictures share. The head learns whatever the weight.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    learning_rate_h: float = 5e-4
    lambda_contrast: float | Ramp = Ramp(0.5, 0.6, 0.0, 1.0)

    def __post_init__(self):
        super().__post_init__()
        checks.number("learning_rate_h", self.learning_rate_h, above=0)
        object.__setattr__(self, "lambda_contrast", weight("lambda_contrast", self.lambda_contrast))


@dataclass
class PlayersWithHead(Players):
    """The players, and the head that sees two pictures, with its optimiser."""

    head: nn.Module
    optimizer_h: torch.optim.Optimizer


@takes(config=config_of(Config), **MAKE)
def make(spec, image_shape, config, device="cpu"):
    """``make_players``, and a head: D's trunk for two images laid on each other, weights of its own, a logit per code.

    Raises:
        ValueError: there are fewer than two codes to tell apart, or the image shape does not fit the architecture.
    """
    if len(spec.names) < 2:
        raise ValueError(f"spec must have at least two codes, of which a pair shares one, got {len(spec.names)}")
    players, (channels, *sides) = make_players(spec, image_shape, config, device), image_shape
    twin = ARCHITECTURES[config.architecture][1](spec, (2 * channels, *sides), config.width, norm="spectral")
    head = nn.Sequential(twin.trunk, nn.Linear(twin.real_head.in_features, len(spec.names))).to(device)
    optimizer = torch.optim.Adam(head.parameters(), lr=config.learning_rate_h, betas=config.betas)
    return PlayersWithHead(**vars(players), head=head, optimizer_h=optimizer)


@takes(spec=instance(CodeSpec), n=at_least(1), generator=RANDOM, device=maybe(device))
def sample_pairs(spec, n, generator=None, device=None):
    """Draw inputs of ``n`` pairs of pictures that share their noise and exactly one code.

    Args:
        spec: the ``CodeSpec``, with at least two codes.
        n: how many pairs.
        generator: a ``torch.Generator``; torch's own where it is ``None``.
        device: where the codes go, as in ``CodeSpec.sample``.

    Returns:
        ``(first, second, shared)``: two ``Codes``, and which code they share, its position in ``spec.names``, shape
        ``(n,)``. All other codes differ: a class is another one, a number or an angle drawn anew.

    Source: Lin et al. 2020, section 3; noise is shared as in the authors' code, where the gap that they keep between
    two numbers is 0 for all data sets but one.
    """
    first, second = spec.sample(n, generator, device), spec.sample(n, generator, device)
    where = first.noise.device
    shared = torch.randint(len(spec.names), (n,), generator=generator, device=where)
    sizes = torch.tensor(spec.categorical, device=where, dtype=torch.long)
    further = torch.rand(n, len(sizes), generator=generator, device=where) * (sizes - 1)
    others = {
        "categorical": (first.categorical + 1 + further.long()) % sizes,
        "continuous": second.continuous,
        "circular": second.circular,
    }
    begin = 0
    for kind, other in others.items():
        same = shared[:, None] == torch.arange(begin, begin + other.shape[1], device=where)
        others[kind], begin = torch.where(same, getattr(first, kind), other), begin + other.shape[1]
    return first, first.replace(**others), shared


@takes_players(PlayersWithHead, Config)
def train_step(players, real, spec, config, generator=None, done=0.0):
    """One step: sample, generate, judge and read; show the head pairs; then D, G, Q and the head each move once.

    Args, Returns: as in ``infogan.train_step``; the weight of the contrast depends on ``done``.

    Source: Lin et al. 2020, eq. 4, whose updates are made together.
    """
    g, dq, game = players.generator, players.discriminator_q, GAMES[config.game]

    # Sample codes and generate; generate pairs that share a code.
    codes = spec.sample(len(real), generator, real.device)
    fake = g(codes)
    first, second, shared = sample_pairs(spec, len(real), generator, real.device)
    pairs = torch.cat([g(first), g(second)], dim=1)  # one picture's channels, then the other's

    # Judge real images and fakes; read the codes back; ask the head which code a pair shares.
    (real_logit, _), (fake_logit, posterior) = dq(real), dq(fake)
    d_loss = game.discriminator(real_logit, fake_logit) + game.penalty(dq, real, fake, generator)
    g_loss = game.generator(fake_logit)
    bound = lower_bound(posterior, codes, spec)
    of_continuous = bound.continuous + bound.circular
    information = config.lambda_categorical * bound.categorical + config.lambda_continuous * of_continuous
    contrast = F.cross_entropy(players.head(pairs), shared)

    # Update D (and through it the trunk), G, Q and the head, which climbs together with G.
    descend(
        {
            players.optimizer_d: d_loss - information if config.information_trains_trunk else d_loss,
            players.optimizer_g: g_loss - information + at(config.lambda_contrast, done) * contrast,
            players.optimizer_q: -bound.total,
            players.optimizer_h: contrast,
        }
    )
    return step_metrics(d_loss, g_loss, bound, (real_logit, fake_logit), posterior, codes)


METHOD = Method("infogan_cr", StepMetrics, FINITE, make, train_step, generate, infogan.finish)


def fit(images, spec, config=None, *, device=None, checkpoint=None, callback=None, progress=True):
    """Train InfoGAN-CR on images, without labels.

    Args:
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, channels, height, width)``.
        spec: the ``CodeSpec``, with at least two codes.
        config: a ``Config``; its defaults where it is ``None``.
        device, checkpoint, callback, progress: as in ``training.run``, whose errors these are too.

    Returns:
        ``TrainingResult``, with D and Q's batch norm measured anew.

    Raises:
        ValueError: ``spec`` has fewer than two codes.
    """
    options = {"device": device, "checkpoint": checkpoint, "callback": callback, "progress": progress}
    players, history, interrupted = run(METHOD, check_images(images), spec, configured(config, Config), **options)
    return TrainingResult(players.generator, players.discriminator_q, history, interrupted)
