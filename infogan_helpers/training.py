"""InfoGAN's algorithm, and the loop around it: configuration, one step, a run that can stop and go on.

``train_step`` is the lesson; notebooks 03 and 04 walk through it. ``fit`` is the plumbing. Labels appear nowhere here.
"""

import math
import signal
import threading
import time
import zlib
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn
from tqdm.auto import tqdm

from infogan_helpers.checkpoints import (
    load_network_tensors,
    load_optimizer_tensors,
    load_tensors,
    network_tensors,
    optimizer_tensors,
    save_tensors,
)
from infogan_helpers.codes import Codes
from infogan_helpers.data import BatchSampler, as_model_range, to_uint8
from infogan_helpers.losses import (
    answer_information,
    answer_spread,
    answer_unevenness,
    discriminator_loss,
    distance_disagreement,
    generator_loss,
    lower_bound,
)
from infogan_helpers.networks import ARCHITECTURES, Posterior
from infogan_helpers.runtime import default_device, isolated_randomness
from infogan_helpers.transforms import ASPECTS, add_stray_strokes, random_style
from infogan_helpers.views import UNANSWERED, VIEWS, view

FREE_TO_CHANGE = ("sample_every", "checkpoint_every")  # fields that move no weight: a resumed run may differ
# The seasons of a scheduled run, as shares of it.
CATEGORICAL_RISES = (0.075, 0.2)  # λ of the categorical codes, from CATEGORICAL_FLOOR of itself to all of it
CATEGORICAL_FLOOR = 0.1
AGREEMENT_RISES = (0.15, 0.3)  # from 0
CONTINUOUS_RISES = (0.25, 0.375)  # λ of the continuous codes, from 0
NOISE_FADES = (0.0, 0.5)  # to 0
RATES_FALL = (0.5, 1.0)  # the learning rates, to RATES_END of themselves
RATES_END = 0.02
# The same where Q reads views, after the head start: real pictures teach Q what an answer is, then G must obey.
VIEWS_AGREE = (0.0, 0.1)
VIEWS_ARE_READ = (0.1, 0.3)
VIEWED_RATES_FALL = (0.65, 1.0)  # of the whole run
# With lessons at the end, shares of the run: how long before them G's rate falls to 0, and the others' at their end.
G_STOPS, LESSONS_FADE = 0.1, 0.1
LESSONS_RATE = 2.0  # of the learning rates while G rests: no game is left that a large step could upset
READING = 0.2  # weight of L_I for Q and the trunk there: a Q that fits early fakes forgets what real pictures taught it
TEACHING = 8.0  # weight of learning a class on the image from the answer on the view: that takes longest
UNIFORM_TEACHING = 2.0  # of learning a uniform code there, until the lessons

