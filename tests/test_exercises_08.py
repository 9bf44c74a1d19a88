"""Checks of notebook 08's exercises: right answers pass, and each known mistake is named by its sentence."""

import math

import pytest
import torch
import torch.nn.functional as F

from infogan_helpers.exercises import notebook_08
from infogan_helpers.exercises.notebook_08 import (
    check_class_loss,
    check_contrast,
    check_info_nce,
    check_mixture,
    check_pair,
)


def class_loss(real, labels, fake, codes):
    return F.cross_entropy(real, labels, ignore_index=-1) + F.cross_entropy(fake, codes)


def pair(first, second, shared, share=lambda same: same, noise=lambda first, second: first):
    same = share(F.one_hot(shared, first.continuous.shape[1]).bool())
    continuous = torch.where(same, first.continuous, second.continuous)
    return second.replace(continuous=continuous, noise=noise(first, second).noise)


def contrast(head, first, second, shared):
    return F.cross_entropy(head(torch.cat([first, second], dim=1)), shared)


def log_normal(means, log_sigmas, c):
    return -0.5 * ((c[:, None] - means) / log_sigmas.exp()) ** 2 - log_sigmas - 0.5 * math.log(2 * math.pi)


def mixture(logits, means, log_sigmas, c):
    return (logits.log_softmax(1) + log_normal(means, log_sigmas, c)).logsumexp(1).mean()


def info_nce(scores):
    return math.log(len(scores)) - F.cross_entropy(scores, torch.arange(len(scores)))


RIGHT = [
    (check_class_loss, class_loss),
    (check_pair, pair),
    (check_contrast, contrast),
    (check_mixture, mixture),
    (check_info_nce, info_nce),
]

WRONG = [
    (check_class_loss, lambda r, y, f, c: F.cross_entropy(f, c), "fakes only"),
    (check_class_loss, lambda r, y, f, c: F.cross_entropy(r, y, ignore_index=-1), "real images only"),
    (check_class_loss, lambda r, y, f, c: class_loss(r.softmax(1), y, f.softmax(1), c), "logits went in twice"),
    (check_class_loss, lambda r, y, f, c: class_loss(r, y, f, c) / 2, "add them"),
    (check_class_loss, lambda r, y, f, c: class_loss(r, y % r.shape[1], f, c), "labels of -1 took part"),
    (
        check_class_loss,
        lambda r, y, f, c: F.cross_entropy(r, y, ignore_index=-1, reduction="sum") / len(y) + F.cross_entropy(f, c),
        "divided by all images",
    ),
    (check_class_loss, lambda r, y, f, c: class_loss(r.detach(), y, f, c), "the gradient is cut"),
    (check_pair, lambda a, b, s: pair(a, b, s, lambda same: same | same.roll(1, 1)), "shares two codes"),
    (check_pair, lambda a, b, s: pair(a, b, s, lambda same: ~same), "the other way round"),
    (check_pair, lambda a, b, s: pair(a, b, s, lambda same: same & False), "shares no code"),
    (check_pair, lambda a, b, s: a, "codes back"),
    (check_pair, lambda a, b, s: pair(a, b, s, noise=lambda first, second: second), "noise of its own"),
    (check_pair, lambda a, b, s: pair(a, b, s.flip(0)), "another code"),
    (check_pair, lambda a, b, s: a.continuous, "must return Codes"),
    (check_contrast, lambda h, a, b, s: contrast(h, a.detach(), b, s), "no gradient reaches the images"),
    (check_contrast, lambda h, a, b, s: contrast(h, a, b, s).item(), "no gradient reaches the images"),
    (check_contrast, lambda h, a, b, s: contrast(lambda x: h(x).softmax(1), a, b, s), "logits went in twice"),
    (check_contrast, lambda h, a, b, s: contrast(h, b, a, s), "changed places"),
    (check_contrast, lambda h, a, b, s: -contrast(h, a, b, s), "the sign"),
    (check_contrast, lambda h, a, b, s: F.cross_entropy(h(torch.cat([a, b])), s), "lay a pair on each other"),
    (check_mixture, lambda w, m, s, c: (w.softmax(1) * log_normal(m, s, c)).sum(1).mean(), "averaged logarithms"),
    (check_mixture, lambda w, m, s, c: (w + log_normal(m, s, c)).logsumexp(1).mean(), "do not add up to 1"),
    (check_mixture, lambda w, m, s, c: log_normal(m, s, c).logsumexp(1).mean(), "left out"),
    (check_mixture, lambda w, m, s, c: mixture(w, m, s, c) + 0.5 * math.log(2 * math.pi), "½ log 2π is missing"),
    (check_mixture, lambda w, m, s, c: mixture(w, m, s.abs().log(), c), "log σ was taken for σ"),
    (check_info_nce, lambda s: info_nce(s) - math.log(len(s)), "log n is missing"),
    (check_info_nce, lambda s: F.cross_entropy(s, torch.arange(len(s))) + 0 * s.sum(), "log n is missing|the loss"),
    (check_info_nce, lambda s: s.diagonal().mean(), "mean score"),
    (
        check_info_nce,
        lambda s: math.log(len(s)) + (s.diagonal() - (s.exp().sum(1) - s.diagonal().exp()).log()).mean(),
        "no ceiling",
    ),
]


def test_every_check_of_the_notebook_is_tried():
    checks = {value for name, value in vars(notebook_08).items() if name.startswith("check_")}
    own = {check for check in checks if check.__module__ == notebook_08.__name__}
    assert own == {check for check, _ in RIGHT} == {check for check, *_ in WRONG}


@pytest.mark.parametrize(("check", "answer"), RIGHT, ids=[c.__name__ for c, _ in RIGHT])
def test_a_right_answer_passes_in_one_line(check, answer, capsys):
    assert check(answer) is None
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.parametrize(("check", "answer", "hint"), WRONG)
def test_a_known_mistake_is_named(check, answer, hint):
    with pytest.raises(AssertionError, match=hint):
        check(answer)


@pytest.mark.parametrize("check", [c for c, _ in RIGHT], ids=lambda c: c.__name__)
def test_an_empty_answer_is_said_to_be_one(check):
    with pytest.raises(AssertionError, match="is it written"):
        check(lambda *_: ...)
