"""InfoGAN on the worlds of notebooks 06 and 07: each code is read from a view of the picture. No labels here.

Real images teach Q, on views, what an answer is; then G has to obey. Not here: views (``views.py``), and the losses of
answers on them (``viewed_losses.py``).
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F

from infogan_helpers import checks
from infogan_helpers.data import check_images
from infogan_helpers.games import GAMES
from infogan_helpers.losses import answer_information, lower_bound
from infogan_helpers.methods.players import (
    FINITE,
    PlayersConfig,
    StepMetrics,
    TrainingResult,
    amplify_codes,
    descend,
    generate,
    make_players,
    recalibrate_batch_norm,
    set_learning_rates,
    step_metrics,
)
from infogan_helpers.methods.viewed_losses import answer_spread, class_imbalance, distance_disagreement
from infogan_helpers.posteriors import Posterior
from infogan_helpers.schedules import Ramp
from infogan_helpers.training import Method, run
from infogan_helpers.transforms import add_noise
from infogan_helpers.views import UNANSWERED, VIEWS, view

NOISE_FADES = Ramp(0.0, 0.5, 1.0, 0.0)
RATES_FALL = Ramp(0.65, 1.0, 1.0, 0.02)
# After the head start: real pictures teach Q what an answer is, then G must obey.
CONSISTENCY_RISES = (0.0, 0.1)
READING_RISES = (0.1, 0.3)
# With lessons at the end, shares of the run: how long before them G's rate falls to 0, and the others' at their end.
G_STOPS, LESSONS_FADE = 0.1, 0.1
LESSONS_RATE = 2.0  # of the learning rates while G rests: no game is left that a large step could upset
READING = 0.2  # weight of L_I for Q and the trunk: a Q that fits early fakes forgets what real pictures taught it
TEACHING = 8.0  # weight of learning a class on the image from the answer on the view: that takes longest
UNIFORM_TEACHING = 2.0  # of learning a uniform code there, until the lessons


@dataclass(frozen=True, kw_only=True)
class Config(PlayersConfig):
    """Everything that decides a run, apart from the images and the codes; see ``PlayersConfig`` for the players.

    Args:
        lambda_categorical: how hard G is pushed, once codes are read, to raise L_I of the categorical codes.
        lambda_continuous: likewise for the continuous codes.
        information_trains_trunk: whether L_I trains the trunk too.
        views: the view (``views.VIEWS``) that each code is read from, categorical codes first; each view shows Q its
            share of the batch.
        consistency: weight of what Q's answers on real images should do: on a view say much, and be the same on the
            image, but for the views in ``views.UNANSWERED``.
        class_balance: weight, beside consistency, of using all classes of a code equally often, whatever the uniform
            codes say (``class_imbalance``); with many classes, some die else, and others stand for a uniform code.
        head_start: share of the run in which G learns to draw before anything is read from a view.
        trunk_share: weight, for the trunk, of what real images teach Q on views; a busy Q makes a lenient D.
        lessons: share of the run, at its end, in which G rests and real images teach the trunk in full, uniform codes
            as loudly as classes, at twice the rates; until then a small ``trunk_share`` leaves G a D to learn from.
        view_noise: standard deviation of the Gaussian noise on views: what is fainter can carry no code.
        instance_noise: standard deviation, at the first step, of the Gaussian noise on all that D judges.
        code_gain: how many times larger G's first weights on the codes start than those on the noise.

    Raises:
        ValueError: a field is out of range, or fields do not go together; the message names it.
    """

    learning_rate_g: float = 1e-3
    learning_rate_d: float = 1e-3
    learning_rate_q: float = 1e-3
    lambda_categorical: float = 1.0
    lambda_continuous: float = 0.5
    information_trains_trunk: bool = True
    views: tuple[str, ...]
    consistency: float = 1.0
    class_balance: float = 0.0
    head_start: float = 0.0
    trunk_share: float = 0.1
    lessons: float = 0.0
    view_noise: float = 0.2
    instance_noise: float = 0.3
    code_gain: float = 3.0

    def __post_init__(self):
        super().__post_init__()
        checks.boolean("information_trains_trunk", self.information_trains_trunk)
        checks.number("code_gain", self.code_gain, above=0)
        weights = ("lambda_categorical", "lambda_continuous", "consistency", "class_balance")
        for name in (*weights, "view_noise", "instance_noise"):
            checks.number(name, getattr(self, name), least=0)
        for name in ("head_start", "trunk_share", "lessons"):
            checks.number(name, getattr(self, name), least=0, most=1)
        is_list = isinstance(self.views, (tuple, list)) and self.views
        if not is_list or not all(name in VIEWS for name in self.views):
            raise ValueError(f"views must be a tuple of views from {tuple(VIEWS)}, got {self.views!r}")
        object.__setattr__(self, "views", tuple(self.views))
        least = 3 * len(set(self.views))
        if self.batch_size < least:
            raise ValueError(f"batch_size must be at least {least}, three per view, got {self.batch_size}")

    @property
    def scheduled(self):
        """Always: what is asked for depends on the share of the run that lies behind."""
        return True


def make(spec, image_shape, config, device="cpu"):
    """``make_players``, and G's first weights on the codes multiplied by ``config.code_gain``.

    Raises:
        ValueError: the views do not fit the codes, a code is circular, or the image shape does not fit the
            architecture.
    """
    if spec.circular:
        raise ValueError(f"spec must have no circular code where codes are read from views, got {spec.circular}")
    n_codes = len(spec.categorical) + spec.continuous
    if len(config.views) != n_codes:
        raise ValueError(f"views must name one view for each of {n_codes} codes, got {len(config.views)}")
    players = make_players(spec, image_shape, config, device)
    amplify_codes(players.generator, spec, config.code_gain)
    return players


def train_step(players, real, spec, config, generator=None, done=0.0):
    """One step: sample, generate, judge; read from views; then D, G (unless it rests) and Q each move once.

    Args, Returns: as in ``infogan.train_step``; ``done`` decides what is asked.
    """
    g, dq, game = players.generator, players.discriminator_q, GAMES[config.game]
    weights = weights_at(config, done)
    set_learning_rates(players, config, weights.learning_rate)
    players.optimizer_g.param_groups[0]["lr"] *= weights.learning_rate_g

    # Sample codes and generate.
    codes = spec.sample(len(real), generator, real.device)
    fake = g(codes)

    # Judge real images and fakes under noise; read the codes back from views.
    real_logit, on_real = dq(add_noise(real, weights.instance_noise, generator))
    fake_logit, on_fake = dq(add_noise(fake, weights.instance_noise, generator))
    if weights.consistency == weights.reading == 0:
        posterior, read_from, on_view = on_fake, None, None  # nobody asks yet
    else:
        posterior, read_from, on_view = read_views(dq, fake, real, on_fake, config, generator)
    d_loss = game.discriminator(real_logit, fake_logit) + game.penalty(dq, real, fake, generator)
    g_loss = game.generator(fake_logit)
    bound = lower_bound(posterior, codes, spec, read_from)
    information = weights.categorical * bound.categorical + weights.continuous * bound.continuous
    disagreement = 0.0
    if on_view is not None:
        disagreement = weights.consistency * inconsistency(on_real, on_view, config, weights.uniform_teaching)
    reading = weights.reading * bound.total
    of_trunk = weights.trunk_share * disagreement
    if config.information_trains_trunk:
        of_trunk = of_trunk - reading

    # Update D (and through it the trunk), G and Q.
    losses = {players.optimizer_d: d_loss + of_trunk}
    if weights.learning_rate_g > 0:  # else G rests
        losses[players.optimizer_g] = g_loss - information
    descend(losses | {players.optimizer_q: disagreement - reading})
    return step_metrics(d_loss, g_loss, bound, (real_logit, fake_logit), posterior, codes)


class Weights(NamedTuple):
    """What the schedule says at one moment: see ``Config``.

    ``reading`` weighs L_I for Q's head and the trunk; ``learning_rate`` multiplies the three rates, ``learning_rate_g``
    that of G once more. While G rests, the others' rates are doubled, ``trunk_share`` is 1, and ``uniform_teaching``,
    the weight of learning a uniform code on the image, is that of a class.
    """

    categorical: float
    continuous: float
    reading: float
    consistency: float
    instance_noise: float
    learning_rate: float
    learning_rate_g: float
    trunk_share: float
    uniform_teaching: float


def weights_at(config, done):
    """The weights of a run of which the share ``done``, in [0, 1], lies behind."""

    def risen(start, end):
        return min(1.0, max(0.0, (done - start) / (end - start)))

    read, asked = (
        risen(*(config.head_start + share for share in season)) for season in (READING_RISES, CONSISTENCY_RISES)
    )
    rates, rate_g = RATES_FALL(done), 1.0
    if config.lessons > 0:
        rates = Ramp(1 - LESSONS_FADE, 1.0, RATES_FALL.before, RATES_FALL.after)(done)
        rate_g = 1 - risen(1 - config.lessons - G_STOPS, 1 - config.lessons)
    g_rests = rate_g == 0
    return Weights(
        config.lambda_categorical * read,
        config.lambda_continuous * read,
        READING * read,
        config.consistency * asked,
        config.instance_noise * NOISE_FADES(done),
        rates * (LESSONS_RATE if g_rests else 1.0),
        rate_g,
        1.0 if g_rests else config.trunk_share,
        TEACHING if g_rests else UNIFORM_TEACHING,
    )


class OnView(NamedTuple):
    """What Q answered about real images in one view."""

    images: torch.Tensor  # which of the batch
    shown: torch.Tensor
    posterior: Posterior


def read_views(dq, fake, real, on_fake, config, generator):
    """Image ``i`` is shown in view ``i % kinds``; in the views of classes (and others in ``in_full``) all real ones.

    Returns:
        ``(posterior of the fakes, read_from of lower_bound, an OnView of real images for each view)``.
    """
    n, kinds = len(fake), tuple(dict.fromkeys(config.views))
    in_full = set(config.views[: len(on_fake.categorical_logits)])
    if config.class_balance > 0:  # it compares answers on classes with those on uniform codes, image by image
        in_full |= set(config.views) - set(UNANSWERED)
    row = torch.arange(n, device=fake.device)
    shares = [row[k :: len(kinds)] for k in range(len(kinds))]
    asked = [row if kind in in_full else share for kind, share in zip(kinds, shares, strict=True)]
    shown = [view(fake[rows], kind) for rows, kind in zip(shares, kinds, strict=True)]
    shown += [view(real[rows], kind) for rows, kind in zip(asked, kinds, strict=True)]
    _, read = dq(add_noise(torch.cat(shown), config.view_noise, generator))
    posterior = read.rows(torch.cat(shares).argsort())
    on_view, start = {}, n
    for kind, rows, pictures in zip(kinds, asked, shown[len(kinds) :], strict=True):
        on_view[kind] = OnView(rows, pictures, read.rows(slice(start, start + len(rows))))
        start += len(rows)
    read_from = torch.stack([row % len(kinds) == kinds.index(name) for name in config.views], dim=1)
    return posterior, read_from, on_view


def inconsistency(on_image, on_view, config, uniform_teaching=UNIFORM_TEACHING):
    """How little Q's answers on views of real images say, and how far those on the images differ.

    A view shows one thing plainly and is where an answer is found; the image learns it from there: by cross-entropy for
    a class, less ``answer_information``, in nats; by distance and ``answer_spread`` for a continuous code; either kind
    by ``distance_disagreement``.
    """
    total, classes = 0.0, len(on_image.categorical_logits)
    answered = [(code, name) for code, name in enumerate(config.views) if name not in UNANSWERED]
    uniform = [on_view[name].posterior.mean[:, code - classes, None] for code, name in answered if code >= classes]
    for code, name in answered:
        rows, shown, on_its_view = on_view[name]
        if code < classes:
            image, seen = on_image.categorical_logits[code][rows], on_its_view.categorical_logits[code]
            taught = F.cross_entropy(image, seen.detach().softmax(dim=1))
            total = total + TEACHING * taught - 3 * answer_information(seen)
            total = total + distance_disagreement(seen.softmax(dim=1), shown)
            if config.class_balance > 0:
                beside = torch.cat([seen.new_zeros(len(seen), 0), *uniform], dim=1)
                total = total + config.class_balance * class_imbalance(seen, beside)
        else:
            image, seen = on_image.mean[rows, code - classes], on_its_view.mean[:, code - classes]
            total = total + (uniform_teaching * (seen.detach() - image).abs().mean() + 2 * answer_spread(seen))
            total = total + distance_disagreement(seen, shown)
    return total


def finish(players, images, spec, config):
    """Measure batch norm anew on real images alone: Q is asked about those, and early fakes would shift it."""
    recalibrate_batch_norm(players, images, spec, config.seed, lambda real, fake, generator: (real,))


METHOD = Method("viewed", StepMetrics, FINITE, make, train_step, generate, finish)


def fit(images, spec, config, *, device=None, checkpoint=None, callback=None, progress=True):
    """Train InfoGAN on pictures of a world, each code read from its view, without labels.

    Args:
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, 1, side, side)``.
        spec: the ``CodeSpec``.
        config: a ``Config``; it has no default, because views belong to a world.
        device, checkpoint, callback, progress: as in ``training.run``, whose errors these are too.

    Returns:
        ``TrainingResult``, with D and Q's batch norm measured anew (``finish``).
    """
    options = {"device": device, "checkpoint": checkpoint, "callback": callback, "progress": progress}
    players, history, interrupted = run(METHOD, check_images(images), spec, config, **options)
    return TrainingResult(players.generator, players.discriminator_q, history, interrupted)