READ_EVERY = 50  # steps between two looks at the metrics: each look makes a GPU wait
SAMPLE_COLUMNS = 10
SETTLING_BATCH, SETTLING_BATCHES = 128, 20  # images a batch, and batches, over which batch norm is measured at the end


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides a run, apart from the images and the codes.

    The defaults are the recipe of notebook 04; ``PRESETS`` holds it and its rivals.

    Args:
        steps: updates of each player.
        batch_size: images a step.
        learning_rate_g: Adam's learning rate for G.
        learning_rate_d: for D, which owns the trunk and its own head.
        learning_rate_q: for Q's head.
        betas: Adam's two decay rates.
        lambda_categorical: how hard G is pushed to raise L_I of the categorical codes; 0 is an ordinary GAN that Q
            watches. Q's head climbs L_I itself, whatever the weights.
        lambda_continuous: likewise for the continuous codes.
        information_trains_trunk: whether D's loss holds the weighted L_I, so that it trains the trunk too.
        scheduled: whether the run has seasons: λ of the categorical codes rises first, then the weight of agreement,
            then λ of the continuous codes; instance noise fades over the first half and the learning rates fall over
            the second. Otherwise every weight stays as it is here, and a finished run can be made longer.
        restyle: how strongly the copy of each fake that Q reads the categorical codes from is rotated, sheared, scaled,
            shifted, bent and thickened (``transforms.random_style``); 0 lets Q read the fake itself. By data processing
            I(c; T(x)) <= I(c; x), so L_I stays a lower bound. Images only.
        keep: what the copies leave alone, in turn, from ``transforms.ASPECTS``: continuous code ``i`` is read from the
            copies that keep ``keep[i % len(keep)]``, so that nothing else can carry it. Empty: Q reads the continuous
            codes from the fake itself.
        stray_strokes: share of the copies that are crossed by a stray stroke (``transforms.add_stray_strokes``); those
            that keep their lean are not.
        agreement: weight of what Q's categorical answers on real images should do: say much (``losses.
            answer_information``), and come back on a copy (cross-entropy from the answer on the image, held fixed).
        views: instead of copies, the view (``views.VIEWS``) that each code is read from, categorical codes first; each
            view shows Q its share of the batch. Empty: no views. On real images Q's answer on a view should say much
            and agree with that on the image (``agreement``), but for the views in ``views.UNANSWERED``.
        evenness: weight, beside agreement, of using all classes of a code equally often, whatever the uniform codes say
            (``losses.answer_unevenness``); with many classes, some die else, and others stand for a uniform code.
        head_start: share of the run in which G learns to draw before anything is read from a view.
        trunk_share: weight, for the trunk, of what real images teach Q on views; a busy Q makes a lenient D.
        lessons: share of the run, at its end, in which G rests and real images teach the trunk in full, uniform codes
            as loudly as classes, at twice the rates; until then a small ``trunk_share`` leaves G a D to learn from.
        view_noise: standard deviation of the Gaussian noise on views: what is fainter can carry no code.
        instance_noise: standard deviation, at the first step, of the Gaussian noise on all that D judges.
        code_gain: how many times larger G's first weights on the codes start than those on the noise.
        architecture: ``"conv"`` (the paper's) or ``"mlp"``.
        width: scales the hidden layers; 1.0 is the paper's.
        variance: of Q's continuous codes, ``"learned"`` or ``"fixed"``.
        seed: of the weights, the order of the images, the codes and the dropout.
        sample_every: steps between two sample pictures.
        checkpoint_every: steps between two checkpoints, where ``fit`` is given a file.

    Raises:
        ValueError: a field is out of range, or fields do not go together; the message names it.
    """

    steps: int = 4000
    batch_size: int = 128
    learning_rate_g: float = 1e-3
    learning_rate_d: float = 1e-3
    learning_rate_q: float = 1e-3
    betas: tuple[float, float] = (0.5, 0.999)
    lambda_categorical: float = 1.0
    lambda_continuous: float = 0.5
    information_trains_trunk: bool = True
    scheduled: bool = True
    restyle: float = 1.0
    keep: tuple[str, ...] = ("lean", "stroke")
    stray_strokes: float = 0.5
    agreement: float = 0.5
    views: tuple[str, ...] = ()
    evenness: float = 0.0
    head_start: float = 0.0
    trunk_share: float = 0.1
    lessons: float = 0.0
    view_noise: float = 0.2
    instance_noise: float = 0.3
    code_gain: float = 3.0
    architecture: str = "conv"
    width: float = 0.25
    variance: str = "learned"
    seed: int = 0
    sample_every: int = 500
    checkpoint_every: int = 500

    def __post_init__(self):
        for name in ("steps", "batch_size", "sample_every", "checkpoint_every"):
            value = getattr(self, name)
            self._require(name, isinstance(value, int) and value >= 1 and value is not True, "an integer of at least 1")
        is_seed = isinstance(self.seed, int) and not isinstance(self.seed, bool) and 0 <= self.seed < 2**32
        self._require("seed", is_seed, "an integer in [0, 2**32)")
        for name in ("learning_rate_g", "learning_rate_d", "learning_rate_q", "width", "code_gain"):
            self._require(name, _is_number(getattr(self, name)) and getattr(self, name) > 0, "a positive number")
        for name in (
            "lambda_categorical",
            "lambda_continuous",
            "restyle",
            "agreement",
            "evenness",
            "view_noise",
            "instance_noise",
        ):
            is_weight = _is_number(getattr(self, name)) and getattr(self, name) >= 0
            self._require(name, is_weight, "a number of at least 0 (0 switches it off)")
        is_pair = isinstance(self.betas, (tuple, list)) and len(self.betas) == 2
        self._require(
            "betas", is_pair and all(_is_number(b) and 0 <= b < 1 for b in self.betas), "two numbers in [0, 1)"
        )
        object.__setattr__(self, "betas", tuple(self.betas))
        for name in ("information_trains_trunk", "scheduled"):
            self._require(name, isinstance(getattr(self, name), bool), "True or False")
        is_list = isinstance(self.keep, (tuple, list)) and all(aspect in ASPECTS for aspect in self.keep)
        self._require("keep", is_list, f"a tuple of aspects from {ASPECTS}")
        object.__setattr__(self, "keep", tuple(self.keep))
        for name in ("stray_strokes", "head_start", "trunk_share", "lessons"):
            value = getattr(self, name)
            self._require(name, _is_number(value) and 0 <= value <= 1, "a share in [0, 1]")
        is_list = isinstance(self.views, (tuple, list)) and all(name in VIEWS for name in self.views)
        self._require("views", is_list, f"a tuple of views from {tuple(VIEWS)}")
        object.__setattr__(self, "views", tuple(self.views))
        self._require("views", not self.views or self.restyle == 0, "empty where restyle is above 0")
        for name in ("keep", "stray_strokes"):
            self._require(name, self.restyle > 0 or not getattr(self, name), "empty or 0 where restyle is 0")
        self._require(
            "agreement", self.restyle > 0 or self.views or not self.agreement, "0 where restyle is 0 and views is empty"
        )
        self._require(
            "batch_size",
            self.batch_size >= 3 * len(set(self.views)),
            f"at least {3 * len(set(self.views))}, three a view",
        )
        self._require(
            "batch_size", self.batch_size >= len(self.keep), f"at least {len(self.keep)}, one image an aspect"
        )
        self._require("architecture", self.architecture in tuple(ARCHITECTURES), f"one of {sorted(ARCHITECTURES)}")
        self._require("variance", self.variance in ("learned", "fixed"), "'learned' or 'fixed'")

    def _require(self, name, holds, wanted):
        if not holds:
            raise ValueError(f"{name} must be {wanted}, got {getattr(self, name)!r}")


_PLAIN = TrainingConfig(
    scheduled=False, restyle=0.0, keep=(), stray_strokes=0.0, agreement=0.0, instance_noise=0.0, code_gain=1.0,
    lambda_continuous=0.1, information_trains_trunk=False,
    learning_rate_g=5e-4, learning_rate_d=5e-4, learning_rate_q=5e-4,
)  # fmt: skip
PRESETS = {
    "recipe": TrainingConfig(),
    "control": TrainingConfig(  # the recipe with λ = 0: nobody asks G for the codes, or Q for answers on real images
        lambda_categorical=0.0, lambda_continuous=0.0, agreement=0.0
    ),
    "plain": _PLAIN,  # the algorithm and nothing else: what notebook 03 trains
    "paper": replace(  # Chen et al. 2016, appendix C.1, and the authors' code: σ fixed at 1, Q in D's optimiser
        _PLAIN, steps=5000, learning_rate_g=1e-3, learning_rate_d=2e-4, learning_rate_q=2e-4, lambda_continuous=1.0,
        information_trains_trunk=True, width=1.0, variance="fixed",
    ),
    "seed_conv": replace(  # the convolutional tutorial: one rate for all, λ 0.1 on the continuous codes, σ fixed
        _PLAIN, steps=5000, learning_rate_g=2e-4, learning_rate_d=2e-4, learning_rate_q=2e-4, width=1.0,
        variance="fixed",
    ),
    "seed_mlp": replace(  # the fully connected tutorial: 15 epochs, its mean over two codes halves λ
        _PLAIN, steps=7020, learning_rate_g=2e-4, learning_rate_d=2e-4, learning_rate_q=2e-4, lambda_continuous=0.5,
        architecture="mlp", width=1.0,
    ),
}  # fmt: skip


@dataclass
class Players:
    """G, D with Q, and the three optimisers; every parameter belongs to exactly one of them."""

    generator: nn.Module
    discriminator_q: nn.Module
    optimizer_g: torch.optim.Optimizer
    optimizer_d: torch.optim.Optimizer
    optimizer_q: torch.optim.Optimizer


class StepMetrics(NamedTuple):
    """What one step measured, scalars on the training device.

    Attributes:
        d_loss: D's loss, in nats.
        g_loss: G's adversarial loss, in nats.
        bound_categorical: L_I of the categorical codes, in nats, on this batch of fakes.
        bound_continuous: L_I of the continuous codes, likewise.
        d_accuracy: share of real and fake images that D told apart; 0.5 is a coin.
        code_recovery: share of categorical codes that Q's best guess got right (NaN where there are none).
    """

    d_loss: torch.Tensor
    g_loss: torch.Tensor
    bound_categorical: torch.Tensor
    bound_continuous: torch.Tensor
    d_accuracy: torch.Tensor
    code_recovery: torch.Tensor


@dataclass
class History:
    """What a run measured, step by step: lists as long as the run, named as in ``StepMetrics``.

    Attributes:
        sample_steps: steps after which the fixed sample codes were drawn.
        samples: the pictures, ``uint8``, shape ``(rows * 10, *image_shape)`` each.
        sample_codes: the codes they show; a row a class of the first categorical code, where there is one.
        batch_size: images a step.
        seconds: time spent training, over all the sessions of the run.
    """

    batch_size: int
    sample_codes: Codes
    d_loss: list[float] = field(default_factory=list)
    g_loss: list[float] = field(default_factory=list)
    bound_categorical: list[float] = field(default_factory=list)
    bound_continuous: list[float] = field(default_factory=list)
    d_accuracy: list[float] = field(default_factory=list)
    code_recovery: list[float] = field(default_factory=list)
    sample_steps: list[int] = field(default_factory=list)
    samples: list[torch.Tensor] = field(default_factory=list)
    seconds: float = 0.0

    def __len__(self):
        """Steps recorded."""
        return len(self.d_loss)

    @property
    def images_per_second(self):
        """Real images trained on, per second of training."""
        return len(self) * self.batch_size / self.seconds if self.seconds else math.nan


class TrainingResult(NamedTuple):
    """What ``fit`` returns, both networks in eval mode.

    Attributes:
        interrupted: whether the run was stopped before its last step.
    """

    generator: nn.Module
    discriminator_q: nn.Module
    history: History
    interrupted: bool


def make_players(spec, image_shape, config, device="cpu"):
    """Networks and optimisers for a run, in training mode; weights come from torch's own generator.

    Args:
        spec: the ``CodeSpec``.
        image_shape: ``(channels, height, width)``; any shape for ``architecture="mlp"``.
        config: a ``TrainingConfig``.
        device: where the networks live.

    Returns:
        ``Players``: G's optimiser owns G, D's owns the trunk and D's head, Q's owns Q's head.

    Raises:
        ValueError: the image shape does not fit the architecture, or the views do not fit the codes.
    """
    n_codes = len(spec.categorical) + spec.continuous
    if config.views and len(config.views) != n_codes:
        raise ValueError(f"views must name one view for each of {n_codes} codes, got {len(config.views)}")
    make_generator, make_discriminator_q = ARCHITECTURES[config.architecture]
    generator = make_generator(spec, image_shape, config.width).to(device)
    with torch.no_grad():  # the codes come first in G's input
        first = next(layer for layer in generator.modules() if isinstance(layer, nn.Linear))
        first.weight[:, : spec.dim - spec.noise] *= config.code_gain
    discriminator_q = make_discriminator_q(spec, image_shape, config.width, config.variance).to(device)
    owned_by_d = [*discriminator_q.trunk.parameters(), *discriminator_q.real_head.parameters()]

    def adam(parameters, learning_rate):
        fused = torch.device(device).type in ("cpu", "cuda")
        return torch.optim.Adam(parameters, lr=learning_rate, betas=config.betas, fused=fused)

    return Players(
        generator,
        discriminator_q,
        adam(generator.parameters(), config.learning_rate_g),
        adam(owned_by_d, config.learning_rate_d),
        adam(discriminator_q.q_head.parameters(), config.learning_rate_q),
    )


def train_step(players, real, spec, config, generator=None, done=0.0):
    """One step of InfoGAN: sample, generate, judge and read; then D, G and Q each move once.

    All three gradients are taken at the same weights, so that each image passes through each network once.

    Args:
        players: the ``Players``, changed in place.
        real: a batch of images in [-1, 1], shape ``(n, *image_shape)``, on the networks' device.
        spec: the ``CodeSpec`` to sample from.
        config: the ``TrainingConfig``.
        generator: the ``torch.Generator`` of codes, noise and copies, on that device; torch's own where it is ``None``.
        done: share of the run that lies behind, in [0, 1]: where ``config.scheduled``, weights depend on it.

    Returns:
        ``StepMetrics``, still on the device: reading one is what costs time on a GPU.

    Source: Chen et al. 2016, eq. 6; Goodfellow et al. 2014, algorithm 1, with its two updates made together.
    """
    g, dq = players.generator, players.discriminator_q
    weights = weights_at(config, done)

    # Sample codes and generate.
    codes = spec.sample(len(real), generator, real.device)
    fake = _forward(g, codes)

    # Judge real images and fakes; read the codes back.
    real_logit, on_real = _forward(dq, _noisy(real, weights.instance_noise, generator))
    fake_logit, on_fake = _forward(dq, _noisy(fake, weights.instance_noise, generator))
    if config.views and weights.agreement == weights.reading == 0:
        posterior, read_from, on_copy = on_fake, None, None  # nobody asks yet
    else:
        posterior, read_from, on_copy = _read_copies(dq, fake, real, on_fake, config, generator)
    d_loss, g_loss = discriminator_loss(real_logit, fake_logit), generator_loss(fake_logit)
    bound = lower_bound(posterior, codes, spec, read_from)
    information = weights.categorical * bound.categorical + weights.continuous * bound.continuous
    disagreement = (
        0.0
        if on_copy is None
        else weights.agreement * _disagreement(on_real, on_copy, config, weights.uniform_teaching)
    )
    reading = weights.reading * bound.total
    of_trunk = weights.trunk_share * disagreement if config.views else disagreement
    if config.information_trains_trunk:
        of_trunk = of_trunk - (reading if config.views else information)

    # Update D (and through it the trunk), G and Q. Q reads in any case; λ is how hard G is pushed to write.
    _set_gradients(d_loss + of_trunk, players.optimizer_d)
    if weights.learning_rate_g > 0:
        _set_gradients(g_loss - information, players.optimizer_g)
    else:
        players.optimizer_g.zero_grad()  # G rests: without gradients its optimiser moves nothing
    _set_gradients(disagreement - reading, players.optimizer_q)
    for optimizer in (players.optimizer_d, players.optimizer_g, players.optimizer_q):
        optimizer.step()

    with torch.no_grad():
        d_accuracy = ((real_logit > 0).float().mean() + (fake_logit <= 0).float().mean()) / 2
        metrics = (d_loss, g_loss, bound.categorical, bound.continuous, d_accuracy, code_recovery(posterior, codes))
        return StepMetrics(*(value.detach() for value in metrics))


class Weights(NamedTuple):
    """What a schedule says at one moment: see ``TrainingConfig``.

    ``reading`` weighs L_I for Q's head (and, where Q reads views, for the trunk); ``learning_rate`` multiplies the
    three rates, ``learning_rate_g`` that of G once more. While G rests, the others' rates are doubled, ``trunk_share``
    is 1, and ``uniform_teaching``, the weight of learning a uniform code on the image, is that of a class.
    """

    categorical: float
    continuous: float
    reading: float
    agreement: float
    instance_noise: float
    learning_rate: float
    learning_rate_g: float
    trunk_share: float
    uniform_teaching: float


def weights_at(config, done):
    """The weights of a run of which the share ``done``, in [0, 1], lies behind."""
    reading = READING if config.views else 1.0
    if not config.scheduled:
        return Weights(
            config.lambda_categorical,
            config.lambda_continuous,
            reading,
            config.agreement,
            config.instance_noise,
            1.0,
            1.0,
            config.trunk_share,
            UNIFORM_TEACHING,
        )

    def risen(season):
        start, end = season
        return min(1.0, max(0.0, (done - start) / (end - start)))

    rate_g = 1.0
    if config.views:
        read, agreement = (
            risen([config.head_start + share for share in season]) for season in (VIEWS_ARE_READ, VIEWS_AGREE)
        )
        categorical, continuous, reading = read, read, reading * read
        fallen = risen(VIEWED_RATES_FALL)
        if config.lessons > 0:
            fallen = risen([1 - LESSONS_FADE, 1])
            rate_g = 1 - risen([1 - config.lessons - G_STOPS, 1 - config.lessons])
    else:
        categorical = max(CATEGORICAL_FLOOR, risen(CATEGORICAL_RISES))
        continuous, agreement = risen(CONTINUOUS_RISES), risen(AGREEMENT_RISES)
        fallen = risen(RATES_FALL)
    g_rests = rate_g == 0
    return Weights(
        config.lambda_categorical * categorical,
        config.lambda_continuous * continuous,
        reading,
        config.agreement * agreement,
        config.instance_noise * (1 - risen(NOISE_FADES)),
        (1 - (1 - RATES_END) * fallen) * (LESSONS_RATE if g_rests else 1.0),
        rate_g,
        1.0 if g_rests else config.trunk_share,
        TEACHING if g_rests else UNIFORM_TEACHING,
    )


def code_recovery(posterior, codes):
    """Share of categorical codes that Q's most probable class gets right, a scalar; NaN where there are none."""
    if not posterior.categorical_logits:
        return codes.continuous.new_full((), math.nan)
    guesses = torch.stack([logits.argmax(dim=1) for logits in posterior.categorical_logits], dim=1)
    return (guesses == codes.categorical).float().mean()


def fit(images, spec, config=None, *, device=None, checkpoint=None, callback=None, progress=True):
    """Train InfoGAN on images, without labels.

    Args:
        images: ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, channels, height, width)``; for
            ``architecture="mlp"`` any shape ``(n, …)``. They are moved to the device once and stay there.
        spec: the ``CodeSpec``.
        config: a ``TrainingConfig``; its defaults where it is ``None``.
        device: where to train; the fastest there is where it is ``None``.
        checkpoint: a file to save to every ``config.checkpoint_every`` steps, at the end and at an interrupt (a second
            Ctrl-C cuts a step in half and leaves the file as it was). Where it is there already, the run goes on from
            it, bit for bit as if it had never stopped (on the same machine).
        callback: called with the ``History`` after each sample picture.
        progress: whether to show a progress bar.

    Returns:
        ``TrainingResult``, with D and Q's batch norm measured anew (``settle_batch_norm``). An interrupt (Ctrl-C, the
        square button) ends the run after the step that is under way and returns what there is.

    Raises:
        ValueError: the images do not fit, or the checkpoint is of another run.
        FloatingPointError: a loss stopped being a number; the message says at which step and the likely cause.
    """
    config = TrainingConfig() if config is None else config
    images = _check_images(images, config)
    device = torch.device(device) if device is not None else default_device()
    with isolated_randomness(), _interruptible() as interrupt:
        run = _Run(images.to(device), spec, config, device)
        if checkpoint is not None and Path(checkpoint).is_file():
            run.load(checkpoint)
        run.go(interrupt, checkpoint, callback, progress)
        settle_batch_norm(run.players.discriminator_q, run.players.generator, run.sampler.images, spec, config)
    interrupted = len(run.history) < config.steps
    if interrupted:
        print(f"Interrupted after step {len(run.history)} of {config.steps}: this is what was trained until then.")
    return TrainingResult(run.players.generator, run.players.discriminator_q, run.history, interrupted)


def settle_batch_norm(discriminator_q, generator, images, spec, config):
    """Measure D and Q's batch-norm statistics anew, on what Q will be asked about, with the weights at rest.

    The moving averages of a training lag behind its weights and lean towards whatever batch came last; for D and Q, who
    read real images, fakes and restyled copies in turn, that can cost a tenth of c1's accuracy and more. Where Q reads
    codes from views, it is asked about real images alone, and fakes that are still far from them would shift it.

    Args:
        discriminator_q: the trained D and Q; changed in place and put in eval mode.
        generator: the trained G; put in eval mode.
        images: the training images, ``uint8`` or floats in [-1, 1], on the networks' device; no labels.
        spec: the ``CodeSpec``.
        config: the run's, for ``restyle`` and the seed.
    """
    generator.eval()
    layers = [m for m in discriminator_q.modules() if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d))]
    size = min(len(images), SETTLING_BATCH)
    if layers and size > 1:  # a single image has no statistics
        momentum = layers[0].momentum
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None  # a plain average over all batches
        discriminator_q.train()
        random = torch.Generator(images.device).manual_seed(config.seed)
        sampler = BatchSampler(images, size, random)
        with torch.no_grad():
            for _ in range(SETTLING_BATCHES):
                real, fake = as_model_range(sampler.next()), generator(spec.sample(size, random, images.device))
                discriminator_q(real)
                if not config.views:
                    discriminator_q(fake)
                if config.restyle > 0:
                    discriminator_q(_copies(fake, real, config, random))
        for layer in layers:
            layer.momentum = momentum
    discriminator_q.eval()


