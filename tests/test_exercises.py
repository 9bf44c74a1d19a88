"""Checks of the exercises: right answers pass, and each known mistake is named by the sentence that teaches it."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from IPython.core.interactiveshell import InteractiveShell
from scipy.special import entr, rel_entr, xlogy

from infogan_helpers import games, information
from infogan_helpers.exercises import (
    assignments,
    notebook_01,
    notebook_02,
    notebook_03,
    notebook_04,
    notebook_05,
    notebook_06,
    notebook_07,
)

LN2 = math.log(2)


def bound(logits, codes, prior_entropy):
    return prior_entropy - F.cross_entropy(logits, codes)


def gaussian(mean, log_variance, codes):
    squares = (codes - mean) ** 2 / log_variance.exp()
    return -0.5 * (math.log(2 * math.pi) + log_variance + squares).sum(dim=1).mean()


def corrected_information(counts):
    n = counts.sum()

    def h(c):
        return information.entropy(c / n) + (np.count_nonzero(c) - 1) / (2 * n)

    return h(counts.sum(axis=1)) + h(counts.sum(axis=0)) - h(counts)


def optimizers(
    g,
    dq,
    for_d=lambda dq: [*dq.trunk.parameters(), *dq.real_head.parameters()],
    for_q=lambda dq: dq.q_head.parameters(),
):
    return [torch.optim.Adam(list(parameters)) for parameters in (g.parameters(), for_d(dq), for_q(dq))]


def traversal(codes, index, values):
    return codes.sweep_continuous(index, values)


def moved(codes, index, values, **changes):
    swept = codes.sweep_continuous(index, values)
    return swept.replace(**{name: change(getattr(swept, name)) for name, change in changes.items()})


def draw(generator, codes, mode=False, put_back=True, gradients=False):
    generator.train(mode)
    with torch.set_grad_enabled(gradients):
        images = generator(codes)
    generator.train(put_back)
    return images


def height(images):
    rows = (images[:, 0] > 0).any(dim=2)
    first, last = rows.float().argmax(dim=1), rows.shape[1] - rows.flip(1).float().argmax(dim=1)
    return last - first


def cap(k):
    return math.log(k) + 1 - math.log(math.e + k - 1)


def correlation(a, b):
    return max(abs(np.exp(1j * (a - s * b)).mean()) for s in (1, -1))


def answers(read, images):
    here, there = read(images), read(images.flip(3))
    return torch.stack([here[:, 0] - there[:, 0], here[:, 1] + there[:, 1]], dim=1) / 2


def slope_of(d, real, create_graph=True):
    real = real.clone().requires_grad_()
    (slope,) = torch.autograd.grad(d(real).sum(), real, create_graph=create_graph)
    return slope.flatten(1)


def r1(d, real, gamma):
    return gamma / 2 * slope_of(d, real).square().sum(dim=1).mean()


def blurred(images):
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    return torch.cat([images, images + 0.2 * noise], dim=1)


RIGHT = [
    (assignments.check_entropy, lambda p: float(entr(p).sum())),
    (notebook_01.check_conditional_entropy, lambda j: float(entr(j).sum() - entr(j.sum(axis=0)).sum())),
    (assignments.check_mutual_information, lambda j: rel_entr(j, np.outer(j.sum(1), j.sum(0))).sum()),
    (assignments.check_kl_divergence, lambda p, q: np.sum(rel_entr(p, q))),
    (assignments.check_variational_lower_bound, lambda j, q: float(xlogy(j, q).sum() + entr(j.sum(axis=1)).sum())),
    (notebook_01.check_corrected_information, corrected_information),
    (assignments.check_discriminator_loss, lambda real, fake: F.softplus(-real).mean() + F.softplus(fake).mean()),
    (assignments.check_generator_loss, lambda fake: -F.logsigmoid(fake).mean()),
    (notebook_02.check_categorical_lower_bound, bound),
    (notebook_03.check_continuous_log_likelihood, gaussian),
    (notebook_03.check_optimizers, optimizers),
    (notebook_05.check_traversal, traversal),
    (notebook_04.check_drawing, draw),
    (notebook_05.check_height, height),
    (notebook_03.check_softmax_cap, cap),
    (notebook_06.check_gap_of_a_blurred_copy, blurred),
    (notebook_07.check_circular_correlation, correlation),
    (notebook_07.check_mirrored_answers, answers),
    (notebook_07.check_r1_penalty, r1),
]

WRONG = [
    # information
    (assignments.check_entropy, lambda p: entr(p).sum() / LN2, "in bits"),
    (assignments.check_entropy, lambda p: -entr(p).sum(), "sign is wrong"),
    (assignments.check_entropy, lambda p: -np.log(p[p > 0]).mean(), "mean where a sum belongs"),
    (assignments.check_entropy, lambda p: -np.sum(p * np.log(np.where(p > 0, p, math.nan))), "0 log 0"),
    (notebook_01.check_conditional_entropy, lambda j: information.conditional_entropy(j) / LN2, "in bits"),
    (
        notebook_01.check_conditional_entropy,
        lambda j: information.conditional_entropy(j.T),
        "columns are what is known",
    ),
    (notebook_01.check_conditional_entropy, lambda j: entr(j).sum(), "joint entropy"),
    (
        notebook_01.check_conditional_entropy,
        lambda j: np.mean([entr(c / c.sum()).sum() for c in j.T if c.sum() > 0]),
        "weigh the column's probability",
    ),
    (assignments.check_mutual_information, lambda j: information.mutual_information(j) / LN2, "in bits"),
    (assignments.check_mutual_information, information.conditional_entropy, "a conditional entropy"),
    (assignments.check_mutual_information, lambda j: -information.mutual_information(j), "never negative"),
    (assignments.check_kl_divergence, lambda p, q: rel_entr(q, p).sum(), "swapped"),
    (assignments.check_kl_divergence, lambda p, q: -xlogy(p, q).sum(), "cross-entropy"),
    (assignments.check_kl_divergence, lambda p, q: rel_entr(p, q).sum() / LN2, "in bits"),
    (assignments.check_variational_lower_bound, lambda j, q: xlogy(j, q).sum(), "H(c) is missing"),
    (
        assignments.check_variational_lower_bound,
        lambda j, q: information.variational_lower_bound(j, q) / LN2,
        "in bits",
    ),
    (
        assignments.check_variational_lower_bound,
        lambda j, q: xlogy(j, q).sum() + entr(j.sum(axis=0)).sum(),
        "you added H(x)",
    ),
    (
        notebook_01.check_corrected_information,
        lambda c: information.mutual_information(c / c.sum()),
        "nothing is corrected",
    ),
    # losses
    (
        assignments.check_discriminator_loss,
        lambda r, f: games.discriminator_loss(r.sigmoid(), f.sigmoid()),
        "probabilities where logits belong",
    ),
    (
        assignments.check_discriminator_loss,
        lambda r, f: F.softplus(-r).sum() + F.softplus(f).sum(),
        "summed over the batch",
    ),
    (assignments.check_discriminator_loss, lambda r, f: games.discriminator_loss(f, r), "swapped"),
    (
        assignments.check_discriminator_loss,
        lambda r, f: torch.tensor([games.discriminator_loss(r, f).item()]).sum(),
        "the gradient is cut",
    ),
    (
        assignments.check_discriminator_loss,
        lambda r, f: games.discriminator_loss(r.detach(), f),
        "the gradient is cut",
    ),
    (
        assignments.check_generator_loss,
        lambda f: games.generator_loss(f.sigmoid()),
        "probabilities where logits belong",
    ),
    (assignments.check_generator_loss, lambda f: -F.softplus(f).mean(), "saturating"),
    (assignments.check_generator_loss, lambda f: F.softplus(-f).sum(), "summed over the batch"),
    (
        notebook_02.check_categorical_lower_bound,
        lambda x, c, h: bound(x.softmax(dim=1), c, h),
        "probabilities where logits belong",
    ),
    (notebook_02.check_categorical_lower_bound, lambda x, c, h: bound(x, c, 0.0), "H(c) is missing"),
    (notebook_02.check_categorical_lower_bound, lambda x, c, h: h - F.cross_entropy(x, c) / LN2, "in bits"),
    (notebook_02.check_categorical_lower_bound, lambda x, c, h: bound(x, c, h) / LN2, "in bits"),
    (
        notebook_02.check_categorical_lower_bound,
        lambda x, c, h: h - F.cross_entropy(x, c, reduction="sum"),
        "summed over the batch",
    ),
    (notebook_02.check_categorical_lower_bound, lambda x, c, h: F.cross_entropy(x, c), "the sign is wrong"),
    (
        notebook_02.check_categorical_lower_bound,
        lambda x, c, h: torch.tensor([bound(x, c, h)], requires_grad=True).sum(),
        "the gradient is cut",
    ),
    (notebook_02.check_categorical_lower_bound, lambda x, c, h: bound(x, c, h).item(), "the gradient is cut"),
    (
        notebook_02.check_categorical_lower_bound,
        lambda x, c, h: h + x.log_softmax(0)[range(len(c)), c].mean(),
        "over the classes",
    ),
    (
        notebook_02.check_categorical_lower_bound,
        lambda x, c, h: h - F.cross_entropy(x, c, reduction="none"),
        "is a sum or a mean missing",
    ),
    (notebook_03.check_continuous_log_likelihood, lambda m, v, c: gaussian(m, 2 * v, c), "log-variance for log σ"),
    (
        notebook_03.check_continuous_log_likelihood,
        lambda m, v, c: gaussian(m, v, c) + c.shape[1] * math.log(2 * math.pi) / 2,
        "the constant is missing",
    ),
    (notebook_03.check_continuous_log_likelihood, lambda m, v, c: F.mse_loss(m, c), "mean squared error"),
    (
        notebook_03.check_continuous_log_likelihood,
        lambda m, v, c: gaussian(m, v, c) / c.shape[1],
        "mean over the codes",
    ),
    (notebook_03.check_continuous_log_likelihood, lambda m, v, c: gaussian(m, v, c) * len(c), "summed over the batch"),
    (notebook_03.check_continuous_log_likelihood, lambda m, v, c: gaussian(m, v.detach(), c), "the gradient is cut"),
    # networks
    (
        notebook_03.check_optimizers,
        lambda g, dq: optimizers(g, dq, for_q=lambda dq: [*dq.trunk.parameters(), *dq.q_head.parameters()]),
        "D's trunk would be updated twice",
    ),
    (
        notebook_03.check_optimizers,
        lambda g, dq: optimizers(g, dq, for_d=lambda dq: dq.real_head.parameters()),
        "leaves the trunk to nobody",
    ),
    (
        notebook_03.check_optimizers,
        lambda g, dq: optimizers(g, dq, for_d=lambda dq: dq.parameters()),
        "gives Q's head to the optimiser of D and Q",
    ),
    (notebook_03.check_optimizers, lambda g, dq: optimizers(g, dq)[:2], "three optimisers"),
    (notebook_05.check_traversal, lambda c, i, v: moved(c, i, v, noise=torch.randn_like), "the noise is redrawn"),
    (
        notebook_05.check_traversal,
        lambda c, i, v: moved(c, i, v, categorical=lambda x: x * 0 + torch.arange(len(x))[:, None] % 2),
        "changes a categorical code",
    ),
    (
        notebook_05.check_traversal,
        lambda c, i, v: moved(c, i, v, continuous=lambda x: x * 0 + x[:, [i]]),
        "another continuous code",
    ),
    (notebook_05.check_traversal, lambda c, i, v: c.sweep_continuous(i, [-x for x in v]), "through the values"),
    (notebook_05.check_traversal, lambda c, i, v: c, "rows on"),
    (notebook_05.check_traversal, lambda c, i, v: c.continuous.zero_() is None or traversal(c, i, v), "it was given"),
    (notebook_04.check_drawing, lambda g, c: draw(g, c, mode=True), "drew in train mode"),
    (notebook_04.check_drawing, lambda g, c: draw(g, c, put_back=False), "put its mode back"),
    (notebook_04.check_drawing, lambda g, c: draw(g, c, gradients=True), "torch.no_grad"),
    (notebook_05.check_height, lambda images: height(images) - 1, "one row short"),
    (notebook_05.check_height, lambda images: (images[:, 0] > 0).any(dim=2).sum(1), "a gap inside"),
    (notebook_03.check_softmax_cap, math.log, "the ceiling of the right loss"),
    (notebook_03.check_softmax_cap, lambda k: cap(k) - math.log(k), "H(c) is missing"),
    (notebook_06.check_gap_of_a_blurred_copy, lambda images: images, "MIG of 1.00"),
    (notebook_07.check_circular_correlation, lambda a, b: abs(np.exp(1j * (a - b)).mean()), "one sense only"),
    (notebook_07.check_circular_correlation, lambda a, b: np.corrcoef(a, b)[0, 1], "tears the circle open"),
    (notebook_07.check_circular_correlation, lambda a, b: abs(np.exp(1j * (a - b))).mean(), "mean of the lengths"),
    (
        notebook_07.check_circular_correlation,
        lambda a, b: max(np.cos(a - b).mean(), np.cos(a + b).mean()),
        "asks for equal angles",
    ),
    (notebook_07.check_mirrored_answers, lambda q, x: (q(x) - q(x.flip(3))) / 2, "the second number is odd here"),
    (notebook_07.check_mirrored_answers, lambda q, x: (q(x) + q(x.flip(3))) / 2, "the first number is even here"),
    (notebook_07.check_mirrored_answers, lambda q, x: 2 * answers(q, x), "left out the half"),
    (
        notebook_07.check_mirrored_answers,
        lambda q, x: (q(x) + q(x.flip(2)) * torch.tensor([-1, 1])) / 2,
        "turned upside down",
    ),
    (notebook_07.check_mirrored_answers, lambda q, x: q(x), "not looked at"),
    (notebook_07.check_mirrored_answers, lambda q, x: q(x)[:, 0], "the answers' shape"),
    (notebook_07.check_r1_penalty, lambda d, x, gamma: 2 * r1(d, x, gamma), "γ/2, not γ"),
    (
        notebook_07.check_r1_penalty,
        lambda d, x, gamma: gamma / 2 * slope_of(d, x).norm(dim=1).mean(),
        "R1 squares it",
    ),
    (
        notebook_07.check_r1_penalty,
        lambda d, x, gamma: gamma / 2 * slope_of(d, x).square().mean(),
        "averaged over the pixels",
    ),
    (
        notebook_07.check_r1_penalty,
        lambda d, x, gamma: gamma / 2 * slope_of(d, x).square().sum(),
        "must not grow with the batch",
    ),
    (
        notebook_07.check_r1_penalty,
        lambda d, x, gamma: gamma / 2 * (slope_of(d, x).norm(dim=1) - 1).square().mean(),
        "R1 asks for 0",
    ),
    (
        notebook_07.check_r1_penalty,
        lambda d, x, gamma: gamma / 2 * slope_of(d, x, create_graph=False).square().sum(dim=1).mean(),
        "needs create_graph=True",
    ),
    (notebook_07.check_r1_penalty, lambda d, x, gamma: float(r1(d, x, gamma)), "nothing may be detached"),
    (notebook_06.check_gap_of_a_blurred_copy, lambda images: images[:, [0, 0, 1, 1]], "exactly the same"),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT, ids=[c.__name__ for c, _ in RIGHT])
def test_a_right_answer_passes_in_one_line_and_returns_nothing(check, answer, capsys):
    assert check(answer) is None
    out, err = capsys.readouterr()
    assert ": right on " in out
    assert out.count("\n") == 1
    assert err == ""


@pytest.mark.parametrize(("check", "answer", "sentence"), WRONG, ids=[f"{c.__name__}-{s}" for c, _, s in WRONG])
def test_a_wrong_answer_is_told_its_likely_mistake(check, answer, sentence):
    with pytest.raises(AssertionError, match=sentence.replace("(", r"\(").replace(")", r"\)")):
        check(answer)


@pytest.mark.parametrize("check", [c for c, _ in RIGHT], ids=[c.__name__ for c, _ in RIGHT])
def test_what_is_not_written_or_breaks_is_said(check):
    def unwritten(*arguments):
        raise NotImplementedError

    with pytest.raises(AssertionError, match="unwritten is not written yet"):
        check(unwritten)
    with pytest.raises(AssertionError, match="returned nothing"):
        check(lambda *arguments: ...)
    with pytest.raises(AssertionError, match="raised ZeroDivisionError: division by zero"):
        check(lambda *arguments: 1 / 0)


def test_a_failure_says_the_input_what_came_and_what_was_expected():
    with pytest.raises(AssertionError, match=r"on p = \[0.5, 0.5\] gave 1, expected 0.69315. Likely: that is in bits"):
        assignments.check_entropy(lambda p: entr(p).sum() / LN2)


@pytest.mark.parametrize("check", [c for c, _ in RIGHT], ids=[c.__name__ for c, _ in RIGHT])
def test_a_learner_sees_their_own_line_and_the_message_and_nothing_of_how_a_check_works(check):
    shell = InteractiveShell.instance()
    with pytest.raises(AssertionError) as raised:
        check(lambda *arguments: ...)
    frames = [entry for entry in raised.traceback if "exercises" in Path(entry.path).parts]
    assert len(frames) >= 3
    assert all(frame.frame.f_locals.get("__tracebackhide__") for frame in frames)
    shown = "\n".join(shell.InteractiveTB.structured_traceback(raised.type, raised.value, raised.tb, 5))
    assert "def check_" not in shown
    InteractiveShell.clear_instance()


def test_an_answer_by_heart_for_the_simple_input_does_not_pass():
    with pytest.raises(AssertionError, match="expected"):
        assignments.check_entropy(lambda p: LN2 if len(p) == 2 else 0.0)


def test_checks_leave_torchs_randomness_alone():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    for check, answer in RIGHT:
        check(answer)
    assert torch.rand(1) == expected
