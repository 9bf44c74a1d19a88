"""InfoGAN's algorithm, and the loop around it: configuration, one step, a run that can stop and go on.

``train_step`` is the lesson; notebooks 03 and 04 walk through it. ``fit`` is the plumbing. Labels appear nowhere here.
"""

import math
import signal
import threading
import time
import zlib
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import NamedTuple

import torch
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
from infogan_helpers.losses import discriminator_loss, generator_loss, lower_bound
from infogan_helpers.networks import ARCHITECTURES
from infogan_helpers.runtime import default_device, isolated_randomness
from infogan_helpers.transforms import random_style

FREE_TO_CHANGE = ("steps", "sample_every", "checkpoint_every")  # fields that move no weight: a resumed run may differ
READ_EVERY = 50  # steps between two looks at the metrics: each look makes a GPU wait
SAMPLE_COLUMNS = 10
SETTLING_BATCH, SETTLING_BATCHES = 128, 20  # images a batch, and batches, over which batch norm is measured at the end


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides a run, apart from the images and the codes.

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
        information_trains_trunk: whether D's step adds the weighted L_I to its loss, so that it trains the trunk too.
        restyle: how strongly the copy of each fake that Q reads the categorical codes from is rotated, sheared, scaled,
            shifted and thickened (``transforms.random_style``); 0 lets Q read the fake itself. By data processing
            I(c; T(x)) <= I(c; x), so L_I stays a lower bound. Images only.
        architecture: ``"conv"`` (the paper's) or ``"mlp"``.
        width: scales the hidden layers; 1.0 is the paper's.
        variance: of Q's continuous codes, ``"learned"`` or ``"fixed"``.
        seed: of the weights, the order of the images, the codes and the dropout.
        sample_every: steps between two sample pictures.
        checkpoint_every: steps between two checkpoints, where ``fit`` is given a file.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    steps: int = 4000
    batch_size: int = 128
    learning_rate_g: float = 5e-4
    learning_rate_d: float = 5e-4
    learning_rate_q: float = 5e-4
    betas: tuple[float, float] = (0.5, 0.999)
    lambda_categorical: float = 1.0
    lambda_continuous: float = 0.1
    information_trains_trunk: bool = False
    restyle: float = 0.0
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
        for name in ("learning_rate_g", "learning_rate_d", "learning_rate_q", "width"):
            self._require(name, _is_number(getattr(self, name)) and getattr(self, name) > 0, "a positive number")
        for name in ("lambda_categorical", "lambda_continuous", "restyle"):
            is_weight = _is_number(getattr(self, name)) and getattr(self, name) >= 0
            self._require(name, is_weight, "a number of at least 0 (0 switches it off)")
        is_pair = isinstance(self.betas, (tuple, list)) and len(self.betas) == 2
        self._require(
            "betas", is_pair and all(_is_number(b) and 0 <= b < 1 for b in self.betas), "two numbers in [0, 1)"
        )
        object.__setattr__(self, "betas", tuple(self.betas))
        self._require("information_trains_trunk", isinstance(self.information_trains_trunk, bool), "True or False")
        self._require("architecture", self.architecture in tuple(ARCHITECTURES), f"one of {sorted(ARCHITECTURES)}")
        self._require("variance", self.variance in ("learned", "fixed"), "'learned' or 'fixed'")

    def _require(self, name, holds, wanted):
        if not holds:
            raise ValueError(f"{name} must be {wanted}, got {getattr(self, name)!r}")


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
        ValueError: the image shape does not fit the architecture.
    """
    make_generator, make_discriminator_q = ARCHITECTURES[config.architecture]
    generator = make_generator(spec, image_shape, config.width).to(device)
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


def train_step(players, real, spec, config, generator=None):
    """One step of InfoGAN: sample, discriminate, update D, generate, update G and Q.

    Args:
        players: the ``Players``, changed in place.
        real: a batch of images in [-1, 1], shape ``(n, *image_shape)``, on the networks' device.
        spec: the ``CodeSpec`` to sample from.
        config: weights λ, and whether L_I trains the trunk.
        generator: the ``torch.Generator`` of the codes; torch's own where it is ``None``.

    Returns:
        ``StepMetrics``, still on the device: reading one is what costs time on a GPU.

    Source: Chen et al. 2016, eq. 6; Goodfellow et al. 2014, algorithm 1.
    """
    g, dq = players.generator, players.discriminator_q

    # Sample codes and generate; G only poses here.
    codes = spec.sample(len(real), generator, real.device)
    with torch.no_grad(), _autocast(real.device):
        fake = g(codes)

    # Discriminate, update D (and through it the trunk).
    with _autocast(real.device):
        real_logit, _ = dq(real)
        fake_logit, posterior = dq(fake)
    d_loss = discriminator_loss(real_logit, fake_logit)
    objective = d_loss
    if config.information_trains_trunk:
        posterior = _read_restyled(posterior, dq, fake, config, generator)
        objective = d_loss - _weighted(lower_bound(posterior, codes, spec), config)
    _set_gradients(objective, players.optimizer_d)
    players.optimizer_d.step()

    # Generate, update G and Q. Q learns to read the codes in any case; λ is how hard G is pushed to write them.
    codes = spec.sample(len(real), generator, real.device)
    with _autocast(real.device):
        fake = g(codes)
        judged, posterior = dq(fake)
    posterior = _read_restyled(posterior, dq, fake, config, generator)
    g_loss, bound = generator_loss(judged), lower_bound(posterior, codes, spec)
    _set_gradients(g_loss - _weighted(bound, config), players.optimizer_g, retain_graph=True)
    _set_gradients(-bound.total, players.optimizer_q)
    players.optimizer_g.step()
    players.optimizer_q.step()

    with torch.no_grad():
        d_accuracy = ((real_logit > 0).float().mean() + (fake_logit <= 0).float().mean()) / 2
        metrics = (d_loss, g_loss, bound.categorical, bound.continuous, d_accuracy, code_recovery(posterior, codes))
        return StepMetrics(*(value.detach() for value in metrics))


def code_recovery(posterior, codes):
    """Share of categorical codes that Q's most probable class gets right, a scalar; NaN where there are none."""
    if not posterior.categorical_logits:
        return codes.continuous.new_tensor(math.nan)
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
    """Measure D and Q's batch-norm statistics anew, on what training showed them, with the weights at rest.

    The moving averages of a training lag behind its weights and lean towards whatever batch came last; for D and Q, who
    read real images, fakes and restyled copies in turn, that can cost a tenth of c1's accuracy and more.

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
                discriminator_q(as_model_range(sampler.next()))
                fake = generator(spec.sample(size, random, images.device))
                discriminator_q(fake)
                if config.restyle > 0:
                    discriminator_q(random_style(fake, random, config.restyle))
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
        self.unread.append(train_step(self.players, self._batch(), self.spec, self.config, self.random))
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
        for item in fields(TrainingConfig):
            here, there = getattr(self.config, item.name), getattr(saved, item.name)
            if here != there and item.name not in FREE_TO_CHANGE:
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


def _read_restyled(posterior, dq, fake, config, generator):
    """The posterior with its categorical part read from a restyled copy of the fakes, where the run asks for that.

    The copy has a forward pass of its own: mixed into one batch, it would shift batch norm's statistics for the fakes.
    """
    if config.restyle == 0 or not posterior.categorical_logits:
        return posterior
    copy = random_style(fake, generator, config.restyle)
    with _autocast(fake.device):
        _, seen = dq(copy)
    return posterior._replace(categorical_logits=seen.categorical_logits)


def _weighted(bound, config):
    return config.lambda_categorical * bound.categorical + config.lambda_continuous * bound.continuous


def _set_gradients(loss, optimizer, retain_graph=False):
    """Fresh gradients of ``loss`` for the parameters that ``optimizer`` owns, and for no others."""
    optimizer.zero_grad(set_to_none=True)
    owned = [p for group in optimizer.param_groups for p in group["params"]]
    loss.backward(inputs=owned, retain_graph=retain_graph)


def _autocast(device):
    # One context per use: autocast keeps bf16 copies of the weights until the context ends, and a step changes them.
    return torch.autocast("cuda", torch.bfloat16) if device.type == "cuda" else nullcontext()


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


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
