"""Bounds from a table of scores: against sums by hand, against channels of known information, and where each breaks."""

import math

import numpy as np
import pytest
import torch

from infogan_helpers.bounds import barber_agakov, donsker_varadhan, info_nce, nwj
from infogan_helpers.codes import CodeSpec
from infogan_helpers.information import mutual_information
from infogan_helpers.losses import lower_bound
from infogan_helpers.posteriors import Posterior

OF_SCORES = (donsker_varadhan, nwj, info_nce)
JOINT = (np.full((10, 10), 0.02) + 0.8 * np.eye(10)) / 10  # notebook 02, section 3
N = 128


def scores(seed=0, n=5):
    return torch.randn(n, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gaussian_ratios(information, batches, n=N, seed=0, dimensions=20):
    """log P(c | x) / P(c) of c from N(0, 1) through noise, every picture against every code, by batch."""
    noise = (math.exp(2 * information / dimensions) - 1) ** -0.5
    random = torch.Generator().manual_seed(seed)
    codes = torch.randn(batches, n, dimensions, generator=random, dtype=torch.float64)
    x = codes + noise * torch.randn(batches, n, dimensions, generator=random, dtype=torch.float64)
    errors = torch.cdist(x, codes) ** 2 / noise**2
    return 0.5 * (x**2).sum(2, keepdim=True) / (1 + noise**2) - 0.5 * errors + information


def discrete_ratios(batches, n=N, seed=0):
    """The same for the ten codes of notebook 02."""
    random = torch.Generator().manual_seed(seed)
    log_ratio = torch.log(torch.as_tensor(JOINT * 100))
    pairs = torch.multinomial(torch.as_tensor(JOINT.flatten()), batches * n, True, generator=random)
    codes, x = pairs.reshape(batches, n) // 10, pairs.reshape(batches, n) % 10
    return log_ratio[codes[:, None, :], x[:, :, None]]


def over_batches(bound, batches):
    values = torch.stack([bound(table) for table in batches])
    return values.mean().item(), values.std().item()


# --- the definitions


def test_each_is_its_formula_summed_entry_by_entry():
    table = scores().tolist()
    n = len(table)
    joint = sum(table[i][i] for i in range(n)) / n
    apart = [math.exp(table[i][j]) for i in range(n) for j in range(n) if i != j]
    assert donsker_varadhan(scores()).item() == pytest.approx(joint - math.log(sum(apart) / len(apart)))
    assert nwj(scores()).item() == pytest.approx(joint - sum(apart) / len(apart) / math.e)
    shares = [math.exp(table[i][i]) / (sum(map(math.exp, table[i])) / n) for i in range(n)]
    assert info_nce(scores()).item() == pytest.approx(sum(map(math.log, shares)) / n)


def test_log_n_less_the_contrastive_loss_is_info_nce():
    s, losses = scores(3, 6), []
    for i in range(6):
        others = sum(math.exp(s[i, j]) for j in range(6) if j != i)
        losses.append(-math.log(math.exp(s[i, i]) / (math.exp(s[i, i]) + others)))
    assert math.log(6) - sum(losses) / 6 == pytest.approx(info_nce(s).item())


def test_a_critic_that_knows_nothing_shows_nothing():
    table = torch.full((4, 4), 1.0)
    assert [bound(table).item() for bound in OF_SCORES] == pytest.approx([0, 0, 0], abs=1e-6)
    assert nwj(torch.zeros(4, 4)).item() == pytest.approx(-1 / math.e)  # the constant matters to this one


def test_a_constant_moves_nwj_alone_and_a_constant_per_picture_leaves_info_nce():
    shifted = [(bound(scores() + 0.5) - bound(scores())).abs().item() for bound in OF_SCORES]
    assert shifted[0] == pytest.approx(0, abs=1e-12)
    assert shifted[1] > 0.1
    by_picture = scores() + torch.arange(5.0, dtype=torch.float64)[:, None]
    assert info_nce(by_picture).item() == pytest.approx(info_nce(scores()).item())
    assert abs(donsker_varadhan(by_picture) - donsker_varadhan(scores())) > 0.1


def test_nwj_of_a_critic_is_never_above_its_donsker_varadhan():
    assert all(nwj(scores(seed)) <= donsker_varadhan(scores(seed)) for seed in range(50))


def test_large_scores_stay_finite():
    table = 500 * torch.eye(4)
    assert info_nce(table).item() == pytest.approx(math.log(4))
    assert donsker_varadhan(table).item() == pytest.approx(500)
    assert donsker_varadhan(table + 800).item() == pytest.approx(500)


@pytest.mark.parametrize("bound", OF_SCORES)
def test_gradients_reach_the_scores_they_should(bound):
    table = scores().requires_grad_()
    bound(table).backward()
    diagonal, apart = table.grad.diagonal(), table.grad[~torch.eye(5, dtype=torch.bool)]
    assert (diagonal > 0).all()
    assert (apart < 0).all()


@pytest.mark.parametrize("bound", OF_SCORES)
@pytest.mark.parametrize("shape", [(3,), (3, 4), (1, 1), (0, 0), (2, 3, 3)])
def test_scores_must_be_a_square_table(bound, shape):
    with pytest.raises(ValueError, match=r"^scores must have shape \(n, n\) with n of at least 2, got \("):
        bound(torch.zeros(shape))


# --- on channels of known information


def test_on_ten_codes_all_come_to_the_information():
    information = mutual_information(JOINT)
    batches = discrete_ratios(400)
    assert information == pytest.approx(1.4357, abs=1e-4)
    for bound, shift in ((donsker_varadhan, 0), (nwj, 1), (info_nce, 0)):
        value, _ = over_batches(bound, batches + shift)
        assert value == pytest.approx(information, abs=0.05)


@pytest.mark.parametrize("seed", range(3))  # ten were looked at
def test_info_nce_breaks_at_log_n_and_the_others_in_their_spread(seed):
    low, high = gaussian_ratios(1.0, 100, seed=seed), gaussian_ratios(10.0, 100, seed=seed)
    for bound, shift in ((donsker_varadhan, 0), (nwj, 1), (info_nce, 0)):
        value, spread = over_batches(bound, low + shift)
        assert value == pytest.approx(1.0, abs=0.15)
        assert spread < 0.25
    ceiling = math.log(N)
    value, spread = over_batches(info_nce, high)
    assert 4.5 < value < ceiling
    assert spread < 0.1
    assert max(info_nce(table).item() for table in high) <= ceiling
    assert min(over_batches(donsker_varadhan, high)[1], over_batches(nwj, high + 1)[1]) > 0.4


@pytest.mark.parametrize("information", [1.0, 6.0])
def test_barber_agakov_has_no_ceiling_with_the_right_q_and_is_low_with_a_wrong_one(information):
    entropy = 0.5 * math.log(2 * math.pi * math.e)
    noise = (math.exp(2 * information) - 1) ** -0.5
    scale = noise / math.sqrt(1 + noise**2)  # of the posterior
    error = scale * torch.randn(50_000, generator=torch.Generator().manual_seed(0))
    right = barber_agakov(torch.distributions.Normal(0.0, scale).log_prob(error), entropy)
    fixed = barber_agakov(torch.distributions.Normal(0.0, 1.0).log_prob(error), entropy)  # the right mean, σ at 1
    assert right.item() == pytest.approx(information, abs=0.02)
    assert fixed.item() == pytest.approx(0.5 - 0.5 * math.exp(-2 * information), abs=0.01)


def test_barber_agakov_is_infogans_lower_bound():
    spec = CodeSpec((), 1, 0)
    codes = spec.sample(64, torch.Generator().manual_seed(0))
    posterior = Posterior((), 0.5 * codes.continuous, torch.full((64, 1), -1.0))
    ours = barber_agakov(posterior.log_prob(codes)[:, 0], spec.entropy().continuous)
    assert ours.item() == pytest.approx(lower_bound(posterior, codes, spec).total.item())