class _Run:
    """The state of a run: everything that a checkpoint must hold for the next step to be the same."""

    def __init__(self, images, spec, config, device):
        torch.manual_seed(config.seed)
        self.spec, self.config, self.device, self.image_shape = spec, config, device, tuple(images.shape[1:])
        self.players = make_players(spec, self.image_shape, config, device)
        self.random = torch.Generator(device).manual_seed(config.seed)
        self.sampler = BatchSampler(images, config.batch_size, self.random)
        self.fingerprint = [*images.shape, zlib.crc32(images.cpu().contiguous().numpy())]
        self.history = History(config.batch_size, _sample_codes(spec, config.seed))
        self.unread, self.cut = [], False

    def go(self, interrupt, checkpoint, callback, progress):
        config, started, before = self.config, time.perf_counter(), self.history.seconds
        with tqdm(total=config.steps, initial=len(self.history), disable=not progress, unit="step") as bar:
            try:
                while len(self.history) + len(self.unread) < config.steps and not interrupt.is_set():
                    self._step()
                    step = len(self.history) + len(self.unread)
                    last = step == config.steps
                    saves = checkpoint is not None and step % config.checkpoint_every == 0
                    draws = step % config.sample_every == 0 or last
                    if step % READ_EVERY == 0 or draws or saves:
                        self._read(bar)
                    if draws:
                        self._draw()
                    self.history.seconds = before + time.perf_counter() - started
                    if saves and not last:
                        self.save(checkpoint)
                    if draws and callback is not None:
                        with isolated_randomness():  # what a callback draws must not move the dropout
                            callback(self.history)
            except KeyboardInterrupt:
                pass  # a second Ctrl-C, or one raised inside a callback: stop where we are
            self._read(bar)
        self.history.seconds = before + time.perf_counter() - started
        self._check_weights()
        if checkpoint is not None and not self.cut:
            self.save(checkpoint)
        if not self.history.sample_steps or self.history.sample_steps[-1] != len(self.history):
            self._draw()  # an interrupted run ends with a picture too; it is not part of the run that goes on

    def _step(self):
        self.cut = True  # until the step is whole: one cut by a second Ctrl-C must not reach a checkpoint
        done = (len(self.history) + len(self.unread)) / self.config.steps
        players, weights = self.players, weights_at(self.config, done)
        for letter in "gdq":
            rate = getattr(self.config, f"learning_rate_{letter}") * weights.learning_rate
            getattr(players, f"optimizer_{letter}").param_groups[0]["lr"] = rate
        players.optimizer_g.param_groups[0]["lr"] *= weights.learning_rate_g
        self.unread.append(train_step(players, self._batch(), self.spec, self.config, self.random, done))
        self.cut = False

    def _batch(self):
        return as_model_range(self.sampler.next())

    def _read(self, bar):
        """Move the metrics of the last steps to the history, in one transfer, and stop on NaN."""
        if not self.unread:
            return
        values = torch.stack([torch.stack(metrics) for metrics in self.unread]).cpu()
        self.unread = []
        losses = values[:, : StepMetrics._fields.index("d_accuracy")]
        if not torch.isfinite(losses).all():
            self._diverged(losses)
        for name, column in zip(StepMetrics._fields, values.T.tolist(), strict=True):
            getattr(self.history, name).extend(column)
        bar.update(len(self.history) - bar.n)
        bar.set_postfix_str(f"L_I {self.history.bound_categorical[-1] + self.history.bound_continuous[-1]:.2f} nats")

    def _diverged(self, losses):
        bad = ~torch.isfinite(losses)
        row = int(bad.any(dim=1).nonzero()[0])
        names = [name for name, is_bad in zip(StepMetrics._fields, bad[row].tolist(), strict=False) if is_bad]
        c = self.config
        rates = {
            "learning_rate_g": c.learning_rate_g,
            "learning_rate_d": c.learning_rate_d,
            "learning_rate_q": c.learning_rate_q,
        }
        weights = {"lambda_categorical": c.lambda_categorical, "lambda_continuous": c.lambda_continuous}
        largest = max(rates, key=rates.get)
        cause = f"{largest}={rates[largest]:g} is too high"
        if max(weights.values()) > 10:
            heaviest = max(weights, key=weights.get)
            cause += f", or {heaviest}={weights[heaviest]:g} drowns the adversarial loss"
        raise FloatingPointError(
            f"step {len(self.history) + row + 1}: {', '.join(names)} is not finite. The likely cause: {cause}. "
            "Start again from the last checkpoint or from the beginning with a lower value."
        )

    def _draw(self):
        generator = self.players.generator.eval()
        with torch.no_grad():
            pictures = to_uint8(generator(self.history.sample_codes.to(self.device))).cpu()
        generator.train()
        self.history.samples.append(pictures)
        self.history.sample_steps.append(len(self.history))

    def _check_weights(self):
        tensors = network_tensors(self.players.generator, self.players.discriminator_q)
        broken = [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]
        if broken:
            raise FloatingPointError(
                f"step {len(self.history)}: {broken[0]} is not finite. The likely cause: a learning rate that is too "
                "high. Start again from the last checkpoint or from the beginning with a lower value."
            )

    def save(self, path):
        self._check_weights()
        players, history = self.players, self.history
        tensors = network_tensors(players.generator, players.discriminator_q)
        for letter in "gdq":
            tensors |= optimizer_tensors(getattr(players, f"optimizer_{letter}"), f"optimizer_{letter}")
        tensors |= {f"history.{name}": torch.tensor(getattr(history, name)) for name in StepMetrics._fields}
        tensors |= {
            f"sample.{step}": picture for step, picture in zip(history.sample_steps, history.samples, strict=True)
        }
        tensors |= {"random.draws": self.random.get_state(), "random.torch": torch.get_rng_state()}
        if self.device.type == "cuda":
            tensors["random.cuda"] = torch.cuda.get_rng_state(self.device)
        tensors["order"] = self.sampler.order
        metadata = {
            "run": {"spec": asdict(self.spec), "config": asdict(self.config)},
            "images": self.fingerprint,
            "position": self.sampler.position,
            "steps": len(history),
            "seconds": history.seconds,
        }
        save_tensors(path, tensors, metadata)

    def load(self, path):
        tensors, metadata = load_tensors(path)
        self._check_same_run(path, metadata)
        players, history = self.players, self.history
        load_network_tensors(players.generator, players.discriminator_q, tensors)
        for letter in "gdq":
            load_optimizer_tensors(getattr(players, f"optimizer_{letter}"), f"optimizer_{letter}", tensors)
        for name in StepMetrics._fields:
            getattr(history, name).extend(tensors[f"history.{name}"].tolist())
        steps = sorted(int(name.removeprefix("sample.")) for name in tensors if name.startswith("sample."))
        steps = [step for step in steps if step % self.config.sample_every == 0]  # not the last of a shorter run
        history.sample_steps, history.samples = steps, [tensors[f"sample.{step}"] for step in steps]
        history.seconds = metadata["seconds"]
        if tensors["random.draws"].shape != self.random.get_state().shape:
            raise ValueError(
                f"device must be of the kind that checkpoint {path} was trained on, got {self.device}: another kind "
                "draws other random numbers. Give that device, or start again in another file"
            )
        self.random.set_state(tensors["random.draws"])
        torch.set_rng_state(tensors["random.torch"])
        if self.device.type == "cuda" and "random.cuda" in tensors:
            torch.cuda.set_rng_state(tensors["random.cuda"], self.device)
        self.sampler.order, self.sampler.position = tensors["order"].to(self.device), metadata["position"]
        print(f"Going on from step {len(history)} of {self.config.steps}, saved in {Path(path).name}.")

    def _check_same_run(self, path, metadata):
        if "run" not in metadata:
            raise ValueError(f"checkpoint must be a file that fit wrote, {path} holds something else")
        saved = TrainingConfig(**metadata["run"]["config"])
        free = FREE_TO_CHANGE if self.config.scheduled else (*FREE_TO_CHANGE, "steps")
        for item in fields(TrainingConfig):
            here, there = getattr(self.config, item.name), getattr(saved, item.name)
            if here != there and item.name not in free:
                raise ValueError(
                    f"checkpoint {path} is of another run: {item.name} was {there!r} there and is {here!r} here"
                )
        if metadata["steps"] > self.config.steps:
            raise ValueError(
                f"steps must be at least {metadata['steps']}, what checkpoint {path} has behind it, "
                f"got {self.config.steps}"
            )
        here = {"spec": asdict(self.spec), "images": self.fingerprint}
        there = {"spec": metadata["run"]["spec"], "images": metadata["images"]}
        there["spec"]["categorical"] = tuple(there["spec"]["categorical"])
        for name in here:
            if here[name] != there[name]:
                raise ValueError(
                    f"checkpoint {path} is of another run: {name} was {there[name]} there and is {here[name]} here"
                )


