"""Checks of notebook 09's exercises: right answers pass, and each known mistake is named by its sentence."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Normal, kl_divergence

from infogan_helpers.controllers import control
from infogan_helpers.exercises import notebook_09
from infogan_helpers.exercises.notebook_09 import check_bound, check_controller, check_kl, check_permutation


def of_each(mean, log_variance):
    return -0.5 * (1 + log_variance - mean**2 - log_variance.exp())


def kl(mean, log_variance):
    return of_each(mean, log_variance).sum(dim=1).mean()


def library_kl(mean, log_variance):
    here = Normal(mean, (log_variance / 2).exp())
    return kl_divergence(here, Normal(0.0, 1.0)).sum() / len(mean)


def of_moments(variance):
    """What kl would give, were the variance and its logarithm these two."""

    def answer(mean, log_variance):
        v, log_v = variance(log_variance)
        return 0.5 * (mean**2 + v - 1 - log_v).sum(1).mean()

    return answer


def log_pixels(ink, image):
    return image * ink.log() + (1 - image) * (1 - ink).log()


def bound(ink, image, mean, log_variance):
    return log_pixels(ink, image).sum(dim=1).mean() - kl(mean, log_variance)


def library_bound(ink, image, mean, log_variance):
    loss = F.binary_cross_entropy_with_logits(ink.logit(), image.detach(), reduction="sum") / len(image)
    return -(loss + library_kl(mean, log_variance))


def permute(z, generator):
    orders = [torch.randperm(len(z), generator=generator) for _ in range(z.shape[1])]
    return torch.stack([z[order, j] for j, order in enumerate(orders)], dim=1)


def permute_by_sorting(z, generator):
    return z.gather(0, torch.rand(z.shape, generator=generator).argsort(dim=0))


def in_place(z, generator):
    for j in range(z.shape[1]):
        z[:, j] = z[torch.randperm(len(z), generator=generator), j]
    return z


def but_the_first(z, generator):
    return torch.cat([z[:, :1], permute(z[:, 1:], generator)], dim=1)


def two_together(z, generator):
    order = torch.randperm(len(z), generator=generator)
    return torch.stack([permute(z, generator)[:, 0], *z[order].T[1:]], dim=1)


def numpy_order(z):
    return z.gather(0, torch.from_numpy(np.random.default_rng().random(z.shape).argsort(axis=0)))


def controller(error, integral):
    integral -= 0.001 * error
    return max(1.0, 0.01 / (1 + math.exp(error)) + 1 + integral), integral


def reference_controller(error, integral):
    error, integral, output = torch.tensor(error), torch.tensor(integral), torch.tensor(1.0)
    beta = control(error, integral, output, proportional=0.01, gain=0.001, least=1.0)
    return beta, integral


def p(error):
    return 0.01 / (1 + math.exp(error))


def at_least_one(weight, integral):
    return max(1.0, weight), integral


RIGHT = [
    (check_kl, kl),
    (check_kl, library_kl),
    (check_bound, bound),
    (check_bound, library_bound),
    (check_permutation, permute),
    (check_permutation, permute_by_sorting),
    (check_controller, controller),
    (check_controller, reference_controller),
]

WRONG_LOSSES = [
    (check_kl, lambda m, v: -kl(m, v), "never negative"),
    (check_kl, of_moments(lambda v: (v.exp(), -v)), "the sign of log σ²"),
    (check_kl, of_moments(lambda v: (v, v)), "exp is missing"),
    (check_kl, of_moments(lambda v: (v, v.log())), "log σ² was taken for σ²"),
    (check_kl, of_moments(lambda v: (v, v.abs().log())), "log σ² was taken for σ²"),
    (check_kl, of_moments(lambda v: (v**2, 2 * v.log())), "log σ² was taken for σ$"),
    (check_kl, of_moments(lambda v: (v**2, (v**2).log())), "log σ² was taken for σ$"),
    (check_kl, lambda m, v: kl(m, 2 * v), "log σ² was taken for log σ"),
    (check_kl, lambda m, v: 2 * kl(m, v), "the half is missing"),
    (check_kl, lambda m, v: of_each(m, v).mean(), "sum and mean are mixed"),
    (check_kl, lambda m, v: of_each(m, v).sum(0).mean(), "sum and mean have changed places"),
    (check_kl, lambda m, v: of_each(m, v).sum(), "summed over the batch"),
    (check_kl, lambda m, v: of_each(m, v).sum(1), "is a sum or a mean missing"),
    (check_kl, lambda m, v: kl(m, v).item(), "the gradient is cut"),
    (check_kl, lambda m, v: kl(m, v.detach()), "the gradient is cut"),
    (check_kl, lambda m, v: kl(m.detach(), v) + 0 * m.sum(), "another gradient"),
    (check_kl, lambda m, v: kl(m, v) + 0.1, r"expected \d\.\d+$"),
    (check_bound, lambda i, x, m, v: -F.binary_cross_entropy(i, x) - kl(m, v), "over pixels .* weighs too much"),
    (check_bound, lambda i, x, m, v: F.binary_cross_entropy(i, x) + kl(m, v), "a loss.*weighs too much"),
    (check_bound, lambda i, x, m, v: bound(i, x, m, v) + kl(m, v) - of_each(m, v).mean(), "weighs too little"),
    (
        check_bound,
        lambda i, x, m, v: log_pixels(i, x).mean() - of_each(m, v).mean(),
        "averaged over pixels and latents",
    ),
    (check_bound, lambda i, x, m, v: bound(i, x, m, v) + 2 * kl(m, v), "KL was added"),
    (check_bound, lambda i, x, m, v: -log_pixels(i, x).sum(1).mean() - kl(m, v), "the sign of the log-likelihood"),
    (check_bound, lambda i, x, m, v: log_pixels(i, x).sum(1).mean(), "KL is missing"),
    (check_bound, lambda i, x, m, v: -bound(i, x, m, v), "that is a loss: turn its sign, for the bound is to rise$"),
    (check_bound, lambda i, x, m, v: -((i - x) ** 2).sum(1).mean() - kl(m, v), "Likely: that is a squared error"),
    (check_bound, lambda i, x, m, v: -0.5 * ((i - x) ** 2).sum(1).mean() - kl(m, v), "that is a squared error"),
    (check_bound, lambda i, x, m, v: F.mse_loss(i, x) + kl(m, v), "that is a loss.*that is a squared error"),
    (check_bound, lambda i, x, m, v: bound(x, i, m, v), "changed places"),
    (check_bound, lambda i, x, m, v: len(x) * bound(i, x, m, v), "summed over the batch"),
    (check_bound, lambda i, x, m, v: log_pixels(i, x).sum(1) - of_each(m, v).sum(1), "is a sum or a mean missing"),
    (check_bound, lambda i, x, m, v: bound(i.detach(), x, m, v), "the gradient is cut"),
    (check_bound, lambda i, x, m, v: bound(i, x, m, v).item(), "the gradient is cut"),
    (check_bound, lambda i, x, m, v: bound(i, x.round(), m, v), r"expected -\d+\.\d+$"),
]

WRONG = [
    *WRONG_LOSSES,
    (check_permutation, lambda z, g: z[torch.randperm(len(z), generator=g)], "permuted whole rows"),
    (check_permutation, lambda z, g: z.flip(1), "within a row"),
    (check_permutation, lambda z, g: permute(z.T, g).T, "within a row"),
    (
        check_permutation,
        lambda z, g: z.flatten()[torch.randperm(z.numel(), generator=g)].reshape(z.shape),
        "mixed up the columns",
    ),
    (
        check_permutation,
        lambda z, g: z.gather(0, torch.randint(len(z), z.shape, generator=g)),
        "twice and left others out: draw an order",
    ),
    (check_permutation, lambda z, g: z + torch.randn(z.shape, generator=g), "the same numbers, column by column"),
    (check_permutation, lambda z, g: z, "as it was: nothing is shuffled"),
    (check_permutation, lambda z, g: z.clone(), "as it was: nothing is shuffled"),
    (check_permutation, in_place, "changed z in place"),
    (check_permutation, lambda z, g: in_place(z, g).clone(), "changed z in place"),
    (check_permutation, but_the_first, r"left some columns as they were, \[0\]"),
    (check_permutation, lambda z, g: permute(z, None), "torch's own randomness"),
    (check_permutation, lambda z, g: numpy_order(z), "two results for one seed"),
    (check_permutation, lambda z, g: permute(z, torch.Generator().manual_seed(0)), "one result for every seed"),
    (check_permutation, lambda z, g: permute(z, g.manual_seed(g.initial_seed())), "one result in every call"),
    (check_permutation, lambda z, g: permute(z, g)[:-1], r"must return a tensor like z, of shape \(64, 4\)"),
    (check_permutation, lambda z, g: permute(z, g).numpy(), "must return a tensor like z"),
    (check_permutation, two_together, "gave two columns one order"),
    (check_controller, lambda e, i: at_least_one(p(-e) + 1 + i + 0.001 * e, i + 0.001 * e), "upside down"),
    (check_controller, lambda e, i: controller(-e, i), "upside down"),
    (check_controller, lambda e, i: at_least_one(p(e) + 1 + i + 0.001 * e, i + 0.001 * e), "the sign of the integral"),
    (check_controller, lambda e, i: at_least_one(p(-e) + 1 + i - 0.001 * e, i - 0.001 * e), "the sign in exp"),
    (check_controller, lambda e, i: at_least_one(0.01 * e + 1 + i - 0.001 * e, i - 0.001 * e), "Kp times the error"),
    (check_controller, lambda e, i: at_least_one(-0.01 * e + 1 + i - 0.001 * e, i - 0.001 * e), "Kp times the error"),
    (check_controller, lambda e, i: at_least_one(1 + i - 0.001 * e, i - 0.001 * e), "proportional part is missing"),
    (check_controller, lambda e, i: at_least_one(p(e) + 1 + i, i), "the integral is not updated"),
    (check_controller, lambda e, i: (controller(e, i)[0], i), "the integral back that came in"),
    (check_controller, lambda e, i: at_least_one(p(e) + 1 + i, i - 0.001 * e), "β is made with the old integral"),
    (check_controller, lambda e, i: controller(e, 0.0), "starts anew in each step"),
    (check_controller, lambda e, i: at_least_one(p(e) + 1 + max(0, i - 0.001 * e), max(0, i - 0.001 * e)), "kept from"),
    (check_controller, lambda e, i: (p(e) + 1 + i - 0.001 * e, i - 0.001 * e), "the least weight is forgotten"),
    (check_controller, lambda e, i: at_least_one(p(e) + i - 0.001 * e, i - 0.001 * e), "the 1 is missing"),
    (check_controller, lambda e, i: (p(e) + i - 0.001 * e, i - 0.001 * e), "the 1 is missing"),
    (check_controller, lambda e, i: controller(e, i)[::-1], "the integral comes first"),
    (check_controller, lambda e, i: at_least_one(p(e) + 1 + i - 0.01 * e, i - 0.01 * e), r"expected 1\.05 and 0\.04$"),
    (check_controller, lambda e, i: controller(e, i)[0], "must return two numbers"),
    (check_controller, lambda e, i: (controller(e, i)[0], None), "must return two numbers"),
    (check_controller, lambda e, i: ([1.0, 2.0], i), r"must give one number .* got shape \(2,\)"),
    (check_controller, lambda e, i: (math.nan, i), "gave β = nan"),
]
CHECKS = [check_kl, check_bound, check_permutation, check_controller]


def test_every_check_of_the_notebook_is_tried():
    checks = {value for name, value in vars(notebook_09).items() if name.startswith("check_")}
    own = {check for check in checks if check.__module__ == notebook_09.__name__}
    assert own == set(CHECKS) == {check for check, _ in RIGHT} == {check for check, *_ in WRONG}


@pytest.mark.parametrize(("check", "answer"), RIGHT, ids=[answer.__name__ for _, answer in RIGHT])
def test_a_right_answer_passes_in_one_line(check, answer, capsys):
    assert check(answer) is None
    out, err = capsys.readouterr()
    assert out.startswith(f"{answer.__name__}: right on ")
    assert out.count("\n") == 1
    assert err == ""


@pytest.mark.parametrize(("check", "answer", "hint"), WRONG)
def test_a_known_mistake_is_named(check, answer, hint):
    with pytest.raises(AssertionError, match=hint):
        check(answer)


@pytest.mark.parametrize("check", CHECKS)
def test_what_is_not_written_or_breaks_is_said(check):
    def unwritten(*arguments):
        raise NotImplementedError

    with pytest.raises(AssertionError, match="unwritten is not written yet"):
        check(unwritten)
    for nothing in (None, ...):
        with pytest.raises(AssertionError, match=r"returned nothing on .*: is it written"):
            check(lambda *_, nothing=nothing: nothing)
    with pytest.raises(AssertionError, match="raised ZeroDivisionError: division by zero"):
        check(lambda *_: 1 / 0)


@pytest.mark.parametrize(("check", "answer", "hint"), WRONG)
def test_a_learner_sees_nothing_of_how_a_check_works(check, answer, hint):
    with pytest.raises(AssertionError) as raised:
        check(answer)
    frames = [entry for entry in raised.traceback if "exercises" in Path(entry.path).parts]
    assert len(frames) >= 2
    assert all(frame.frame.f_locals.get("__tracebackhide__") for frame in frames)


def test_a_failure_says_the_input_what_came_and_what_was_expected():
    with pytest.raises(
        AssertionError, match=r"on error -40 and integral 0 gave β = 1\.04 and integral 0\.04, expected"
    ):
        check_controller(lambda e, i: (1 + i - 0.001 * e, i - 0.001 * e))


def test_checks_leave_torchs_randomness_alone():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    for check, answer in RIGHT:
        check(answer)
    with pytest.raises(AssertionError, match="own randomness"):
        check_permutation(lambda z, _: permute(z, None))
    assert torch.rand(1) == expected
