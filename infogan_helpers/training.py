"""The loop around any method: batches, history, progress, checkpoints, resume, interrupt, a stop on NaN.

Not here: any algorithm. A method is a record of functions (``Method``); each has a file in ``methods``. Labels appear
nowhere here.
"""

import math
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

import torch
from tqdm.auto import tqdm

from infogan_helpers import arguments, checks
from infogan_helpers.checkpoints import named_tensors
from infogan_helpers.codes import Codes, CodeSpec
from infogan_helpers.data import BatchSampler, as_model_range, check_images, to_uint8
from infogan_helpers.interrupts import interruptible
from infogan_helpers.run_files import load_run, run_file, save_or_say, saved_first
from infogan_helpers.runtime import default_device, isolated_randomness
from infogan_helpers.schedules import Ramp, largest

JUDGED_AT = 1 / 5  # of a run: late enough to tell, early enough to pay
SEEDS_APART = 1_000_003  # between a run's attempts, so that no neighbouring seed's first attempt is one of them
READ_EVERY = 50  # steps between two looks at the metrics: each look makes a GPU wait
LIVE_EVERY = 4.0  # seconds between two looks of a callback, and a step and its figure: five at most
SAMPLE_COLUMNS = 10
FAR = 10  # times its default: a field that large is the first suspect where a metric stops being a number


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """What the loop asks of a configuration; each method's ``Config`` adds what its step uses.

    Args:
        steps: updates of each player.
        batch_size: images per step.
        seed: of the weights, the order of the images, the codes and the dropout.
        sample_every: steps between two sample pictures.
        checkpoint_every: steps between two checkpoints, where ``fit`` is given a file.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    steps: int = 4000
    batch_size: int = 128
    seed: int = 0
    sample_every: int = 500
    checkpoint_every: int = 500

    def __post_init__(self):
        for name in ("steps", "batch_size", "sample_every", "checkpoint_every"):
            checks.integer(name, getattr(self, name), least=1)
        checks.seed("seed", self.seed)

    @property
    def scheduled(self):
        """Whether weights depend on the share of the run that lies behind, so that its length may not change later."""
        return any(isinstance(value, Ramp) for value in vars(self).values())

    def likely_cause(self):
        """In words, what to look at first where a metric stops being a number: the field furthest above its default."""
        times = {}
        for item in fields(self):
            if isinstance(item.default, (float, Ramp)):
                times[item.name] = largest(getattr(self, item.name)) / (largest(item.default) or 1.0)
        name = max(times, key=times.get, default=None)
        if name is None or times[name] < FAR:
            return "a learning rate that is too high"
        return f"{name}={largest(getattr(self, name)):g} is too high"


class Method(NamedTuple):
    """An algorithm, as the loop needs it. Players are a dataclass of modules, optimisers and tensors.

    Attributes:
        name: what a checkpoint calls it.
        metrics: the ``NamedTuple`` class that a step returns; it has a ``summary()`` in a few words.
        finite: those of its fields that must stay numbers; others may be NaN, "there is none".
        make: ``(spec, image_shape, config, device)`` to players, in training mode.
        step: ``(players, batch, spec, config, generator, done)`` to metrics, scalars on the device; ``generator`` is
            the ``torch.Generator`` of its draws, ``done`` the share of the run that lies behind.
        draw: ``(players, codes)`` to images in [-1, 1].
        finish: ``(players, data, spec, config)``, once at the end; what it changes is no part of a run that goes on.
        verdict: ``(players, data, spec, config, attempt)``, after ``JUDGED_AT`` of each attempt, which are counted from
            0: in words, why the run has to start again with other weights, or ``None``. It reads no label.
    """

    name: str
    metrics: type
    finite: tuple[str, ...]
    make: Callable
    step: Callable
    draw: Callable
    finish: Callable
    verdict: Callable = lambda players, data, spec, config, attempt: None


@dataclass
class History:
    """What a run measured, step by step; each metric is a list as long as the run, ``history.d_loss`` for instance.

    Attributes:
        batch_size: images per step.
        sample_codes: the codes that sample pictures show; a row per class of the first categorical code, where there
            is one.
        metrics: the method's metrics, a list in each field.
        sample_steps: steps after which the fixed sample codes were drawn.
        samples: the pictures, ``uint8``, shape ``(rows * 10, *image_shape)`` each.
        seconds: time spent training, over all the sessions of the run and all its attempts.
        given_up: steps of the attempts that were given up; the metrics are those of the last one.
    """

    batch_size: int
    sample_codes: Codes
    metrics: NamedTuple
    sample_steps: list[int] = field(default_factory=list)
    samples: list[torch.Tensor] = field(default_factory=list)
    seconds: float = 0.0
    given_up: int = 0

    def __getattr__(self, name):
        metrics = self.__dict__.get("metrics", ())
        if name in getattr(metrics, "_fields", ()):
            return getattr(metrics, name)
        raise AttributeError(f"a history of this method has no {name!r}")

    def __len__(self):
        """Steps recorded."""
        return len(self.metrics[0])

    @property
    def images_per_second(self):
        """Real images trained on, per second of training."""
        return (len(self) + self.given_up) * self.batch_size / self.seconds if self.seconds else math.nan


class Trained(NamedTuple):
    """What ``run`` returns, every module in eval mode.

    Attributes:
        interrupted: whether the run was stopped before its last step.
    """

    players: Any
    history: History
    interrupted: bool


def run(method, data, spec, config, *, device=None, checkpoint=None, callback=None, progress=True):
    """Train by a method.

    Args:
        method: a ``Method``.
        data: images, ``uint8`` in [0, 255] or floats in [-1, 1], shape ``(n, …)``; or a tuple of tensors of ``n`` rows,
            images first: a batch is then a tuple. They are moved to the device once and stay there.
        spec: the ``CodeSpec``.
        config: the method's ``Config``.
        device: where to train; the fastest there is where it is ``None``.
        checkpoint: a file to save to every ``config.checkpoint_every`` steps, at the end and at an interrupt. Where it
            is there already, the run goes on from it, bit for bit as if it had never stopped (on the same machine). It
            is tried before the first step; a save that fails later is said in a line, and the next one tries again.
        callback: called with the ``History`` before the first step, after each sample picture and at least every five
            seconds, or after each step that takes longer; its last picture is always of now. Pictures that are drawn
            for it alone are no part of the run's own history, and nothing that it does moves a weight. An error in it
            ends the run, once the checkpoint is saved.
        progress: whether to show a progress bar.

    Returns:
        ``Trained``. An interrupt (Ctrl-C, the square button) ends the run after the step that is under way and returns
        what there is, however many follow it; the second one ends a callback that is under way.

    Raises:
        ValueError: an argument is of no use, the data do not fit, or the checkpoint is damaged, of another run, can't
            be written, or is being written by another run.
        FloatingPointError: a metric stopped being a number; the message says at which step and the likely cause.
    """
    parts = _check_arguments(method, data, spec, config, callback, progress)
    device = default_device() if device is None else arguments.device("device", device)
    with interruptible() as interrupt, isolated_randomness(), run_file(checkpoint) as file:
        state = _Run(method, parts, spec, config, device)
        if file is not None and file.is_file():
            load_run(file, state)
        state.go(interrupt, file, callback, progress)
        method.finish(state.players, _joined(state.parts), spec, config)
        for module in _modules(state.players):
            module.eval()
        done = len(state.history)
        if done < config.steps:
            print(f"Interrupted after step {done} of {config.steps}: this is what was trained until then.")
        return Trained(state.players, state.history, done < config.steps)


def _check_arguments(method, data, spec, config, callback, progress):
    """The data as a tuple of tensors, if they and all else are of use."""
    for name, value, kind in (("method", method, Method), ("spec", spec, CodeSpec), ("config", config, RunConfig)):
        if not isinstance(value, kind):
            raise ValueError(f"{name} must be a {kind.__name__}, got {type(value).__name__}")
    if callback is not None and (not callable(callback) or isinstance(callback, type)):
        raise ValueError(f"callback must be a function or None, got {callback!r}")
    checks.boolean("progress", progress)
    images, *others = data if isinstance(data, tuple) and data else (data,)
    parts = (check_images(images), *others)
    if not all(isinstance(part, torch.Tensor) and part.ndim for part in others):
        raise ValueError(f"data must be tensors, got {[type(part).__name__ for part in parts]}")
    if any(len(part) != len(images) for part in others):
        raise ValueError(f"data must be tensors of as many rows, got {[len(part) for part in parts]}")
    return parts


class _Run:
    """The state of a run: everything that a checkpoint must hold for the next step to be the same."""

    def __init__(self, method, parts, spec, config, device):
        self.fingerprint = [n for x in parts for n in (*x.shape, zlib.crc32(x.cpu().contiguous().numpy()))]
        self.parts = tuple(part.to(device) for part in parts)
        self.method, self.spec, self.config, self.device = method, spec, config, device
        self.image_shape = tuple(parts[0].shape[1:])
        self.begin(attempt=0, given_up=0)
        named_tensors(**vars(self.players))  # refuses what a checkpoint would forget

    def begin(self, attempt, given_up):
        """Weights, order and draws of an attempt; those of the first one are the seed's own."""
        method, config, seed = self.method, self.config, self.config.seed + attempt * SEEDS_APART
        torch.manual_seed(seed)
        self.attempt, self.players = attempt, method.make(self.spec, self.image_shape, config, self.device)
        self.random = torch.Generator(self.device).manual_seed(seed)
        rows = torch.arange(len(self.parts[0]), device=self.device)
        self.sampler = BatchSampler(rows, config.batch_size, self.random)
        metrics = method.metrics(*([] for _ in method.metrics._fields))
        self.history = History(config.batch_size, _sample_codes(self.spec, config.seed), metrics, given_up=given_up)
        self.unread = []

    def go(self, interrupt, file, callback, progress):
        config, started, before = self.config, time.perf_counter(), self.history.seconds
        with tqdm(total=config.steps, initial=len(self.history), disable=not progress, unit="step") as bar:
            if callback is not None:
                self._show(callback, interrupt, file)
            shown = time.perf_counter()
            while self.done < config.steps and not interrupt.asked:
                if 0 < self.done == round(JUDGED_AT * config.steps):
                    self._judge(bar)
                self._step()
                last = self.done == config.steps
                saves = file is not None and self.done % config.checkpoint_every == 0 and not last
                draws = self.done % config.sample_every == 0 or last
                shows = callback is not None and (draws or time.perf_counter() - shown >= LIVE_EVERY)
                if self.done % READ_EVERY == 0 or draws or saves or shows:
                    self._read(bar)
                if draws:
                    self._draw()
                self.history.seconds = before + time.perf_counter() - started
                if saves:
                    save_or_say(file, self, "The run goes on, and the next save tries again.")
                if shows:
                    self._show(callback, interrupt, file)
                    shown = time.perf_counter()
            self._read(bar)
        self.history.seconds = before + time.perf_counter() - started
        self.check_weights()
        if file is not None:
            save_or_say(file, self, "What was trained is returned: checkpoints.save_networks saves it elsewhere.")
        if not self.history.sample_steps or self.history.sample_steps[-1] != len(self.history):
            self._draw()  # an interrupted run ends with a picture too; it is not part of the run that goes on

    @property
    def done(self):
        """Steps of this attempt that lie behind."""
        return len(self.history) + len(self.unread)

    def _show(self, callback, interrupt, file):
        """Call back with the history, whose last picture is of now: one that is only looked at stays out of the run."""
        with isolated_randomness(), saved_first(file, self):  # what a callback draws must not move the dropout
            history, step = self.history, len(self.history)
            if history.sample_steps[-1:] != [step]:
                pictures, steps = [*history.samples, _pictures(self)], [*history.sample_steps, step]
                history = replace(history, samples=pictures, sample_steps=steps)
            interrupt.call(callback, history)

    def _judge(self, bar):
        """Start again where the method says so. A run that goes on from a file saved here is judged again: the same."""
        self._read(bar)
        with isolated_randomness():
            why = self.method.verdict(self.players, _joined(self.parts), self.spec, self.config, self.attempt)
        if why is not None:
            steps = len(self.history)
            print(f"Starting again after step {steps} of {self.config.steps}, with other weights: {why}.")
            self.begin(self.attempt + 1, self.history.given_up + steps)
            bar.reset()
        for module in _modules(self.players):
            module.train()

    def _step(self):
        done = self.done / self.config.steps
        rows = self.sampler.next()
        images, *others = (part[rows] for part in self.parts)
        batch = _joined((as_model_range(images), *others))
        self.unread.append(self.method.step(self.players, batch, self.spec, self.config, self.random, done))

    def _read(self, bar):
        """Move the metrics of the last steps to the history, in one transfer, and stop on NaN."""
        if not self.unread:
            return
        values = torch.stack([torch.stack(metrics) for metrics in self.unread]).cpu()
        self.unread = []
        names = self.method.metrics._fields
        must_be = torch.tensor([name in self.method.finite for name in names])
        bad = ~torch.isfinite(values) & must_be
        if bad.any():
            row = int(bad.any(dim=1).nonzero()[0])
            broken = [name for name, is_bad in zip(names, bad[row].tolist(), strict=True) if is_bad]
            _stop(len(self.history) + row + 1, ", ".join(broken), self.config.likely_cause())
        for recorded, column in zip(self.history.metrics, values.T.tolist(), strict=True):
            recorded.extend(column)
        bar.update(len(self.history) - bar.n)
        bar.set_postfix_str(self.method.metrics(*values[-1].tolist()).summary())

    def check_weights(self):
        tensors = named_tensors(**vars(self.players))
        broken = [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]
        if broken:
            _stop(len(self.history), broken[0], self.config.likely_cause())

    def _draw(self):
        self.history.samples.append(_pictures(self))
        self.history.sample_steps.append(len(self.history))


