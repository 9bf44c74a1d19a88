"""What is no distribution is refused by all of ``information``, with a message that names it."""

import math

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

TWO_D = {
    "conditional_entropy": (conditional_entropy, "joint"),
    "mutual_information": (mutual_information, "joint"),
    "variational_lower_bound": (lambda joint: variational_lower_bound(joint, [[0.5], [0.5]]), "joint"),
}
ANY_D = {
    "entropy": (entropy, "p"),
    "kl_divergence p": (lambda p: kl_divergence(p, [0.5, 0.5]), "p"),
    "kl_divergence q": (lambda q: kl_divergence([0.5, 0.5], q), "q"),
}
Q = {"variational_lower_bound q": (lambda q: variational_lower_bound([[0.5], [0.5]], q), "q")}


def refusing(functions):
    return pytest.mark.parametrize(("function", "name"), list(functions.values()), ids=list(functions))


@pytest.mark.parametrize("kind", [list, np.array, torch.tensor])
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[-0.25], [1.25]], "must hold probabilities, got the negative entry -0.25"),
        ([[math.nan], [0.5]], "must be finite, got nan"),
        ([[math.inf], [0.5]], "must be finite, got inf"),
        ([[-math.inf], [0.5]], "must be finite, got -inf"),
    ],
)
@refusing({**TWO_D, **ANY_D, **Q})
def test_impossible_probabilities_are_refused(function, name, values, message, kind):
    with pytest.raises(ValueError, match=rf"^{name} {message}"):
        function(kind(values))


@pytest.mark.parametrize("excess", [1e-3, -1e-3, 2e-6])
@refusing({**TWO_D, **ANY_D})
def test_distributions_that_do_not_sum_to_one_are_refused(function, name, excess):
    total = f"{1 + excess:.9g}".replace(".", r"\.")
    with pytest.raises(ValueError, match=rf"^{name} must sum to 1, got a sum of {total}"):
        function([[0.5], [0.5 + excess]])


def test_counts_are_refused_with_the_cure():
    with pytest.raises(ValueError, match="got a sum of 100; divide it by its sum first"):
        entropy([30, 70])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_narrow_floats_are_no_licence_to_be_wrong(dtype):
    with pytest.raises(ValueError, match="p must sum to 1"):
        entropy(torch.tensor([0.5, 0.75], dtype=dtype))


@pytest.mark.parametrize("kind", [lambda x: np.array(x, np.float16), lambda x: torch.tensor(x, dtype=torch.float16)])
@pytest.mark.parametrize(
    ("total", "taken"),
    [(1 - 2**-6, True), (1 - 2**-6 - 2**-11, False), (1 - 2**-6 + 2**-11, True)],  # the next floats beside 16 epsilons
)
def test_sums_may_be_off_by_sixteen_times_the_step_of_their_precision_and_no_more(total, taken, kind):
    for function, name in ((entropy, "p"), (lambda q: variational_lower_bound([[1.0]], q), "q")):
        values = kind([total] if name == "p" else [[total]])
        if taken:
            function(values)
        else:
            with pytest.raises(ValueError, match=rf"^{name} must"):
                function(values)


def test_the_worst_column_of_q_that_does_not_sum_to_one_is_named():
    q = np.full((2, 3), 0.5)
    q[:, 0], q[:, 1] = [0.5, 0.4], [0.5, 0.7]
    with pytest.raises(ValueError, match=r"^q must have columns that sum to 1, got 1\.2 in column 1"):
        variational_lower_bound(np.full((2, 3), 1 / 6), q)


@pytest.mark.parametrize("shape", [(4,), (1,), (2, 2, 1)])
@refusing({**TWO_D, **Q})
def test_a_joint_has_two_dimensions(function, name, shape):
    got = str(shape).replace("(", r"\(").replace(")", r"\)")
    with pytest.raises(ValueError, match=rf"^{name} must be a non-empty 2-D array, got shape {got}"):
        function(np.full(shape, 1 / math.prod(shape)))


@pytest.mark.parametrize("empty", [[], np.zeros((0, 3)), torch.zeros(0)])
@refusing({**TWO_D, **ANY_D, **Q})
def test_nothing_is_not_a_distribution(function, name, empty):
    with pytest.raises(ValueError, match=rf"^{name} must be .*got shape \(0,"):
        function(empty)


@pytest.mark.parametrize("scalar", [1.0, np.float64(1.0), torch.tensor(1.0)])
@refusing(ANY_D)
def test_a_single_number_is_not_a_distribution(function, name, scalar):
    with pytest.raises(ValueError, match=rf"^{name} must be an array with at least one entry, got shape \(\)"):
        function(scalar)


@pytest.mark.parametrize(
    "values",
    [
        "half",
        ["0.5", "0.5"],
        np.array([b"0.5", b"0.5"]),
        [[0.5], [0.2, 0.3]],
        np.array([0.5 + 0j, 0.5]),
        torch.tensor([0.5 + 0j, 0.5]),
        torch.tensor([0.5 + 0j, 0.5]).conj(),
        torch.tensor([1.0, 0.0]).to_sparse(),
        [torch.tensor(0.5, requires_grad=True), torch.tensor(0.5)],
        {"heads": 0.5},
        [0.5, {}],
        [object(), object()],
    ],
    ids=[
        "word",
        "words",
        "bytes",
        "ragged",
        "complex",
        "complex-tensor",
        "conjugate",
        "sparse",
        "gradients",
        "dict",
        "inner-dict",
        "objects",
    ],
)
@refusing({**TWO_D, **ANY_D, **Q})
def test_what_is_not_numbers_is_refused(function, name, values):
    with pytest.raises(ValueError, match=rf"^{name} must be an array of numbers, got \w+: "):
        function(values)


@pytest.mark.parametrize("nothing", [None, [None, 1.0]])
def test_none_is_refused(nothing):
    with pytest.raises(ValueError, match=r"^p must be "):
        entropy(nothing)


@pytest.mark.parametrize(("p", "q"), [([0.5, 0.5], [1.0]), ([[0.5, 0.5]], [0.5, 0.5]), ([1.0], [[1.0]])])
def test_kl_divergence_needs_equal_shapes(p, q):
    with pytest.raises(ValueError, match=r"^p and q must have the same shape, got \(.*\) and \(.*\)"):
        kl_divergence(p, q)


@pytest.mark.parametrize("shape", [(3, 2), (2, 2), (2, 1)])
def test_bound_needs_equal_shapes(shape):
    with pytest.raises(ValueError, match=rf"^joint and q must have the same shape, got \(2, 3\) and \({shape[0]}, "):
        variational_lower_bound(np.full((2, 3), 1 / 6), np.full(shape, 1 / shape[0]))
