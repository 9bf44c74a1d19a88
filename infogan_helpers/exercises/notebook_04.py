"""Checks of notebook 04: images are drawn in eval mode."""

import copy

import torch

from infogan_helpers.codes import CodeSpec
from infogan_helpers.exercises.checking import (
    Case,
    call,
    name_of,
    passed,
    require,
)
from infogan_helpers.networks import Generator
from infogan_helpers.runtime import isolated_randomness

TRAIN_MODE = (
    "the network drew in train mode: batch norm then makes each image depend on its neighbours; call eval() first"
)


def check_drawing(function):
    """``draw(generator, codes)``: images in eval mode, without gradients; the network's mode is put back."""
    __tracebackhide__ = True
    name = name_of(function)
    spec = CodeSpec(categorical=(3,), continuous=1, noise=4)
    with isolated_randomness():
        torch.manual_seed(0)
        generator = Generator(spec, width=0.125)
    with torch.no_grad():
        for _ in range(30):  # so that the running statistics are those of the codes
            generator(spec.sample(64, torch.Generator().manual_seed(0)))
        codes = spec.sample(6, torch.Generator().manual_seed(1))
        right, in_train_mode = (copy.deepcopy(generator).train(mode)(codes) for mode in (False, True))
    got = call(function, Case("six codes and a network in train mode", (generator, codes)))
    require(
        isinstance(got, torch.Tensor) and got.shape == right.shape,
        name,
        f"must return a tensor of shape {tuple(right.shape)}",
    )
    require(not torch.allclose(got, in_train_mode, atol=1e-6), name, TRAIN_MODE)
    require(torch.allclose(got, right, atol=1e-4), name, "returns other images than the generator's in eval mode")
    require(not got.requires_grad, name, "keeps a graph for gradients that nobody will ask for: use torch.no_grad()")
    require(generator.training, name, "leaves the network in eval mode: put its mode back, it may be in training")
    passed(name, "six codes")