def _modules(players):
    return [value for value in vars(players).values() if isinstance(value, torch.nn.Module)]


def _pictures(run):
    """What a run's fixed codes draw now, ``uint8``, on the CPU."""
    run.check_weights()
    modules = _modules(run.players)
    for module in modules:
        module.eval()
    with torch.no_grad():
        pictures = to_uint8(run.method.draw(run.players, run.history.sample_codes.to(run.device))).cpu()
    for module in modules:
        module.train()
    return pictures


def _stop(step, what, cause):
    raise FloatingPointError(
        f"step {step}: {what} is not finite. The likely cause: {cause}. "
        "Start again from the last checkpoint or from the beginning with a lower value."
    )


def _joined(parts):
    """Images alone where there is nothing beside them."""
    return parts[0] if len(parts) == 1 else parts


def _sample_codes(spec, seed):
    """A fixed grid of codes: a row per class of the first categorical code (ten rows of anything without one)."""
    draws = torch.Generator().manual_seed(seed)
    if not spec.categorical:
        return spec.sample(10 * SAMPLE_COLUMNS, draws)
    rows = min(spec.categorical[0], 10)
    codes = spec.sample(SAMPLE_COLUMNS, draws).sweep_categorical(0, range(rows))
    return codes[torch.arange(len(codes)).reshape(SAMPLE_COLUMNS, rows).T.flatten()]
