"""The controller: step by step what its authors published, a set point that is held, the trap of its anti-windup."""

import math

import pytest
import torch

from infogan_helpers.controllers import control

PUBLISHED = {"proportional": 0.01, "gain": 0.001, "least": 1.0}


def at_rest(least=1.0):
    return torch.zeros(()), torch.tensor(float(least))


def published(errors, proportional, gain, least):
    """Shao et al. 2020, in Python's own floats: the weight after each error."""
    integral, before, weights = 0.0, least, []
    for error in errors:
        if not before < least:
            integral -= gain * error
        before = proportional / (1 + math.exp(error)) + least + integral
        weights.append(max(before, least))
    return weights


@pytest.mark.parametrize("least", [0.0, 1.0])
def test_every_step_is_the_published_one(least):
    random = torch.Generator().manual_seed(0)
    errors = (10 * torch.randn(500, generator=random, dtype=torch.float64)).tolist()
    gains = {"proportional": 0.01, "gain": 0.001, "least": least}
    integral, output = (x.double() for x in at_rest(least))
    ours = [control(torch.tensor(e, dtype=torch.float64), integral, output, **gains).item() for e in errors]
    assert ours == pytest.approx(published(errors, **gains), rel=1e-9)
    assert min(ours) == least < max(ours)


def test_too_much_raises_the_weight_and_too_little_lowers_it():
    weights = {}
    for error in (-2.0, 2.0):
        integral, output = torch.tensor(0.5), torch.tensor(1.5)
        weights[error] = control(torch.tensor(error), integral, output, **PUBLISHED).item()
    assert weights[2.0] < 1.5 < weights[-2.0]


def test_a_set_point_is_held():
    """What is measured falls as one over the weight: it settles where it was asked to."""
    integral, output = at_rest()
    measured = torch.tensor(20.0)
    for _ in range(10_000):
        weight = control(5.0 - measured, integral, output, **PUBLISHED)
        measured = 20.0 / weight
    assert measured.item() == pytest.approx(5.0, rel=1e-3)
    assert weight.item() == pytest.approx(4.0, rel=1e-3)


def test_the_integral_rests_below_the_least_weight_and_one_large_error_holds_it_there_for_good():
    integral, output = at_rest()
    control(torch.tensor(18.0), integral, output, **PUBLISHED)
    assert output.item() < 1
    stuck = integral.item()
    for _ in range(100):
        assert control(torch.tensor(-50.0), integral, output, **PUBLISHED).item() == 1.0
    assert integral.item() == stuck
    integral, output = at_rest()
    control(torch.tensor(0.5), integral, output, **PUBLISHED)  # a small one does not
    for _ in range(100):
        weight = control(torch.tensor(-50.0), integral, output, **PUBLISHED)
    assert weight.item() > 5


def test_no_gradient_flows_through_the_weight():
    integral, output = at_rest()
    error = torch.tensor(-1.0, requires_grad=True)
    assert not control(error, integral, output, **PUBLISHED).requires_grad