def _noisy(images, deviation, generator):
    if deviation == 0:
        return images
    noise = torch.randn(images.shape, generator=generator, device=images.device)
    return images + deviation * noise


def _read_copies(dq, fake, real, on_fake, config, generator):
    """What Q reads from copies or views, in a forward pass of its own: among the fakes they would shift batch norm.

    Returns:
        ``(posterior of the fakes, read_from of lower_bound, answers on the real images)``: the second is ``None`` where
        every code is read from every image. The third is a ``Posterior`` of copies, or an ``_OnView`` for each view, or
        ``None`` where real images are not asked about.
    """
    if config.views:
        return _read_views(dq, fake, real, on_fake, config, generator)
    if config.restyle == 0:
        return on_fake, None, None
    n, copies = len(fake), _copies(fake, real, config, generator)
    _, read = _forward(dq, copies)
    posterior, on_copy = _rows(read, slice(0, n)), _rows(read, slice(n, None)) if len(copies) > n else None
    if not config.keep:
        return posterior._replace(mean=on_fake.mean, log_variance=on_fake.log_variance), None, on_copy
    row = torch.arange(n, device=fake.device)[:, None] % len(config.keep)
    code = torch.arange(posterior.mean.shape[1], device=fake.device)[None, :] % len(config.keep)
    everywhere = torch.ones(n, len(posterior.categorical_logits), dtype=torch.bool, device=fake.device)
    return posterior, torch.cat([everywhere, row == code], dim=1), on_copy


