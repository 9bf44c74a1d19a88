"""Losses of answers on views, by hand: classes in equal use, answers spread out, distances kept."""

import math

import numpy as np
import pytest
import torch

from infogan_helpers.losses import answer_information
from infogan_helpers.methods import viewed_losses
from infogan_helpers.methods.viewed_losses import NEAR, answer_spread, class_imbalance, distance_disagreement


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


NOTHING = torch.zeros(2, 0)  # no other code: all rows are near


def test_answers_uneven_by_hand():
    logits = torch.tensor([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]], requires_grad=True)
    high, low = math.exp(0.6) / (math.exp(0.6) + 2), 1 / (math.exp(0.6) + 2)
    mean = [(high + low) / 2, (high + low) / 2, low]
    loss = class_imbalance(logits, NOTHING)
    assert loss.item() == pytest.approx(math.log(3) + sum(m * math.log(m) for m in mean), abs=1e-6)
    loss.backward()
    assert (logits.grad[:, 2] < 0).all()  # the class that nobody answers is asked for
    torch.testing.assert_close(logits.grad.sum(dim=1), torch.zeros(2), atol=1e-7, rtol=0)
    assert class_imbalance(20 * torch.eye(3), torch.zeros(3, 0)).item() == pytest.approx(0, abs=1e-6)
    assert class_imbalance(torch.tensor([[1e3, 0.0]]), torch.zeros(1, 0)).item() == pytest.approx(math.log(2))


def test_answers_uneven_near_each_other_by_hand():
    """Two classes that halve another code's range are even as a whole, and uneven wherever one looks."""
    logits = torch.tensor([[1e3, -1e3], [-1e3, 1e3]], requires_grad=True)
    beside = torch.tensor([[-NEAR / 2], [NEAR / 2]]) / math.pi
    beside.requires_grad_()
    assert class_imbalance(logits, NOTHING).item() == pytest.approx(0, abs=1e-6)
    own = 1 / (1 + math.exp(-1 / 2))  # what a row weighs for itself, at one NEAR from the other
    expected = math.log(2) + own * math.log(own) + (1 - own) * math.log(1 - own)
    loss = class_imbalance(logits, beside)
    assert loss.item() == pytest.approx(expected, abs=1e-6)
    assert class_imbalance(logits, 100 * beside).item() == pytest.approx(math.log(2), abs=1e-6)
    loss.backward()
    assert torch.isfinite(logits.grad).all()
    assert beside.grad is None  # classes move; the other codes do not make room for them
    apart, together = torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([[0.0], [5.0]])
    torch.testing.assert_close(
        class_imbalance(logits, NEAR * apart / 16), class_imbalance(logits, NEAR * together / 16)
    )


def test_answers_uneven_near_each_other_row_by_row():
    logits, beside = 5 * torch.randn(5, 3, generator=seeded()), torch.tensor([[-0.1], [-0.08], [0.0], [0.02], [0.5]])
    missing = []
    for place in beside[:, 0].tolist():
        weights = torch.exp(-((math.pi * (beside[:, 0] - place)) ** 2) / (2 * NEAR**2))
        mean = (weights[:, None] * (0.3 * logits).softmax(dim=1)).sum(dim=0) / weights.sum()
        missing.append(math.log(3) + (mean * mean.log()).sum().item())
    assert class_imbalance(logits, beside).item() == pytest.approx(sum(missing) / 5, abs=1e-6)


def test_classes_that_follow_another_code_are_moved_and_those_that_do_not_are_left():
    code = torch.linspace(-1, 1, 64)[:, None]
    following = torch.cat([10 * code.sign(), -10 * code.sign()], dim=1).requires_grad_()
    signs = torch.tensor([1.0, -1.0]).repeat(32)[:, None]
    other = torch.cat([10 * signs, -10 * signs], dim=1).requires_grad_()
    class_imbalance(following, code).backward()
    class_imbalance(other, code).backward()
    assert following.grad.abs().sum() > 20 * other.grad.abs().sum()
    assert (following.grad[1:-1, 0] * code[1:-1, 0].sign() > 0).all()  # descent takes each towards the other class


