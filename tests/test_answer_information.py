"""What Q's answers on real images say, in nats: known values, gradients, bad input."""

import math

import pytest
import torch

from infogan_helpers.codes import Codes
from infogan_helpers.information import mutual_information
from infogan_helpers.losses import answer_information, code_recovery
from infogan_helpers.posteriors import Posterior


def test_information_by_hand():
    sure = 100 * torch.eye(4)
    assert answer_information(sure).item() == pytest.approx(math.log(4), abs=1e-6)
    assert answer_information(sure[[0, 0, 0]]).item() == pytest.approx(0, abs=1e-6)  # sure, and always the same
    assert answer_information(torch.zeros(5, 4)).item() == pytest.approx(0, abs=1e-6)  # balanced, and never sure
    p = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], dtype=torch.float64)
    joint = p.numpy() / 2  # image and answer
    assert answer_information(p.log()).item() == pytest.approx(mutual_information(joint), abs=1e-12)
    assert answer_information(p.log() + torch.tensor([[3.0], [-5.0]])).item() == pytest.approx(
        mutual_information(joint), abs=1e-12
    )


def test_class_balance_weighs_the_entropy_of_the_mean_answer_alone():
    p = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], dtype=torch.float64)
    of_mean, mean_of = torch.special.entr(p.mean(dim=0)).sum(), torch.special.entr(p).sum(dim=1).mean()
    for weight in (0.0, 1.0, 4.0):
        assert answer_information(p.log(), weight).item() == pytest.approx(float(weight * of_mean - mean_of), abs=1e-12)


def test_information_grows_where_an_answer_gets_surer_and_no_image_is_cut_off():
    logits = torch.randn(8, 5, generator=torch.Generator().manual_seed(0), requires_grad=True)
    before = answer_information(logits)
    before.backward()
    assert (logits.grad.abs().sum(dim=1) > 0).all()
    assert answer_information(logits + logits.grad) > before
    extreme = torch.tensor([[1e4, -1e4], [-1e4, 1e4]], requires_grad=True)
    answer_information(extreme).backward()
    assert torch.isfinite(extreme.grad).all()


@pytest.mark.parametrize("shape", [(0, 3), (3,), (2, 3, 4)])
def test_information_needs_a_table(shape):
    with pytest.raises(ValueError, match=r"logits must have shape \(n, classes\) with n of at least 1, got"):
        answer_information(torch.zeros(shape))


def test_lists_are_taken_for_tensors():
    assert answer_information([[50.0, 0.0], [0.0, 50.0]]).item() == pytest.approx(math.log(2), abs=1e-6)
    assert answer_information([[3.0, 1.0]]).item() == pytest.approx(0, abs=1e-6)


def test_recovery_is_the_share_of_all_codes_that_are_guessed():
    def recovered(*guesses):
        """The share, where these are the guesses for each code and all three images have classes 2 and 1."""
        logits = tuple(torch.eye(5)[torch.tensor(guess)] for guess in guesses)
        classes = torch.tensor([2, 1])[: len(guesses)].expand(3, -1)
        codes = Codes(torch.zeros(3, 1), classes, torch.zeros(3, 0))
        return float(code_recovery(Posterior(logits, torch.zeros(3, 0), torch.zeros(3, 0)), codes))

    assert recovered([2, 2, 0], [1, 0, 0]) == pytest.approx(3 / 6)
    assert recovered([2, 0, 0]) == pytest.approx(1 / 3)
    assert math.isnan(recovered())