class _OnView(NamedTuple):
    """What Q answered about real images in one view."""

    images: torch.Tensor  # which of the batch
    shown: torch.Tensor
    posterior: Posterior


def _read_views(dq, fake, real, on_fake, config, generator):
    """Image ``i`` is shown in view ``i % kinds``; in the views of classes (and others in ``in_full``) all real ones."""
    n, kinds = len(fake), tuple(dict.fromkeys(config.views))
    in_full = set(config.views[: len(on_fake.categorical_logits)])
    if config.evenness > 0:  # it compares answers on classes with those on uniform codes, image by image
        in_full |= set(config.views) - set(UNANSWERED)
    row = torch.arange(n, device=fake.device)
    shares = [row[k :: len(kinds)] for k in range(len(kinds))]
    asked = [row if kind in in_full else share for kind, share in zip(kinds, shares, strict=True)]
    shown = [view(fake[rows], kind) for rows, kind in zip(shares, kinds, strict=True)]
    shown += [view(real[rows], kind) for rows, kind in zip(asked, kinds, strict=True)]
    _, read = _forward(dq, _noisy(torch.cat(shown), config.view_noise, generator))
    posterior = _rows(read, torch.cat(shares).argsort())
    on_view, start = {}, n
    for kind, rows, pictures in zip(kinds, asked, shown[len(kinds) :], strict=True):
        on_view[kind] = _OnView(rows, pictures, _rows(read, slice(start, start + len(rows))))
        start += len(rows)
    read_from = torch.stack([row % len(kinds) == kinds.index(name) for name in config.views], dim=1)
    return posterior, read_from, on_view


