"""AC-InfoGAN: AC-GAN's classifier for the class, InfoGAN's codes for the style. The page of ``infogan``, and labels.

Class k of the first categorical code stands for label k: Q's cross-entropy on real labels and on fakes teaches it, as
the classifier of an AC-GAN. L_I reads all other codes. In print the name stands for "adaptive and contrastive"; this is
the definition of the document that this project was asked to teach. Not here: the networks, the game, and the loop.
"""

from dataclasses import dataclass

import torch.nn.functional as F

from infogan_helpers import checks
from infogan_helpers.arguments import ANSWER, configured, images, integers, takes, tuple_of
from infogan_helpers.data import check_images
from infogan_helpers.games import GAMES
from infogan_helpers.labels import UNLABELLED, check_labels
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
    pictures,
    step_metrics,
    takes_players,
)
from infogan_helpers.training import Method, run


@dataclass(frozen=True, kw_only=True)
class Config(infogan.Config):
    """Everything that decides a run, apart from the images, their labels and the codes; see ``infogan.Config``.

    Args:
        learning_rate_g: as in ``PlayersConfig``, but twice D's: labels train the trunk, and a D that they have made
            strong within 100 steps leaves a slower G with nothing drawn.
        lambda_class: weight of the classifier's cross-entropy: on real labels and on fakes for Q and the trunk, on
            fakes for G.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    learning_rate_g: float = 1e-3
    lambda_class: float = 1.0

    def __post_init__(self):
        super().__post_init__()
        checks.number("lambda_class", self.lambda_class, least=0)


@takes_players(Players, Config, tuple_of(real=pictures, labels=integers()))
def train_step(players, batch, spec, config, generator=None, done=0.0):
    """One step: sample, generate, judge, read and classify; then D, G and Q each move once.

    Args:
        batch: ``(real, labels)``: images in [-1, 1], shape ``(n, *image_shape)``; their classes of c1, integers, shape
            ``(n,)``, -1 where there is none.
        players, spec, config, generator, done: as in ``infogan.train_step``.

    Returns:
        ``StepMetrics``, still on the device.

    Source: Odena, Olah & Shlens 2017, eq. 2 and 3, for c1; Chen et al. 2016, eq. 6, for the others.
    """
    real, labels = batch
    g, dq, game = players.generator, players.discriminator_q, GAMES[config.game]

    # Sample codes and generate.
    codes = spec.sample(len(real), generator, real.device)
    fake = g(codes)

    # Judge real images and fakes; classify both; read the other codes back.
    (real_logit, on_real), (fake_logit, posterior) = dq(real), dq(fake)
    d_loss = game.discriminator(real_logit, fake_logit) + game.penalty(dq, real, fake, generator)
    g_loss = game.generator(fake_logit)
    of_real, of_fake = label_loss(on_real, labels), label_loss(posterior, codes.categorical[:, 0])
    bound = lower_bound(posterior, codes, spec)
    style = config.lambda_categorical * (bound.categorical + of_fake)  # without c1's, but for its constant entropy
    style = style + config.lambda_continuous * (bound.continuous + bound.circular)

    # Update D (and through it the trunk, which is the classifier's too), G and Q.
    classes = config.lambda_class * (of_real + of_fake)
    descend(
        {
            players.optimizer_d: d_loss + classes - (style if config.information_trains_trunk else 0.0),
            players.optimizer_g: g_loss + config.lambda_class * of_fake - style,
            players.optimizer_q: of_real - bound.total,
        }
    )
    return step_metrics(d_loss, g_loss, bound, (real_logit, fake_logit), posterior, codes)


@takes(posterior=ANSWER, labels=integers())
def label_loss(posterior, labels):
    """Cross-entropy of Q's answers for c1 from labels, in nats, over those images that have one; 0 where none has.

    Args:
        posterior: Q's answer for ``n`` images.
        labels: integers, shape ``(n,)``, -1 where there is none.
    """
    rows = [len(logits) for logits in posterior.categorical_logits[:1]]
    if rows != [len(labels)]:
        raise ValueError(f"posterior must read c1 on one image per label, {len(labels)}, got {rows} of them")
    logits = posterior.categorical_logits[0]
    total = F.cross_entropy(logits, labels, ignore_index=UNLABELLED, reduction="sum")
    return total / (labels != UNLABELLED).sum().clamp_min(1)


@takes(data=tuple_of(images=images(None), labels=integers()))
def finish(players, data, spec, config):
    """Measure batch norm anew, as in ``infogan.finish``."""
    infogan.finish(players, data[0], spec, config)


METHOD = Method("ac_infogan", StepMetrics, FINITE, make_players, train_step, generate, finish)


def fit(images, spec, config=None, *, labels, device=None, checkpoint=None, callback=None, progress=True):
    """Train on images with labels.

    Args:
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, channels, height, width)``; for
            ``architecture="mlp"`` any shape ``(n, …)``.
        spec: the ``CodeSpec``; class k of its first categorical code will be label k.
        config: a ``Config``; its defaults where it is ``None``.
        labels: integers, shape ``(n,)``, -1 where there is none.
        device, checkpoint, callback, progress: as in ``training.run``, whose errors these are too.

    Returns:
        ``TrainingResult``, with D and Q's batch norm measured anew (``finish``).

    Raises:
        ValueError: as in ``labels.check_labels``; every class needs a labelled image.
    """
    images = check_images(images)
    data = images, check_labels(labels, len(images), spec)
    options = {"device": device, "checkpoint": checkpoint, "callback": callback, "progress": progress}
    players, history, interrupted = run(METHOD, data, spec, configured(config, Config), **options)
    return TrainingResult(players.generator, players.discriminator_q, history, interrupted)
