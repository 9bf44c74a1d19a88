"""Runs of seconds that tests of the loop and of methods share: random images, tiny networks, what equals what."""

import signal
from dataclasses import replace

import numpy as np
import torch

from infogan_helpers.checkpoints import named_tensors
from infogan_helpers.codes import CodeSpec
from infogan_helpers.methods import infogan
from infogan_helpers.methods.players import StepMetrics
from infogan_helpers.tensor_files import load_tensors
from infogan_helpers.training import run

SPEC = CodeSpec(categorical=(3,), continuous=1, noise=4)
SHAPE = (1, 8, 8)
FAST = {"learning_rate_g": 0.01, "learning_rate_d": 0.01, "learning_rate_q": 0.01}  # pictures move in a few steps
QUICK = replace(
    infogan.PRESETS["plain"], steps=12, batch_size=4, width=0.05, sample_every=5, checkpoint_every=5, seed=3, **FAST
)
QUICK_OF = {"conv": QUICK, "mlp": replace(QUICK, architecture="mlp", norm="none")}  # the mlp has dropout
METRICS = StepMetrics._fields


def some_images(n=18, shape=SHAPE, seed=0):
    return torch.randint(0, 256, (n, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def train(config=QUICK, images=None, spec=SPEC, method=infogan.METHOD, **options):
    images = some_images() if images is None else images
    return run(method, images, spec, config, device="cpu", progress=False, **options)


def with_step(change):
    """InfoGAN with a step of its own: ``change(step)`` wraps the paper's."""
    return infogan.METHOD._replace(step=change(infogan.METHOD.step))


def same(first, second):
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def weights(result):
    return named_tensors(generator=result.players.generator, discriminator_q=result.players.discriminator_q)


def assert_same_run(first, second):
    """Weights, running statistics, records and pictures agree to the bit."""
    there = weights(second)
    assert {name for name, t in weights(first).items() if not torch.equal(t, there[name])} == set()
    for name in METRICS:
        a, b = (np.array(getattr(result.history, name)) for result in (first, second))
        np.testing.assert_array_equal(a, b, err_msg=name)
    assert first.history.sample_steps == second.history.sample_steps
    assert len(first.history.samples) == len(first.history.sample_steps)
    assert same(first.history.samples, second.history.samples)


def assert_same_state(first_file, second_file):
    """Two checkpoints hold the same: optimisers, random states, order and position too; only the clock may differ."""
    (first, first_note), (second, second_note) = load_tensors(first_file), load_tensors(second_file)
    assert first.keys() == second.keys()
    assert {k for k in first if not torch.equal(first[k].nan_to_num(-1), second[k].nan_to_num(-1))} == set()
    first_note.pop("seconds"), second_note.pop("seconds")
    assert first_note == second_note


def raising(error):
    def function(*_, **__):
        raise error

    return function


class Stop:
    """A callback that interrupts at one step, once."""

    def __init__(self, step, how):
        self.step, self.how = step, how

    def __call__(self, history):
        if len(history) == self.step:
            self.how()


def ctrl_c():
    signal.raise_signal(signal.SIGINT)  # os.kill would end the tests on Windows