def _copies(fake, real, config, generator):
    """Copies of the fakes, restyled but for the aspect that each keeps, and of the real images; some are crossed."""
    n, copies = len(fake), random_style(fake, generator, config.restyle, config.keep)
    if config.agreement > 0:
        copies = torch.cat([copies, random_style(real, generator, config.restyle)])
    if config.stray_strokes == 0:
        return copies
    shares = torch.full((len(copies),), config.stray_strokes, device=fake.device)
    for i, aspect in enumerate(config.keep):
        if aspect == "lean":
            shares[i : n : len(config.keep)] = 0  # a stroke has a lean of its own
    return add_stray_strokes(copies, shares, generator)


def _rows(posterior, rows):
    """Some rows of a posterior."""
    return Posterior(
        tuple(x[rows] for x in posterior.categorical_logits), posterior.mean[rows], posterior.log_variance[rows]
    )


def _disagreement(on_image, on_copy, config, uniform_teaching=UNIFORM_TEACHING):
    """How little Q's answers on real images say, and how far those on their copies or views differ.

    On copies: cross-entropy of the categorical answer on the copy from that on the image, which is held fixed, less
    ``answer_information``, in nats. On views it is the other way about: a view shows one thing plainly and is where an
    answer is found, and the image learns it from there. Continuous answers count by distance and ``answer_spread``, and
    either kind by ``distance_disagreement``.
    """
    if not config.views:
        pairs = zip(on_image.categorical_logits, on_copy.categorical_logits, strict=True)
        return sum(_from_fixed(copy, image) - answer_information(image) for image, copy in pairs)
    total, classes = 0.0, len(on_image.categorical_logits)
    answered = [(code, name) for code, name in enumerate(config.views) if name not in UNANSWERED]
    uniform = [on_copy[name].posterior.mean[:, code - classes, None] for code, name in answered if code >= classes]
    for code, name in answered:
        rows, shown, on_view = on_copy[name]
        if code < classes:
            image, seen = on_image.categorical_logits[code][rows], on_view.categorical_logits[code]
            total = total + TEACHING * _from_fixed(image, seen) - 3 * answer_information(seen)
            total = total + distance_disagreement(seen.softmax(dim=1), shown)
            if config.evenness > 0:
                beside = torch.cat([seen.new_zeros(len(seen), 0), *uniform], dim=1)
                total = total + config.evenness * answer_unevenness(seen, beside)
        else:
            image, seen = on_image.mean[rows, code - classes], on_view.mean[:, code - classes]
            total = total + (uniform_teaching * (seen.detach() - image).abs().mean() + 2 * answer_spread(seen))
            total = total + distance_disagreement(seen, shown)
    return total


