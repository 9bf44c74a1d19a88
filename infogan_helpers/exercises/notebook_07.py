"""Checks of notebook 07: angles, answers and reflections, and a penalty on D's slope."""

import math

import numpy as np
import torch

from infogan_helpers import code_factors
from infogan_helpers.exercises.checking import (
    SUM,
    Case,
    Mistake,
    call,
    check_numbers,
    name_of,
    passed,
    require,
    short,
)

NO_WAY_BACK = (
    "no gradient reaches D's weights, so the penalty would teach D nothing: torch.autograd.grad needs "
    "create_graph=True here, and nothing may be detached"
)


def check_circular_correlation(function):
    """``correlation(a, b)``: notebook 07, exercise 1: of two arrays of angles, in radians."""
    __tracebackhide__ = True
    random = np.random.default_rng(7)
    turn = random.uniform(-math.pi, math.pi, 400)
    cases = [
        Case("an angle and itself, turned by 1 radian", (turn, turn + 1.0)),
        Case("an angle and its mirror image", (turn, 2.0 - turn)),
        Case("an angle and itself, with noise", (turn, turn + 0.7 * random.standard_normal(400))),
        Case("an angle and another", (turn, random.uniform(-math.pi, math.pi, 400))),
        Case("an angle and one that folds", (2 * np.abs(turn) - math.pi, turn)),
    ]
    mistakes = [
        Mistake(
            "you tried one sense only: an angle that runs the other way follows as well, so take the larger of both",
            lambda a, b: abs(np.exp(1j * (a - b)).mean()),
        ),
        Mistake(
            "the mean of the cosine asks for equal angles: take the length of the mean of exp(i(a - b)), which lets "
            "one be turned against the other",
            lambda a, b: max(np.cos(a - b).mean(), np.cos(a + b).mean()),
        ),
        Mistake("an ordinary correlation tears the circle open at ±π", lambda a, b: np.corrcoef(a, b)[0, 1]),
        Mistake("an ordinary correlation tears the circle open at ±π", lambda a, b: abs(np.corrcoef(a, b)[0, 1])),
        Mistake("you took the mean of the lengths, each of which is 1: take the length of the mean", lambda a, b: 1.0),
    ]
    check_numbers(function, cases, code_factors.circular_correlation, mistakes)


def check_mirrored_answers(function):
    """``answers(read, images)``: notebook 07, exercise 2: the answers on images and on their reflections made one.

    Of what ``read`` says of each image the first number is to be odd, the second even.
    """
    __tracebackhide__ = True
    name, random = name_of(function), torch.Generator().manual_seed(5)
    weights = torch.randn(48, 2, generator=random)
    images = 2 * torch.rand(5, 1, 6, 8, generator=random) - 1

    def read(images):
        return (images.flatten(1) @ weights / 3).tanh()

    here, there, upside_down = read(images), read(images.flip(3)), read(images.flip(2))
    signs = torch.tensor([-1.0, 1.0])
    case = Case("5 images of 6 by 8 pixels", (read, images))
    came = call(function, case)
    require(
        isinstance(came, torch.Tensor) and came.shape == here.shape,
        name,
        f"must return a tensor of the answers' shape, {tuple(here.shape)}",
    )
    mistakes = {
        "the second number is odd here: only the first changes its sign with the reflection": (here - there) / 2,
        "the first number is even here: turn the reflection's first answer round before you average": (here + there)
        / 2,
        "you left out the half: an answer and its like would make twice the answer": here + signs * there,
        "the images were turned upside down: a reflection flips the last axis": (here + signs * upside_down) / 2,
        "the reflection was not looked at": here,
    }
    hint = next((sentence for sentence, wrong in mistakes.items() if torch.allclose(came, wrong, atol=1e-5)), None)
    right = (here + signs * there) / 2
    message = f"on {case.what} begins with {short(came[0].tolist())}, expected {short(right[0].tolist())}"
    require(torch.allclose(came, right, atol=1e-5), name, message + (f". Likely: {hint}" if hint else ""))
    passed(name, case.what)


def check_r1_penalty(function):
    """``r1(d, real, gamma)``: notebook 07, exercise 3: γ/2 times the mean squared norm of D's slope at real images."""
    __tracebackhide__ = True
    name = name_of(function)

    def of_weights(weights, real, gamma):
        return function(lambda images: _scores(weights, images), real, gamma)

    of_weights.__name__ = name
    cases = []
    for n, gamma in ((6, 1.0), (3, 0.3), (1, 10.0)):
        random = torch.Generator().manual_seed(n)
        weights = torch.randn(16, generator=random).requires_grad_()
        real = 2 * torch.rand(n, 1, 4, 4, generator=random) - 1
        case = Case(f"{n} real images of 16 pixels and γ = {gamma:g}", (weights, real, gamma))
        cases.append(case)
        result = call(of_weights, case)
        require(isinstance(result, torch.Tensor) and result.requires_grad, name, f"on {case.what}: {NO_WAY_BACK}")
        (slope,) = torch.autograd.grad(result.sum(), weights, allow_unused=True, retain_graph=True)
        require(slope is not None and bool(slope.abs().sum() > 0), name, f"on {case.what}: {NO_WAY_BACK}")

    def of_slopes(reduce):
        return lambda weights, real, gamma: reduce(_slopes(weights.detach(), real), gamma)

    mistakes = [
        Mistake("γ/2, not γ", of_slopes(lambda s, gamma: gamma * s.square().sum(dim=1).mean())),
        Mistake("that is the norm: R1 squares it", of_slopes(lambda s, gamma: gamma / 2 * s.norm(dim=1).mean())),
        Mistake(
            "you averaged over the pixels too: sum the squares of each image, and average over the images",
            of_slopes(lambda s, gamma: gamma / 2 * s.square().mean()),
        ),
        Mistake(SUM, of_slopes(lambda s, gamma: gamma / 2 * s.square().sum())),
        Mistake(
            "that is the penalty of notebook 03's critic, which asks for a slope of 1: R1 asks for 0",
            of_slopes(lambda s, gamma: gamma / 2 * (s.norm(dim=1) - 1).square().mean()),
        ),
    ]
    check_numbers(of_weights, cases, of_slopes(lambda s, gamma: gamma / 2 * s.square().sum(dim=1).mean()), mistakes)


def _scores(weights, images):
    """A D small enough to differentiate by hand."""
    return (weights * images.flatten(1)).tanh().sum(dim=1)


def _slopes(weights, images):
    return weights * (1 - (weights * images.flatten(1)).tanh().square())  # shape (n, pixels)
