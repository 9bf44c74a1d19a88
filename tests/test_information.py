"""Entropy, information and the bound, on distributions whose answers are known in closed form."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from infogan_helpers.information import (
    conditional_entropy,
    entropy,
    kl_divergence,
    mutual_information,
    variational_lower_bound,
)

EXACT = {"rel": 0, "abs": 1e-12}
CHANNEL = np.full((10, 10), 0.02) + 0.8 * np.eye(10)  # P(x | c): itself with 0.82, each other symbol with 0.02
NOISY_JOINT = CHANNEL / 10


def random_joint(seed, shape=(5, 7), zeros=False):
    joint = np.random.default_rng(seed).random(shape)
    if zeros:
        joint[np.random.default_rng(seed + 1).random(shape) < 0.4] = 0.0
        joint[0, 0] = 1.0
    return joint / joint.sum()


def random_q(seed, shape=(5, 7)):
    q = np.random.default_rng(seed).random(shape) + 1e-3
    return q / q.sum(axis=0)


# entropy


@pytest.mark.parametrize(
    ("p", "nats"),
    [
        ([0.5, 0.5], math.log(2)),
        ([1.0], 0.0),
        ([1.0, 0.0, 0.0], 0.0),
        ([0.9, 0.1], -0.9 * math.log(0.9) - 0.1 * math.log(0.1)),
        ([0.25] * 4, math.log(4)),
        ([0.1] * 10, math.log(10)),
        ([0.5, 0.25, 0.125, 0.125], 1.75 * math.log(2)),
        ([[0.25, 0.25], [0.25, 0.25]], math.log(4)),
        (np.full((2, 3, 4), 1 / 24), math.log(24)),
    ],
)
def test_entropy_is_exact_where_it_is_known(p, nats):
    assert entropy(p) == pytest.approx(nats, **EXACT)


def test_entropy_counts_a_certain_outcome_as_plain_zero():
    assert str(entropy([1.0, 0.0])) == "0.0"


@pytest.mark.parametrize("size", [2, 10, 1000, 100_000])
def test_entropy_of_a_uniform_distribution_is_the_log_of_its_size(size):
    assert entropy(np.full(size, 1 / size)) == pytest.approx(math.log(size), **EXACT)


def test_entropy_keeps_tiny_probabilities():
    assert entropy([1.0, 1e-200]) == pytest.approx(200 * math.log(10) * 1e-200, rel=1e-12, abs=0)


@pytest.mark.parametrize(
    "p",
    [
        (0.3, 0.7),
        np.array([0.3, 0.7]),
        torch.tensor([0.3, 0.7], dtype=torch.float64),
        torch.tensor([0.3, 0.7], dtype=torch.float64, requires_grad=True),
        torch.tensor([[0.3, 0.0], [0.7, 0.0]], dtype=torch.float64).T[0],
        np.array([0.3, 9.0, 0.7])[::2],
        np.array([0.7, 0.3])[::-1],
        [Fraction(3, 10), Fraction(7, 10)],
        [torch.tensor(0.3, dtype=torch.float64), torch.tensor(0.7, dtype=torch.float64)],
    ],
    ids=[
        "tuple",
        "array",
        "tensor",
        "requires grad",
        "strided tensor",
        "strided array",
        "reversed",
        "fractions",
        "0-d",
    ],
)
def test_entropy_takes_every_kind_of_sequence(p):
    result = entropy(p)
    assert type(result) is float
    assert result == pytest.approx(-0.3 * math.log(0.3) - 0.7 * math.log(0.7), **EXACT)


@pytest.mark.parametrize(
    ("p", "error"),
    [
        (torch.softmax(torch.linspace(-3, 3, 1000), 0), 1e-5),
        (np.full(10, 0.1, dtype=np.float32), 1e-6),
        (np.full(10, 0.1, dtype=np.float16), 1e-2),
        (torch.full((10,), 0.1, dtype=torch.float16), 1e-2),
        (torch.full((10,), 0.1, dtype=torch.bfloat16), 1e-2),
    ],
)
def test_entropy_allows_for_the_rounding_of_narrow_floats(p, error):
    wide = np.asarray(p.double() if isinstance(p, torch.Tensor) else p, dtype=np.float64)
    assert entropy(p) == pytest.approx(-np.sum(wide * np.log(wide)), rel=0, abs=error)


def test_entropy_takes_whole_numbers_and_truth_values():
    assert entropy([0, 1]) == entropy(torch.tensor([0, 1])) == entropy(np.array([False, True])) == 0.0


def test_entropy_leaves_its_input_alone():
    p = np.array([0.3, 0.7, 0.0])
    tensor = torch.tensor([0.3, 0.7], requires_grad=True)
    entropy(p)
    entropy(tensor)
    assert p.tolist() == [0.3, 0.7, 0.0]
    assert tensor.requires_grad
    assert tensor.grad is None


# conditional entropy and information


def test_conditional_entropy_is_of_the_rows_given_the_columns():
    # Four equally likely rows; the column says which half: one bit of two is left. The column follows from the row.
    joint = np.array([[1, 0], [1, 0], [0, 1], [0, 1]]) / 4
    assert conditional_entropy(joint) == pytest.approx(math.log(2), **EXACT)
    assert conditional_entropy(joint.T) == pytest.approx(0.0, **EXACT)


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_identities_of_information_hold_on_random_joints(seed, zeros):
    joint = random_joint(seed, zeros=zeros)
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    information = mutual_information(joint)
    assert entropy(joint) == pytest.approx(entropy(columns) + conditional_entropy(joint), **EXACT)  # chain rule
    assert entropy(joint) == pytest.approx(entropy(rows) + conditional_entropy(joint.T), **EXACT)
    assert information == pytest.approx(mutual_information(joint.T), **EXACT)  # symmetry
    assert information == pytest.approx(entropy(rows) - conditional_entropy(joint), **EXACT)
    assert information == pytest.approx(entropy(rows) + entropy(columns) - entropy(joint), **EXACT)
    assert information == pytest.approx(kl_divergence(joint, np.outer(rows, columns)), **EXACT)
    assert 0 <= information <= min(entropy(rows), entropy(columns)) + 1e-12


def test_conditional_entropy_averages_the_entropies_of_the_columns():
    joint = random_joint(3)
    columns = joint.sum(axis=0)
    average = sum(weight * entropy(joint[:, x] / weight) for x, weight in enumerate(columns))
    assert conditional_entropy(joint) == pytest.approx(average, **EXACT)


@pytest.mark.parametrize("function", [mutual_information, conditional_entropy])
def test_rounding_never_makes_information_negative(function):
    for seed in range(20):
        rows, columns = random_joint(seed, (1, 9))[0], random_joint(seed + 100, (1, 9))[0]
        joint = np.outer(rows, columns) if function is mutual_information else np.diag(rows)
        assert 0 <= function(joint) < 1e-12


def test_information_of_independent_and_identical_variables():
    assert mutual_information(np.full((4, 5), 1 / 20)) == pytest.approx(0, **EXACT)
    assert mutual_information(np.eye(10) / 10) == pytest.approx(math.log(10), **EXACT)
    assert conditional_entropy(np.eye(10) / 10) == pytest.approx(0, **EXACT)
    assert conditional_entropy(np.full((4, 5), 1 / 20)) == pytest.approx(math.log(4), **EXACT)


def test_information_through_a_noisy_channel_of_ten_symbols():
    noise = -0.82 * math.log(0.82) - 9 * 0.02 * math.log(0.02)
    assert mutual_information(NOISY_JOINT) == pytest.approx(math.log(10) - noise, **EXACT)
    assert round(mutual_information(NOISY_JOINT), 4) == 1.4357


def test_information_of_a_binary_symmetric_channel():
    joint = [[0.45, 0.05], [0.05, 0.45]]
    capacity = math.log(2) + 0.9 * math.log(0.9) + 0.1 * math.log(0.1)
    assert mutual_information(joint) == pytest.approx(capacity, **EXACT)


def test_information_survives_products_that_underflow():
    # Both marginals of the corner are 1e-200; their product is 0 in float64.
    expected = 1e-200 * -math.log(1e-200)
    assert mutual_information([[1e-200, 0.0], [0.0, 1.0]]) == pytest.approx(expected, rel=1e-12, abs=0)


def test_information_of_tensors_equals_that_of_lists():
    joint = random_joint(1)
    tensor = torch.tensor(joint, requires_grad=True)
    for function in (entropy, conditional_entropy, mutual_information):
        assert function(tensor) == function(joint.tolist()) == function(joint)
        assert type(function(tensor)) is float


# KL divergence


def test_kl_divergence_is_exact_where_it_is_known():
    assert kl_divergence([0.5, 0.5], [0.5, 0.5]) == 0.0
    assert kl_divergence([1.0, 0.0], [0.25, 0.75]) == pytest.approx(math.log(4), **EXACT)
    expected = 0.9 * math.log(1.8) + 0.1 * math.log(0.2)
    assert kl_divergence([0.9, 0.1], [0.5, 0.5]) == pytest.approx(expected, **EXACT)


def test_kl_divergence_is_not_symmetric():
    p, q = [0.9, 0.1], [0.5, 0.5]
    assert kl_divergence(q, p) == pytest.approx(-math.log(2) - 0.5 * math.log(0.09), **EXACT)
    assert kl_divergence(q, p) != pytest.approx(kl_divergence(p, q), abs=0.05)


def test_kl_divergence_from_uniform_is_the_missing_entropy():
    p = random_joint(4, (1, 10))[0]
    assert kl_divergence(p, [0.1] * 10) == pytest.approx(math.log(10) - entropy(p), **EXACT)


def test_kl_divergence_is_infinite_only_where_q_rules_out_what_happens():
    assert kl_divergence([0.5, 0.5], [1.0, 0.0]) == math.inf
    assert kl_divergence([1.0, 0.0], [0.5, 0.5]) == pytest.approx(math.log(2), **EXACT)
    assert kl_divergence([1.0, 0.0], [1.0, 0.0]) == 0.0
    assert type(kl_divergence([0.5, 0.5], [1.0, 0.0])) is float


def test_kl_divergence_keeps_tiny_probabilities():
    expected = 1e-200 * 100 * math.log(10)
    assert kl_divergence([1e-200, 1.0], [1e-300, 1.0]) == pytest.approx(expected, rel=1e-12, abs=0)
    assert kl_divergence([0.5, 0.5], [1e-300, 1.0]) == pytest.approx(-math.log(2) + 150 * math.log(10), **EXACT)


def test_kl_divergence_of_mixed_kinds():
    p, q = [0.9, 0.1], torch.tensor([0.5, 0.5], requires_grad=True)
    assert kl_divergence(p, q) == pytest.approx(kl_divergence(p, [0.5, 0.5]), **EXACT)
    assert type(kl_divergence(p, q)) is float


# the bound


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_bound_and_expected_divergence_add_up_to_the_information(seed, zeros):
    joint, q = random_joint(seed, zeros=zeros), random_q(seed + 50)
    columns = joint.sum(axis=0)
    gap = sum(w * kl_divergence(joint[:, x] / w, q[:, x]) for x, w in enumerate(columns) if w > 0)
    bound = variational_lower_bound(joint, q)
    assert bound + gap == pytest.approx(mutual_information(joint), **EXACT)
    assert bound <= mutual_information(joint) + 1e-12


@pytest.mark.parametrize("joint", [NOISY_JOINT, random_joint(8), random_joint(9, (2, 3))])
def test_bound_is_tight_for_the_posterior(joint):
    assert variational_lower_bound(joint, joint / joint.sum(axis=0)) == pytest.approx(
        mutual_information(joint), **EXACT
    )


def test_bound_of_a_lazy_and_of_a_too_certain_reader():
    assert variational_lower_bound(NOISY_JOINT, np.full((10, 10), 0.1)) == pytest.approx(0, **EXACT)
    sure = np.eye(10) * 0.999 + 0.0001
    expected = 0.82 * math.log(0.9991) + 0.18 * math.log(0.0001) + math.log(10)
    assert variational_lower_bound(NOISY_JOINT, sure) == pytest.approx(expected, **EXACT)
    assert round(variational_lower_bound(NOISY_JOINT, sure), 4) == 0.6440


def test_bound_may_be_negative():
    joint = [[0.5, 0.0], [0.0, 0.5]]
    assert variational_lower_bound(joint, [[0.01, 0.99], [0.99, 0.01]]) == pytest.approx(math.log(0.02), **EXACT)


def test_bound_is_minus_infinity_only_where_q_rules_out_what_happens():
    assert variational_lower_bound([[0.5], [0.5]], [[1.0], [0.0]]) == -math.inf
    assert variational_lower_bound([[0.5, 0.0], [0.0, 0.5]], np.eye(2)) == pytest.approx(math.log(2), **EXACT)


def test_bound_reads_rows_as_codes():
    # Two codes, three symbols: H(c) = ln 2, not ln 3, and q's columns, not its rows, sum to 1.
    joint = np.full((2, 3), 1 / 6)
    assert variational_lower_bound(joint, np.full((2, 3), 0.5)) == pytest.approx(0, **EXACT)
    with pytest.raises(ValueError, match="q must have columns that sum to 1"):
        variational_lower_bound(joint, np.full((2, 3), 1 / 3))


def test_bound_takes_a_networks_softmax_in_float32():
    logits = torch.randn(10, 10, generator=torch.Generator().manual_seed(0)).requires_grad_()
    q = torch.softmax(logits, dim=0)
    bound = variational_lower_bound(NOISY_JOINT, q)
    assert type(bound) is float
    assert bound == pytest.approx((torch.tensor(NOISY_JOINT) * q.double().log()).sum().item() + math.log(10), abs=1e-9)
