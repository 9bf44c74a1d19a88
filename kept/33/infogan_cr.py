"""InfoGAN-CR: two pictures share one code, and a head has to say which. The page of ``infogan``, and that. No labels.

Not here: the networks, the game, the bound, and the loop.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from infogan_helpers import checks
from infogan_helpers.architectures import ARCHITECTURES
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import check_images
from infogan_helpers.games import GAMES
from infogan_helpers.losses import lower_bound
from infogan_helpers.methods import infogan
from infogan_helpers.methods.players import (
    FINITE,
    Players,
    StepMetrics,
    TrainingResult,
    descend,
    generate,
    make_players,
    step_metrics,
)
from infogan_helpers.schedules import Ramp, at, weight
from infogan_helpers.training import Method, run


@dataclass(frozen=True, kw_only=True)
class Config(infogan.Config):
    """Everything that decides a run, apart from the images and the codes; see ``infogan.Config``.

    Args:
        learning_rate_h: Adam's learning rate for the head.
        contrast: weight, for G, of the head's cross-entropy: how hard G is pushed to let a shared code be seen.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    learning_rate_h: float = 5e-4
    contrast: float | Ramp = Ramp(0.5, 0.6, 0.0, 1.0)

    def __post_init__(self):
        super().__post_init__()
        checks.number("learning_rate_h", self.learning_rate_h, above=0)
        object.__setattr__(self, "contrast", weight("contrast", self.contrast))


@dataclass
class PlayersAndHead(Players):
    """The players, and the head that sees two pictures, with its optimiser."""

    head: nn.Module
    optimizer_h: torch.optim.Optimizer


def make(spec, image_shape, config, device="cpu"):
    """``make_players``, and a head: a reader of one code, which of the k, from two images laid on each other.

    Raises:
        ValueError: there are fewer than two codes to tell apart.
    """
    if len(spec.names) < 2:
        raise ValueError(f"spec must have at least two codes, of which a pair shares one, got {len(spec.names)}")
    players, (channels, *sides) = make_players(spec, image_shape, config, device), image_shape
    which = CodeSpec((len(spec.names),), 0, 0)
    make_reader = ARCHITECTURES["deep" if config.architecture == "mirrored" else config.architecture][1]
    head = make_reader(which, (2 * channels, *sides), config.width, norm="spectral").to(device)
    rate = torch.optim.Adam(head.parameters(), lr=config.learning_rate_h, betas=config.betas)
    return PlayersAndHead(**vars(players), head=head, optimizer_h=rate)


def pairs(spec, n, generator=None, device=None):
    """``n`` pairs of inputs that share their noise and exactly one code; all other codes are drawn anew.

    Returns:
        ``(first, second, shared)``: two ``Codes``, and the position of the shared code in ``spec.names``, shape
        ``(n,)``.

    Source: Lin et al. 2020, section 3; noise is shared as in the authors' code (``latent.sample_same``).
    """
    first, second = spec.sample(n, generator, device), spec.sample(n, generator, device)
    where = first.noise.device
    sizes = torch.tensor(spec.categorical, device=where)
    steps = (torch.rand(n, len(sizes), generator=generator, device=where) * (sizes - 1)).long() + 1
    second = second.replace(categorical=(first.categorical + steps) % sizes)  # another class, never the same
    shared = torch.randint(len(spec.names), (n,), generator=generator, device=where)
    changes, begin = {"noise": first.noise}, 0
    for kind in ("categorical", "continuous", "circular"):
        one, other = getattr(first, kind), getattr(second, kind)
        same = shared[:, None] == torch.arange(begin, begin + one.shape[1], device=where)
        changes[kind], begin = torch.where(same, one, other), begin + one.shape[1]
    return first, second.replace(**changes), shared


def train_step(players, real, spec, config, generator=None, done=0.0):
    """One step: sample, generate, judge and read; show the head pairs; then D, G, Q and the head each move once.

    Args, Returns: as in ``infogan.train_step``.

    Source: Lin et al. 2020, eq. 4; their three updates are made together.
    """
    g, dq, game = players.generator, players.discriminator_q, GAMES[config.game]

    # Sample codes and generate; generate pairs.
    codes = spec.sample(len(real), generator, real.device)
    fake = g(codes)
    first, second, shared = pairs(spec, len(real), generator, real.device)
    one, other = g(first), g(second)

    # Judge real images and fakes; read the codes back; ask which code a pair shares.
    (real_logit, _), (fake_logit, posterior) = dq(real), dq(fake)
    d_loss = game.discriminator(real_logit, fake_logit) + game.penalty(dq, real, fake, generator)
    g_loss = game.generator(fake_logit)
    bound = lower_bound(posterior, codes, spec)
    of_continuous = bound.continuous + bound.circular
    information = config.lambda_categorical * bound.categorical + config.lambda_continuous * of_continuous
    _, told = players.head(torch.cat([one, other], dim=1))
    contrast = F.cross_entropy(told.categorical_logits[0], shared)

    # Update D, G, Q and the head, which climbs together with G.
    descend(
        {
            players.optimizer_d: d_loss - information if config.information_trains_trunk else d_loss,
            players.optimizer_g: g_loss - information + at(config.contrast, done) * contrast,
            players.optimizer_q: -bound.total,
            players.optimizer_h: contrast,
        }
    )
    return step_metrics(d_loss, g_loss, bound, (real_logit, fake_logit), posterior, codes)


METHOD = Method("infogan_cr", StepMetrics, FINITE, make, train_step, generate, infogan.finish)


def fit(images, spec, config=None, *, device=None, checkpoint=None, callback=None, progress=True):
    """Train InfoGAN-CR on images, without labels.

    Args, Returns: as in ``infogan.fit``.
    """
    options = {"device": device, "checkpoint": checkpoint, "callback": callback, "progress": progress}
    players, history, interrupted = run(METHOD, check_images(images), spec, config or Config(), **options)
    return TrainingResult(players.generator, players.discriminator_q, history, interrupted)