def _from_fixed(logits, target):
    """Cross-entropy of one answer from another that is held fixed, in nats."""
    return F.cross_entropy(logits, target.detach().softmax(dim=1))


def _set_gradients(loss, optimizer):
    """Fresh gradients of ``loss`` for the parameters that ``optimizer`` owns, and for no others; the graph stays."""
    optimizer.zero_grad(set_to_none=True)
    owned = [p for group in optimizer.param_groups for p in group["params"]]
    loss.backward(inputs=owned, retain_graph=True)


def _forward(network, argument):
    """What a network says; on CUDA it computes in bf16. Copies and views do not: a pixel's place needs more digits.

    One context a call: autocast keeps bf16 copies of the weights until the context ends, and a step changes them.
    """
    on_cuda = next(network.parameters()).device.type == "cuda"
    with torch.autocast("cuda", torch.bfloat16) if on_cuda else nullcontext():
        return network(argument)


@contextmanager
def _interruptible():
    """An event that the first Ctrl-C sets, so that a step is never cut in half; the second one interrupts at once."""
    interrupt = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    before = signal.getsignal(signal.SIGINT)

    def note(signum, frame):
        if interrupt.is_set():
            raise KeyboardInterrupt
        interrupt.set()

    signal.signal(signal.SIGINT, note)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)


