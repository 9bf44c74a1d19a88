"""The recipe of notebook 04: InfoGAN, and what Q has to look through where pictures are digits. No labels here either.

The same page as ``infogan``. It adds copies that Q reads codes from, consistency of its answers on real images, noise
on all that D judges, first weights that favour the codes, and schedules. Not here: the changes that make a copy.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F

from infogan_helpers import checks
from infogan_helpers.arguments import (
    ANSWER,
    DQ,
    RANDOM,
    at_least,
    between,
    config_of,
    configured,
    finite,
    floats,
    images,
    instance,
    network,
    numbers,
    seed,
    takes,
)
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import as_model_range, check_images
from infogan_helpers.games import GAMES
from infogan_helpers.losses import answer_information, lower_bound
from infogan_helpers.methods.players import (
    FINITE,
    MAKE,
    Players,
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
    takes_players,
)
from infogan_helpers.schedules import Ramp, at, largest, weight
from infogan_helpers.training import Method, run
from infogan_helpers.transforms import ASPECTS, add_noise, add_stray_strokes, random_style

PICTURES = floats("n, channels, height, width", 1)
JUDGED_FROM = 3_000  # steps of a run: a fifth of a shorter one has not told the digits apart
JUDGED_ON = 5_000  # images whose copies a run is judged by
CONFUSED = 0.18  # share of one answer that may become one other on a second copy


@dataclass(frozen=True, kw_only=True)
class Config(PlayersConfig):
    """Everything that decides a run, apart from the images and the codes; the defaults are the recipe.

    A weight is a ``schedules.Ramp``, or a number that stays.

    Args:
        learning_rate_g, learning_rate_d, learning_rate_q: as in ``PlayersConfig``, at the first step.
        learning_rate_factor: weight that multiplies all three.
        lambda_categorical: weight, how hard G is pushed to raise L_I of the categorical codes; 0 is a GAN that Q
            watches. Q's head climbs L_I itself, whatever the weights.
        lambda_continuous: likewise for the continuous and the circular codes.
        information_trains_trunk: whether D's loss holds the weighted L_I, so that it trains the trunk too.
        augment: how strongly the copy of each fake that Q reads the categorical codes from is rotated, sheared, scaled,
            shifted, bent and thickened (``transforms.random_style``). By data processing I(c; T(x)) <= I(c; x), so L_I
            stays a lower bound.
        keep: what the copies leave alone, in turn, from ``transforms.ASPECTS``: code ``i`` of the continuous and then
            the circular codes is read from the copies that keep ``keep[i % len(keep)]``, so that nothing else can carry
            it. Empty: Q reads these codes from the fake itself.
        stray_strokes: share of the copies that are crossed by a stray stroke (``transforms.add_stray_strokes``); those
            that keep their lean are not.
        consistency: weight of the cross-entropy of Q's categorical answer on a copy of a real image from that on the
            image, held fixed: what Q says should come back.
        answer_information: weight of ``losses.answer_information`` of Q's answers on real images: they should say much.
        class_balance: weight of the entropy of the mean answer in it; 1 makes it mutual information.
        instance_noise: weight, the standard deviation of the Gaussian noise on all that D judges.
        code_gain: how many times larger G's first weights on the codes start than those on the noise.
        restarts: how often a run of at least ``JUDGED_FROM`` steps may start again because, after a fifth of it, two
            codes share digits (``verdict``).

    Raises:
        ValueError: a field is out of range, or fields do not go together; the message names it.
    """

    steps: int = 3000
    learning_rate_g: float = 1e-3
    learning_rate_d: float = 1e-3
    learning_rate_q: float = 1e-3
    learning_rate_factor: float | Ramp = Ramp(0.5, 1.0, 1.0, 0.02)
    lambda_categorical: float | Ramp = Ramp(0.0875, 0.2, 0.1, 1.0)
    lambda_continuous: float | Ramp = Ramp(0.25, 0.375, 0.0, 0.5)
    information_trains_trunk: bool = True
    augment: float = 1.0
    keep: tuple[str, ...] = ("lean", "stroke")
    stray_strokes: float = 0.5
    consistency: float | Ramp = Ramp(0.0, 0.15, 0.0, 3.0)
    answer_information: float | Ramp = Ramp(0.0, 0.15, 0.0, 3.0)
    class_balance: float | Ramp = Ramp(0.25, 0.5, 4.0, 1.0)
    instance_noise: float | Ramp = Ramp(0.0, 0.5, 0.3, 0.0)
    code_gain: float = 3.0
    restarts: int = 4

    def __post_init__(self):
        super().__post_init__()
        for name in (
            "learning_rate_factor",
            "lambda_categorical",
            "lambda_continuous",
            "consistency",
            "answer_information",
            "class_balance",
            "instance_noise",
        ):
            object.__setattr__(self, name, weight(name, getattr(self, name)))
        checks.boolean("information_trains_trunk", self.information_trains_trunk)
        checks.number("augment", self.augment, above=0), checks.number("code_gain", self.code_gain, above=0)
        checks.integer("restarts", self.restarts, least=0)
        checks.number("stray_strokes", self.stray_strokes, least=0, most=1)
        if not isinstance(self.keep, (tuple, list)) or not all(aspect in ASPECTS for aspect in self.keep):
            raise ValueError(f"keep must be a tuple of aspects from {ASPECTS}, got {self.keep!r}")
        object.__setattr__(self, "keep", tuple(self.keep))
        if self.batch_size < len(self.keep):
            raise ValueError(
                f"batch_size must be at least {len(self.keep)}, one image per aspect kept, got {self.batch_size}"
            )


_RECIPE = Config()
PRESETS = {
    "recipe": _RECIPE,
    "control": replace(  # the recipe with λ = 0: nobody asks G for the codes, or Q for answers on real images
        _RECIPE, lambda_categorical=0.0, lambda_continuous=0.0, consistency=0.0, answer_information=0.0, restarts=0
    ),
}


@takes(config=config_of(Config), **MAKE)
def make(spec, image_shape, config, device="cpu"):
    """``make_players``, and G's first weights on the codes multiplied by ``config.code_gain``.

    Raises:
        ValueError: the images have no height and width, or their shape does not fit the architecture.
    """
    players = make_players(spec, image_shape, config, device)
    if len(image_shape) != 3:
        raise ValueError(
            f"images must have shape (n, channels, height, width) to be copied, got image_shape {image_shape}"
        )
    amplify_codes(players.generator, spec, config.code_gain)
    return players


@takes_players(Players, Config)
def train_step(players, real, spec, config, generator=None, done=0.0):
    """One step of the recipe: sample, generate, judge; read from copies; then D, G and Q each move once.

    Args:
        players: the ``Players``, changed in place.
        real: a batch of images in [-1, 1], shape ``(n, channels, height, width)``, on the networks' device.
        spec: the ``CodeSpec`` to sample from.
        config: the ``Config``.
        generator: the ``torch.Generator`` of codes, noise and copies, on that device; torch's own where it is ``None``.
        done: share of the run that lies behind, in [0, 1]: scheduled weights depend on it.

    Returns:
        ``StepMetrics``, still on the device: reading one is what costs time on a GPU.

    Source: ``infogan.train_step``; what real images teach after Hu et al. 2017 (IMSAT) and Xie et al. 2020.
    """
    g, dq, game = players.generator, players.discriminator_q, GAMES[config.game]
    set_learning_rates(players, config, at(config.learning_rate_factor, done))
    noise = at(config.instance_noise, done)

    # Sample codes and generate.
    codes = spec.sample(len(real), generator, real.device)
    fake = g(codes)

    # Judge real images and fakes under noise; read the codes back from copies of the fakes.
    real_logit, on_real = dq(add_noise(real, noise, generator))
    fake_logit, on_fake = dq(add_noise(fake, noise, generator))
    posterior, read_from, on_copy = read_copies(dq, fake, real, on_fake, config, generator)
    d_loss = game.discriminator(real_logit, fake_logit) + game.penalty(dq, real, fake, generator)
    g_loss = game.generator(fake_logit)
    bound = lower_bound(posterior, codes, spec, read_from)
    information = at(config.lambda_categorical, done) * bound.categorical
    information = information + at(config.lambda_continuous, done) * (bound.continuous + bound.circular)
    of_real = 0.0 if on_copy is None else unlabelled_loss(on_real, on_copy, config, done)

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


@takes(fake=PICTURES, real=PICTURES, config=config_of(Config), generator=RANDOM)
def make_copies(fake, real, config, generator):
    """Copies of the fakes, changed but for the aspect that each keeps, and of the real images; some are crossed.

    Returns:
        Images, fakes first; copies of the real ones only where the configuration asks Q about them.
    """
    n, copies = len(fake), random_style(fake, generator, config.augment, config.keep)
    if max(largest(config.consistency), largest(config.answer_information)) > 0:
        copies = torch.cat([copies, random_style(real, generator, config.augment)])
    if config.stray_strokes == 0:
        return copies
    shares = torch.full((len(copies),), config.stray_strokes, device=fake.device)
    for i, aspect in enumerate(config.keep):
        if aspect == "lean":
            shares[i : n : len(config.keep)] = 0  # a stroke has a lean of its own
    return add_stray_strokes(copies, shares, generator)


@takes(dq=DQ, fake=PICTURES, real=PICTURES, on_fake=ANSWER, config=config_of(Config), generator=RANDOM)
def read_copies(dq, fake, real, on_fake, config, generator):
    """What Q reads from copies, in a forward pass of its own: among the fakes they would shift batch norm.

    Returns:
        ``(posterior of the fakes, read_from of lower_bound, posterior of the real images' copies)``: the second is
        ``None`` where every code is read from every image, the third where real images are not asked about.
    """
    if min(len(fake), len(real)) < len(config.keep):
        raise ValueError(
            f"real and fake must hold at least {len(config.keep)} images, one per aspect kept, "
            f"got {len(real)} and {len(fake)}"
        )
    n, copies = len(fake), make_copies(fake, real, config, generator)
    _, read = dq(copies)
    posterior, on_copy = read.rows(slice(0, n)), read.rows(slice(n, None)) if len(copies) > n else None
    if not config.keep:
        return on_fake._replace(categorical_logits=posterior.categorical_logits), None, on_copy
    row = torch.arange(n, device=fake.device)[:, None] % len(config.keep)
    others = posterior.mean.shape[1] + len(posterior.circular)
    code = torch.arange(others, device=fake.device)[None, :] % len(config.keep)
    everywhere = torch.ones(n, len(posterior.categorical_logits), dtype=torch.bool, device=fake.device)
    return posterior, torch.cat([everywhere, row == code], dim=1), on_copy


@takes(on_image=ANSWER, on_copy=ANSWER, config=config_of(Config), done=between(0, 1))
def unlabelled_loss(on_image, on_copy, config, done):
    """What Q's categorical answers on real images lack, in nats: to come back on a copy, and to say much.

    Args:
        on_image, on_copy: the ``Posterior`` of a batch of real images, and of a copy of each.
        config: the ``Config``, with the weights of both.
        done: share of the run that lies behind, in [0, 1].

    Returns:
        A scalar, summed over the categorical codes. The answer on the image is held fixed in the cross-entropy.
    """
    shapes = [[tuple(x.shape) for x in answer.categorical_logits] for answer in (on_image, on_copy)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"on_image and on_copy must hold logits of one shape, got {shapes[0]} and {shapes[1]}")
    consistency, information = at(config.consistency, done), at(config.answer_information, done)
    balance = at(config.class_balance, done)
    return sum(
        consistency * F.cross_entropy(copy, image.detach().softmax(dim=1))
        - information * answer_information(image, balance)
        for image, copy in zip(on_image.categorical_logits, on_copy.categorical_logits, strict=True)
    )


@takes_players(Players, Config, images(None))
def finish(players, images, spec, config):
    """Measure batch norm anew on real images, fakes and copies: what a step shows D and Q."""

    def shown(real, fake, generator):
        return real, fake, make_copies(fake, real, config, generator)

    recalibrate_batch_norm(players, images, spec, config.seed, shown)


@takes(
    discriminator_q=network("spec"), images=images(), strength=between(0, None), stray_strokes=between(0, 1), seed=seed
)
@torch.no_grad()
def answers_on_copies(discriminator_q, images, strength=1.0, stray_strokes=0.5, seed=0):
    """How the answers to one copy of each image meet those to another: no label needed.

    Two copies of one digit are one digit. Where c1 holds digits, an answer comes back; where two codes share a digit,
    or two digits a code, one answer becomes another on the second copy.

    Args:
        discriminator_q: the network, in eval mode; of its codes the first categorical one is asked for.
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, channels, height, width)``, on its device.
        strength: of the copies, as in ``transforms.random_style``.
        stray_strokes: share of them that a stroke crosses.
        seed: of the copies.

    Returns:
        Floats of shape ``(classes, classes)``, symmetric, adding up to 1: how probable each pair of answers is.

    Raises:
        ValueError: the images have another shape than the network takes, or it reads no class.
    """
    if not discriminator_q.spec.categorical:
        raise ValueError("discriminator_q must read a categorical code, got one that reads none")
    random, plain = torch.Generator(images.device).manual_seed(seed), as_model_range(images)
    copies = (add_stray_strokes(random_style(plain, random, strength), stray_strokes, random) for _ in range(2))
    one, other = (discriminator_q(x)[1].categorical_logits[0].double().softmax(dim=1) for x in copies)
    joint = (one.T @ other + other.T @ one) / (2 * len(images))
    return finite()("discriminator_q", joint).cpu().numpy()


@takes(joint=numbers("classes, classes"))
def most_confused(joint):
    """Of all answers to one copy, the largest share of one that becomes one other on a second copy.

    Args:
        joint: from ``answers_on_copies``.

    Returns:
        ``(share, answer, other)``.
    """
    share = joint / np.maximum(joint.sum(axis=1, keepdims=True), 1e-12)  # an answer may never be given
    np.fill_diagonal(share, 0)
    answer, other = np.unravel_index(share.argmax(), share.shape)
    return float(share[answer, other]), int(answer), int(other)


@takes(
    players=instance(Players),
    images=images(None),
    spec=instance(CodeSpec),
    config=config_of(Config),
    attempt=at_least(0),
)
def verdict(players, images, spec, config, attempt):
    """Whether two codes share digits so far: why the run should start again, or ``None``; no label is read."""
    if attempt == config.restarts or config.steps < JUDGED_FROM or not spec.categorical:
        return None
    finish(players, images, spec, config)
    share, answer, other = most_confused(answers_on_copies(players.discriminator_q, images[:JUDGED_ON]))
    if share <= CONFUSED:
        return None
    return f"of two copies of a digit, where one is answered c1 = {answer}, the other is {other} in {share:.0%}"


METHOD = Method("digits", StepMetrics, FINITE, make, train_step, generate, finish, verdict)


def fit(images, spec, config=None, *, device=None, checkpoint=None, callback=None, progress=True):
    """Train InfoGAN on images by the recipe, without labels.

    Args:
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, channels, height, width)``, paper at the lowest.
        spec: the ``CodeSpec``.
        config: a ``Config``; its defaults where it is ``None``.
        device, checkpoint, callback, progress: as in ``training.run``, whose errors these are too.

    Returns:
        ``TrainingResult``, with D and Q's batch norm measured anew (``finish``).
    """
    options = {"device": device, "checkpoint": checkpoint, "callback": callback, "progress": progress}
    players, history, interrupted = run(METHOD, check_images(images), spec, configured(config, Config), **options)
    return TrainingResult(players.generator, players.discriminator_q, history, interrupted)
