"""ss-InfoGAN: a few labels say from the start which class of c1 is which digit. The page of ``digits``, and labels.

Class k of the first categorical code stands for label k. Q learns it from labelled images and, as always, from fakes;
all other codes are InfoGAN's. Labels come first: for a fifth of the run nobody asks G for a class, or real images
without a label for an answer. Asked at once, G and the real images settle on classes of their own, and a label that
disagrees is learned by heart, an exception among ten. Not here: what the recipe adds to InfoGAN, which is ``digits``.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from infogan_helpers import arguments, checks
from infogan_helpers.arguments import (
    DQ,
    RANDOM,
    config_of,
    configured,
    floats,
    images,
    integers,
    takes,
    tuple_of,
)
from infogan_helpers.data import check_images
from infogan_helpers.games import GAMES
from infogan_helpers.labels import Labelled, labelled_images
from infogan_helpers.losses import lower_bound
from infogan_helpers.methods import digits
from infogan_helpers.methods.players import (
    FINITE,
    MAKE,
    Players,
    StepMetrics,
    TrainingResult,
    amplify_codes,
    descend,
    generate,
    pictures,
    set_learning_rates,
    step_metrics,
    takes_players,
)
from infogan_helpers.runtime import default_device
from infogan_helpers.schedules import Ramp, at, weight
from infogan_helpers.training import Method, run
from infogan_helpers.transforms import add_noise, add_stray_strokes, random_style

PICTURES = floats("n, channels, height, width", 1)
QUIET = 0.1  # of what ``code_gain`` gives G's first weights on c1: what a class draws is not settled by a first draw


@dataclass(frozen=True, kw_only=True)
class Config(digits.Config):
    """Everything that decides a run, apart from the images, their labels and the codes; see ``digits.Config``.

    Args:
        lambda_labels: weight, for Q and the trunk, of the cross-entropy of Q's classes on copies of labelled images.
        labelled_batch: labelled images per step, beside ``batch_size`` that are taken for unlabelled.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    steps: int = 1500
    lambda_categorical: float | Ramp = Ramp(0.2, 0.3, 0.0, 0.2)
    consistency: float | Ramp = Ramp(0.2, 0.35, 0.0, 3.0)
    answer_information: float | Ramp = Ramp(0.2, 0.35, 0.0, 3.0)
    restarts: int = 0  # labels tell the digits apart
    lambda_labels: float | Ramp = 1.0
    labelled_batch: int = 32

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "lambda_labels", weight("lambda_labels", self.lambda_labels))
        checks.integer("labelled_batch", self.labelled_batch, least=1)


@takes(config=config_of(digits.Config), **MAKE)
def make(spec, image_shape, config, device="cpu"):
    """``digits.make``, with weights on c1 that start small.

    Raises:
        ValueError: as in ``digits.make``.
    """
    players = digits.make(spec, image_shape, config, device)
    amplify_codes(players.generator, spec, QUIET, slice(spec.categorical[0]))
    return players


@takes_players(Players, Config, tuple_of(real=pictures, labelled=PICTURES, labels=integers()))
def train_step(players, batch, spec, config, generator=None, done=0.0):
    """One step: sample, generate, judge; read copies and labelled images; then D, G and Q each move once.

    Args:
        players: the ``Players``, changed in place.
        batch: ``(real, labelled, labels)``: images in [-1, 1], shape ``(n, channels, height, width)``; those with
            labels, shape ``(m, channels, height, width)``, and their classes of c1, integers, shape ``(m,)``.
        spec, config, generator, done: as in ``digits.train_step``.

    Returns:
        ``StepMetrics``, still on the device.

    Source: Spurr, Aksan & Hilliges 2017, whose Q learns classes from labelled images and from fakes; the rest is
    ``digits.train_step``.
    """
    real, labelled, labels = batch
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
    of_real = of_real + at(config.lambda_labels, done) * label_loss(dq, labelled, labels, config, generator)

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


@takes(dq=DQ, labelled=PICTURES, labels=integers(), config=config_of(Config), generator=RANDOM)
def label_loss(dq, labelled, labels, config, generator=None):
    """Cross-entropy of Q's classes on copies of labelled images, in nats; ``log(classes)`` where Q knows nothing.

    Args:
        dq: D and Q.
        labelled: images in [-1, 1], shape ``(m, channels, height, width)``.
        labels: their classes, integers, shape ``(m,)``.
        config: says how strong the copies are and how many a stray stroke crosses.
        generator: the ``torch.Generator`` of the copies.
    """
    if len(labelled) != len(labels):
        raise ValueError(f"labels must be one per image, {len(labelled)}, got {len(labels)}")
    copies = add_stray_strokes(random_style(labelled, generator, config.augment), config.stray_strokes, generator)
    return F.cross_entropy(dq(copies)[1].categorical_logits[0], labels)


@takes(data=tuple_of(images=images(None), labels=integers()))
def finish(players, data, spec, config):
    """Measure batch norm anew, as in ``digits.finish``."""
    digits.finish(players, data[0], spec, config)


METHOD = Method("ss_infogan", StepMetrics, FINITE, make, train_step, generate, finish)


def fit(images, spec, config=None, *, labels, device=None, checkpoint=None, callback=None, progress=True):
    """Train on images of which a few have labels.

    Args:
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, channels, height, width)``.
        spec: the ``CodeSpec``; class k of its first categorical code will be label k.
        config: a ``Config``; its defaults where it is ``None``.
        labels: integers, shape ``(n,)``, -1 where there is none; ``labels.few_labels`` hides most of them.
        device, checkpoint, callback, progress: as in ``training.run``, whose errors these are too.

    Returns:
        ``TrainingResult``, with D and Q's batch norm measured anew (``finish``).

    Raises:
        ValueError: as in ``labels.check_labels``; every class needs a labelled image.
    """
    images, config = check_images(images), configured(config, Config)
    device = default_device() if device is None else arguments.device("device", device)
    few = Labelled(*(part.to(device) for part in labelled_images(images, labels, spec)))

    def step(players, batch, spec, config, generator, done):
        real, _ = batch  # whose few labels are too few: labelled images have draws of their own
        batch = (real, *few.draw(config.labelled_batch, generator))
        return train_step(players, batch, spec, config, generator, done)

    options = {"device": device, "checkpoint": checkpoint, "callback": callback, "progress": progress}
    data = images, torch.as_tensor(labels).long()
    players, history, interrupted = run(METHOD._replace(step=step), data, spec, config, **options)
    return TrainingResult(players.generator, players.discriminator_q, history, interrupted)