def _sample_codes(spec, seed):
    """A fixed grid of codes: a row a class of the first categorical code (ten rows of anything without one)."""
    draws = torch.Generator().manual_seed(seed)
    if not spec.categorical:
        return spec.sample(10 * SAMPLE_COLUMNS, draws)
    rows = min(spec.categorical[0], 10)
    codes = spec.sample(SAMPLE_COLUMNS, draws).sweep_categorical(0, range(rows))
    return codes[torch.arange(len(codes)).reshape(SAMPLE_COLUMNS, rows).T.flatten()]


def _check_images(images, config):
    if not isinstance(images, torch.Tensor) or images.ndim < 2 or images.numel() == 0:
        got = tuple(images.shape) if isinstance(images, torch.Tensor) else type(images).__name__
        raise ValueError(f"images must be a tensor of shape (n, channels, height, width), got {got}")
    if (config.architecture == "conv" or config.restyle > 0) and images.ndim != 4:
        raise ValueError(f"images must have shape (n, channels, height, width), got {tuple(images.shape)}")
    if images.dtype == torch.uint8:
        return images
    if not images.is_floating_point():
        raise ValueError(f"images must be uint8 or floats in [-1, 1], got {images.dtype}")
    low, high = images.aminmax()
    if not (torch.isfinite(low) and torch.isfinite(high)) or low < -1 or high > 1:
        raise ValueError(f"images must be floats in [-1, 1], got values from {low:.4g} to {high:.4g}")
    return images.float()
