"""ss-InfoGAN: a few labels say from the start which class of c1 is which digit. The page of ``digits``, and labels.

Class k of the first categorical code stands for label k. Q learns it from labelled images and, as always, from fakes;
all other codes are InfoGAN's. Not here: what the recipe adds to InfoGAN, which is ``digits``.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F

from infogan_helpers import checks
from infogan_helpers.data import as_model_range, check_images
from infogan_helpers.games import GAMES
from infogan_helpers.losses import lower_bound
from infogan_helpers.methods import digits
from infogan_helpers.methods.players import (
    FINITE,
    StepMetrics,
    TrainingResult,
    descend,
    generate,
    set_learning_rates,
    step_metrics,
)
from infogan_helpers.schedules import Ramp, at, weight
from infogan_helpers.training import Method, run
from infogan_helpers.transforms import add_noise, add_stray_strokes, random_style

UNLABELLED = -1


@dataclass(frozen=True, kw_only=True)
class Config(digits.Config):
    """Everything that decides a run, apart from the images, their labels and the codes; see ``digits.Config``.

    Args:
        lambda_labels: weight, for Q and the trunk, of the cross-entropy of Q's classes on copies of labelled images.
        labelled_batch: labelled images per step, as many of each class as of any other, on average.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    restarts: int = 0
    lambda_labels: float | Ramp = 1.0
    labelled_batch: int = 32

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "lambda_labels", weight("lambda_labels", self.lambda_labels))
        checks.integer("labelled_batch", self.labelled_batch, least=1)


class Labelled(NamedTuple):
    """The images that have labels, class by class.

    Attributes:
        images: in [-1, 1], sorted by label, shape ``(m, channels, height, width)``.
        counts: how many each class has, all at least 1, shape ``(classes,)``.
    """

    images: torch.Tensor
    counts: torch.Tensor

    def draw(self, n, generator=None):
        """``n`` images and their labels: a class at random, then one of its images."""
        labels = torch.randint(len(self.counts), (n,), generator=generator, device=self.counts.device)
        within = torch.rand(n, generator=generator, device=self.counts.device) * self.counts[labels]
        return self.images[(self.counts.cumsum(0) - self.counts)[labels] + within.long()], labels


def labelled_images(images, labels, spec):
    """The labelled ones among all images.

    Args:
        images: ``uint8`` or floats in [-1, 1], shape ``(n, …)``.
        labels: integers, shape ``(n,)``; ``UNLABELLED`` where there is none.
        spec: the ``CodeSpec``; its first categorical code has a class for each label.

    Returns:
        ``Labelled``.

    Raises:
        ValueError: there is no categorical code, labels are no integers or not as many as images, one lies outside the
            classes, there is none at all, or a class has none.
    """
    if not spec.categorical:
        raise ValueError("spec must have a categorical code for the labels, got none")
    labels, classes = torch.as_tensor(labels), spec.categorical[0]
    if labels.is_floating_point() or labels.shape != (len(images),):
        raise ValueError(f"labels must be {len(images)} integers, got shape {tuple(labels.shape)} of {labels.dtype}")
    labels = labels.long()
    known = labels != UNLABELLED
    if not known.any():
        raise ValueError(f"labels must name the class of at least one image per class, got {UNLABELLED} for all")
    low, high = int(labels[known].min()), int(labels[known].max())
    if not 0 <= low <= high < classes:
        raise ValueError(f"labels must lie in [0, {classes}) or be {UNLABELLED}, got {low} to {high}")
    counts = torch.bincount(labels[known], minlength=classes)
    if (counts == 0).any():
        raise ValueError(f"labels must hold every class, got no image of {(counts == 0).nonzero()[:, 0].tolist()}")
    order = known.nonzero()[:, 0][labels[known].argsort(stable=True)]
    return Labelled(as_model_range(images[order]), counts)


