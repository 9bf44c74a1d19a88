"""Checks of notebook 10's exercises: right answers pass, and each known mistake is named by its sentence."""

import numpy as np
import pytest
import torch

from infogan_helpers.exercises.notebook_10 import check_modes_caught, check_slope_penalty, check_usage


def usage(c1, classes):
    return torch.bincount(c1, minlength=classes) / len(c1)


def usage_by_numpy(c1, classes):
    return [(np.asarray(c1) == k).mean() for k in range(classes)]


def modes_caught(points, centres, spread):
    return (torch.cdist(points, centres) <= 3 * spread).any(dim=0).sum()


def penalty(discriminator, real, create_graph=True, of=lambda slope: slope.square().sum(dim=1).mean() / 2):
    x = real.requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=create_graph)
    return of(slope)


def penalty_image_by_image(discriminator, real):
    losses = []
    for image in real:
        x = image[None].detach().requires_grad_()
        losses.append(torch.autograd.grad(discriminator(x), x, create_graph=True)[0].square().sum() / 2)
    return torch.stack(losses).mean()


@pytest.mark.parametrize(
    ("check", "function"),
    [
        (check_usage, usage),
        (check_usage, usage_by_numpy),
        (check_modes_caught, modes_caught),
        (check_modes_caught, lambda p, c, s: len({int(k) for k in (torch.cdist(p, c) <= 3 * s).nonzero()[:, 1]})),
        (check_slope_penalty, penalty),
        (check_slope_penalty, penalty_image_by_image),
    ],
)
def test_right_answers_pass(check, function, capsys):
    check(function)
    assert ": right on" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("check", "function", "sentence"),
    [
        (check_usage, lambda c, k: c.unique(return_counts=True)[1] / len(c), "leave out a class that nobody answered"),
        (check_usage, lambda c, k: torch.bincount(c, minlength=k), "gave counts"),
        (check_usage, lambda c, k: torch.bincount(c, minlength=k) / k, "expected"),
        (check_modes_caught, lambda p, c, s: (torch.cdist(p, c).amin(1) <= 3 * s).sum(), "you counted points"),
        (check_modes_caught, lambda p, c, s: len(torch.cdist(p, c).argmin(1).unique()), "however far"),
        (check_modes_caught, lambda p, c, s: (torch.cdist(p, c) ** 2 <= 3 * s).any(0).sum(), "take its root"),
        (check_modes_caught, lambda p, c, s: (torch.cdist(p, c) <= s).any(0).sum(), "one spread is too strict"),
        (check_modes_caught, lambda p, c, s: (torch.cdist(p, c) > 3 * s).all(0).sum(), "that were missed"),
        (check_slope_penalty, lambda d, x: 2 * penalty(d, x), "the half is missing"),
        (check_slope_penalty, lambda d, x: len(x) * penalty(d, x), "where a mean belongs"),
        (check_slope_penalty, lambda d, x: penalty(d, x, of=lambda s: s.norm(dim=1).mean() / 2), "not its square"),
        (
            check_slope_penalty,
            lambda d, x: penalty(d, x, of=lambda s: s.square().mean() / 2),
            "averaged over the pixels",
        ),
        (check_slope_penalty, lambda d, x: penalty(d, x, create_graph=False), "create_graph=True"),
        (check_slope_penalty, lambda d, x: penalty(d, x).detach() + 0 * d(x).sum(), "another gradient"),
    ],
)
def test_each_mistake_is_named(check, function, sentence):
    with pytest.raises(AssertionError, match=sentence):
        check(function)


@pytest.mark.parametrize("check", [check_usage, check_modes_caught, check_slope_penalty])
def test_an_answer_that_is_not_written_is_said_to_be_so(check):
    with pytest.raises(AssertionError, match=r"returned nothing|not written yet"):
        check(lambda *_: ...)
