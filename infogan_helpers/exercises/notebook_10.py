"""Checks of notebook 10: which codes are used, how many modes are caught, a penalty on D's slope."""

import numpy as np
import torch
from torch import nn

from infogan_helpers.exercises.checking import Case, call, name_of, one_number, passed, random_logits, require, short


def check_usage(function):
    """``usage(c1, classes)``: notebook 10, exercise 1: the share of each class, sleeping ones included."""
    __tracebackhide__ = True
    name = name_of(function)
    for classes, answers in ((3, [0, 2, 2, 0, 0]), (5, [1, 1, 4, 4]), (4, [3, 3, 3]), (6, list(range(6)) * 3)):
        c1 = torch.tensor(answers)
        case = Case(f"the answers {answers} of {classes} classes", (c1, classes))
        came = np.asarray(call(function, case), dtype=float)
        counts = np.bincount(answers, minlength=classes)
        present = counts[counts > 0]
        require(
            came.shape != present.shape or came.shape == (classes,),
            name,
            f"on {case.what} gave {len(present)} shares: np.unique and value_counts leave out a class that nobody "
            "answered, and that class is the one you are looking for",
        )
        require(came.shape == (classes,), name, f"on {case.what} must give shape ({classes},), got {came.shape}")
        require(
            not (len(answers) > 1 and np.allclose(came, counts)),
            name,
            f"on {case.what} gave counts, {short(came)}: divide by how many answers there are",
        )
        right = counts / len(answers)
        require(np.allclose(came, right), name, f"on {case.what} gave {short(came)}, expected {short(right)}")
    passed(name, "four lists of answers")


def check_modes_caught(function):
    """``modes_caught(points, centres, spread)``: notebook 10, exercise 2: modes with a point within 3 spreads."""
    __tracebackhide__ = True
    name, random = name_of(function), torch.Generator().manual_seed(10)
    ring = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    close = ring[[0, 0, 1, 2]] + 0.05 * torch.randn(4, 2, generator=random)
    cases = [
        Case("points on three of four modes, and one far off", (torch.cat([close, ring[3:] * 2]), ring, 0.1)),
        Case("a point at four spreads from the nearest mode", (ring[:1] + torch.tensor([[0.4, 0.0]]), ring, 0.1)),
        Case("a point at two spreads from a mode", (ring[:1] + torch.tensor([[0.2, 0.0]]), ring, 0.1)),
        Case("a hundred points on one mode", (ring[:1] + 0.01 * torch.randn(100, 2, generator=random), ring, 0.1)),
    ]

    def distances(points, centres):
        return torch.cdist(points, centres)

    hints = {
        "you counted points: several points on one mode are one mode": lambda p, c, s: (
            distances(p, c).amin(dim=1) <= 3 * s
        ).sum(),
        "you counted the nearest mode of every point, however far: a point outside three spreads is no catch": (
            lambda p, c, s: distances(p, c).argmin(dim=1).unique().numel()
        ),
        "you compared the squared distance with 3 spreads: take its root": lambda p, c, s: (
            (distances(p, c).square() <= 3 * s).any(dim=0).sum()
        ),
        "one spread is too strict: the count takes three": lambda p, c, s: (distances(p, c) <= s).any(dim=0).sum(),
        "you gave the modes that were missed": lambda p, c, s: (distances(p, c) > 3 * s).all(dim=0).sum(),
    }
    came = [int(call(function, case)) for case in cases]
    right = [int((distances(p, c) <= 3 * s).any(dim=0).sum()) for _, (p, c, s) in cases]
    for hint, answer in hints.items():
        require(came == right or came != [int(answer(*case.arguments)) for case in cases], name, hint)
    for case, a, b in zip(cases, came, right, strict=True):
        require(a == b, name, f"on {case.what} gave {a}, expected {b}")
    passed(name, f"{len(cases)} sets of points")


def check_slope_penalty(function):
    """``slope_penalty(discriminator, real)``: notebook 10, exercise 3: R1 with γ = 1, whose gradient reaches D."""
    __tracebackhide__ = True
    name = name_of(function)
    cases = [Case(f"{n} images of 6 pixels", (small_discriminator(n), random_logits(n, n, 6))) for n in (1, 5)]
    came, right = [], []
    for case in cases:
        came.append(call(function, case))
        right.append(squared_slopes(*case.arguments))
    values = [one_number(value, name, case) for value, case in zip(came, cases, strict=True)]
    hints = {
        "the half is missing: R1 is γ/2 times the mean square, here with γ = 1": lambda q: q.mean(),
        "you took the length of the slope, not its square": lambda q: q.sqrt().mean() / 2,
        "you summed over the batch where a mean belongs": lambda q: q.sum() / 2,
        "you averaged over the pixels: an image's squares are added": lambda q: q.mean() / 2 / 6,
    }
    wanted = [(q.mean() / 2).item() for q in right]
    for hint, answer in hints.items():
        wrong = [answer(q).item() for q in right]
        require(np.allclose(values, wanted, 1e-4) or not np.allclose(values, wrong, 1e-4), name, hint)
    for value, target, case in zip(values, wanted, cases, strict=True):
        require(np.isclose(value, target, 1e-4), name, f"on {case.what} gave {value:.5g}, expected {target:.5g}")
    for value, q, case in zip(came, right, cases, strict=True):
        require(
            isinstance(value, torch.Tensor) and value.requires_grad,
            name,
            "has no gradient for D: torch.autograd.grad needs create_graph=True, and nothing may be detached after it",
        )
        parameters = list(case.arguments[0].parameters())
        ours, theirs = (torch.autograd.grad(loss, parameters, allow_unused=True) for loss in (value, q.mean() / 2))
        same = all(torch.allclose(a, b, atol=1e-5) for a, b in zip(ours, theirs, strict=True) if b is not None)
        require(same, name, "has the right value and another gradient for D than it")
    passed(name, "two batches, gradients included")


def small_discriminator(seed):
    """A smooth network from 6 pixels to one logit, its weights drawn by the seed."""
    first, last = nn.Linear(6, 5), nn.Linear(5, 1, bias=False)
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in (first.weight, first.bias, last.weight):
            weight.copy_(torch.randn(weight.shape, generator=random))
    return nn.Sequential(first, nn.Tanh(), last, nn.Flatten(0))


def squared_slopes(discriminator, real):
    """‖∇D(x)‖² of each image, with a gradient for D."""
    x = real.detach().clone().requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
    return slope.square().sum(dim=1)