def train_step(players, batch, spec, config, generator=None, done=0.0, *, labelled):
    """One step: sample, generate, judge; read from copies; read labelled images; then D, G and Q each move once.

    Args:
        batch: a pair, whose first part is the images in [-1, 1], shape ``(n, channels, height, width)``.
        labelled: the ``Labelled`` images, on the networks' device.
        players, spec, config, generator, done: as in ``digits.train_step``.

    Returns:
        ``StepMetrics``.

    Source: Spurr et al. 2017, whose Q learns classes from labelled images and from fakes; ``digits.train_step``.
    """
    real, _ = batch
    g, dq, game = players.generator, players.discriminator_q, GAMES[config.game]
    set_learning_rates(players, config, at(config.learning_rate_factor, done))
    noise = at(config.instance_noise, done)

    # Sample codes and generate.
    codes = spec.sample(len(real), generator, real.device)
    fake = g(codes)

    # Judge real images and fakes under noise; read the codes back from copies; read labelled images.
    real_logit, on_real = dq(add_noise(real, noise, generator))
    fake_logit, on_fake = dq(add_noise(fake, noise, generator))
    posterior, read_from, on_copy = digits.read_copies(dq, fake, real, on_fake, config, generator)
    d_loss = game.discriminator(real_logit, fake_logit) + game.penalty(dq, real, fake, generator)
    g_loss = game.generator(fake_logit)
    bound = lower_bound(posterior, codes, spec, read_from)
    information = at(config.lambda_categorical, done) * bound.categorical
    information = information + at(config.lambda_continuous, done) * (bound.continuous + bound.circular)
    of_real = 0.0 if on_copy is None else digits.unlabelled_loss(on_real, on_copy, config, done)
    of_real = of_real + at(config.lambda_labels, done) * label_loss(dq, labelled, config, generator)

    # Update D (and through it the trunk), G and Q. Real images teach Q and the trunk, and G nothing.
    of_trunk = of_real - information if config.information_trains_trunk else of_real
    descend(
        {
            players.optimizer_d: d_loss + of_trunk,
            players.optimizer_g: g_loss - information,
            players.optimizer_q: of_real - bound.total,
        }
    )
    return step_metrics(d_loss, g_loss, bound, (real_logit, fake_logit), posterior, codes)


def label_loss(dq, labelled, config, generator=None):
    """Cross-entropy of Q's classes on copies of labelled images, in nats."""
    images, labels = labelled.draw(config.labelled_batch, generator)
    copies = random_style(images, generator, config.augment)
    if config.stray_strokes:
        copies = add_stray_strokes(copies, config.stray_strokes, generator)
    return F.cross_entropy(dq(copies)[1].categorical_logits[0], labels)


def finish(players, data, spec, config):
    """Measure batch norm anew, as in ``digits.finish``."""
    digits.finish(players, data[0], spec, config)


METHOD = Method("ss_infogan", StepMetrics, FINITE, digits.make, train_step, generate, finish)


def fit(images, spec, config=None, *, labels, device=None, checkpoint=None, callback=None, progress=True):
    """Train on images of which a few have labels.

    Args:
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, channels, height, width)``.
        spec: the ``CodeSpec``; class k of its first categorical code will be label k.
        config: a ``Config``; its defaults where it is ``None``.
        labels: integers, shape ``(n,)``, -1 where there is none.
        device, checkpoint, callback, progress: as in ``training.run``, whose errors these are too.

    Returns:
        ``TrainingResult``, with D and Q's batch norm measured anew (``finish``).

    Raises:
        ValueError: as in ``labelled_images``.
    """
    images, labels = check_images(images), torch.as_tensor(labels)
    labelled = labelled_images(images, labels, spec)

    def step(players, batch, *rest):
        here = Labelled(*(part.to(batch[0].device) for part in labelled))
        return train_step(players, batch, *rest, labelled=here)

    options = {"device": device, "checkpoint": checkpoint, "callback": callback, "progress": progress}
    method = METHOD._replace(step=step)
    players, history, interrupted = run(method, (images, labels), spec, config or Config(), **options)
    return TrainingResult(players.generator, players.discriminator_q, history, interrupted)