def test_a_dead_class_has_a_slope_where_information_has_none():
    logits = torch.tensor([[15.0, 0.0, -15.0], [0.0, 15.0, -15.0]], requires_grad=True)
    answer_information(logits).backward()
    assert logits.grad[:, 2].abs().max() < 1e-9
    logits.grad = None
    class_imbalance(logits, NOTHING).backward()
    assert logits.grad[:, 2].max() < -1e-6


@pytest.mark.parametrize("shape", [(0, 3), (3,), (2, 3, 4)])
def test_answers_uneven_refuse_other_shapes(shape):
    with pytest.raises(ValueError, match=r"logits must have shape \(n, classes\) with n of at least 1"):
        class_imbalance(torch.zeros(shape), torch.zeros(shape[0], 1))


@pytest.mark.parametrize("shape", [(2,), (3, 1)])
def test_answers_uneven_refuse_other_answers_that_are_not_theirs(shape):
    with pytest.raises(ValueError, match=r"beside must have shape \(2, codes\), got"):
        class_imbalance(torch.zeros(2, 3), torch.zeros(shape))


def test_distances_disagree_by_hand():
    shown = torch.tensor([[0.0], [1.0], [3.0]])
    assert distance_disagreement(shown * -2 + 7, shown).item() == pytest.approx(0, abs=1e-6)
    folded = torch.tensor([0.0, 1.0, 0.0], requires_grad=True)
    here, there = np.array([1, 0, 1.0]), np.array([1, 3, 2.0])
    loss = distance_disagreement(folded, shown)
    assert loss.item() == pytest.approx(1 - np.corrcoef(here, there)[0, 1], abs=1e-3)
    loss.backward()
    assert folded.grad.any()
    assert distance_disagreement(torch.zeros(3), shown).item() == pytest.approx(1)
    pictures = shown.reshape(3, 1, 1, 1).requires_grad_()
    assert distance_disagreement(folded, pictures).item() == pytest.approx(loss.item(), abs=1e-6)
    distance_disagreement(folded, pictures).backward()
    assert pictures.grad is None
    for answers_, shown_ in ((torch.zeros(3), torch.zeros(4, 1)), (torch.zeros(2), torch.zeros(2, 1))):
        with pytest.raises(ValueError, match="answers and shown must be as many, at least 3"):
            distance_disagreement(answers_, shown_)


@pytest.mark.parametrize("in_cache", [1, 70, 2**19])
def test_distances_are_the_same_however_many_are_taken_at_a_time(monkeypatch, in_cache):
    answers_, shown = torch.randn(9, 3, generator=seeded()), torch.randn(9, 1, 4, 4, generator=seeded(1))
    expected = 1 - np.corrcoef(torch.pdist(answers_).numpy(), torch.pdist(shown.flatten(1)).numpy())[0, 1]
    monkeypatch.setattr(viewed_losses, "IN_CACHE", in_cache)
    assert distance_disagreement(answers_, shown).item() == pytest.approx(expected, abs=1e-5)


def test_answers_spread_by_hand():
    assert answer_spread(torch.tensor([0.5, -0.5])).item() == pytest.approx(0, abs=1e-12)
    assert answer_spread(torch.zeros(2)).item() == pytest.approx(0.25)
    assert answer_spread(torch.zeros(1000)).item() == pytest.approx(1 / 3, abs=1e-3)
    means = torch.tensor([0.9, 0.1, -0.2, -0.6], requires_grad=True)
    expected = np.mean((np.array([-0.6, -0.2, 0.1, 0.9]) - np.array([-0.75, -0.25, 0.25, 0.75])) ** 2)
    loss = answer_spread(means)
    assert loss.item() == pytest.approx(expected, abs=1e-7)
    loss.backward()
    torch.testing.assert_close(means.grad, torch.tensor([0.075, -0.075, 0.025, 0.075]))
    for wrong in (torch.zeros(0), torch.zeros(2, 2)):
        with pytest.raises(ValueError, match=r"means must have shape \(n,\) with n of at least 1"):
            answer_spread(wrong)
