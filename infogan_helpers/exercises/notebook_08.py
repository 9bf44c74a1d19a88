"""Checks of notebook 08: labels on real images and on fakes, pairs, the head's loss, a mixture, a contrastive bound."""

import math

import torch
import torch.nn.functional as F

from infogan_helpers.codes import CodeSpec
from infogan_helpers.exercises.checking import (
    PROBABILITIES,
    Case,
    Mistake,
    call,
    check_numbers,
    check_tensors,
    name_of,
    passed,
    random_logits,
    require,
)

NOT_TO_G = (
    "no gradient reaches the images, so that G would never learn to make a shared code visible: nothing may be "
    "detached, and no_grad has no place here"
)


def check_class_loss(function):
    """``class_loss(real_logits, labels, fake_logits, codes)``: notebook 08, exercise 1: AC-GAN's classifier."""
    __tracebackhide__ = True
    cases = []
    for n, classes in ((6, 3), (9, 10), (4, 2)):
        labels, codes = (torch.arange(n) * 7 + shift for shift in (1, 4))
        labels = torch.where(torch.arange(n) % 3 == 2, -1, labels % classes)
        real, fake = random_logits(n, 1, classes), random_logits(n, 2, classes)
        what = f"{n} real images of {classes} classes, a third of them without a label, and {n} fakes"
        cases.append(Case(what, (real, labels, fake, codes % classes)))

    def of_real(real, labels):
        return F.cross_entropy(real[labels >= 0], labels[labels >= 0])

    mistakes = [
        Mistake("you asked about fakes only: real labels teach nothing then", lambda r, y, f, c: F.cross_entropy(f, c)),
        Mistake("you asked about real images only: fakes belong to it as well", lambda r, y, f, c: of_real(r, y)),
        Mistake(
            "labels of -1 took part: PyTorch reads them as the last class where you index, so leave these images out",
            lambda r, y, f, c: -r.log_softmax(1)[torch.arange(len(y)), y].mean() + F.cross_entropy(f, c),
        ),
        Mistake(
            "you divided by all images: average over those that have a label",
            lambda r, y, f, c: of_real(r, y) * (y >= 0).float().mean() + F.cross_entropy(f, c),
        ),
        Mistake(
            PROBABILITIES + "; logits went in twice",
            lambda r, y, f, c: of_real(r.softmax(1), y) + F.cross_entropy(f.softmax(1), c),
        ),
        Mistake(
            "the mean of both is half of it: add them",
            lambda r, y, f, c: (of_real(r, y) + F.cross_entropy(f, c)) / 2,
        ),
    ]
    check_tensors(function, cases, lambda r, y, f, c: of_real(r, y) + F.cross_entropy(f, c), mistakes)


def check_pair(function):
    """``pair(first, second, shared)``: notebook 08, exercise 2: ``Codes`` that share their noise and one code."""
    __tracebackhide__ = True
    name, spec = name_of(function), CodeSpec((), 4, 3)
    first, second = (spec.sample(8, torch.Generator().manual_seed(seed)) for seed in (1, 2))
    shared = torch.arange(8) % 4
    case = Case("8 pairs with 4 continuous codes", (first, second, shared))
    came = call(function, case)
    right = torch.where(F.one_hot(shared, 4).bool(), first.continuous, second.continuous)
    require(
        getattr(came, "continuous", torch.empty(0)).shape == right.shape,
        name,
        "must return Codes for the second picture of each pair: second.replace(...) makes them",
    )
    counts = set((came.continuous == first.continuous).sum(dim=1).tolist())
    hints = {
        0: "shares no code: take the column that `shared` names from the first picture's codes",
        2: "shares two codes: a head that may name either has no right answer",
        3: "shares three codes of four, all but the one: it is the other way round",
        4: "gives the first picture's codes back: the others have to be the second's",
    }
    for count, hint in hints.items():
        require(counts != {count}, name, hint)
    require(torch.equal(came.noise, first.noise), name, "has noise of its own: a pair shares its noise, take first's")
    require(torch.equal(came.continuous, right), name, "shares another code than `shared` says, or changed a value")
    passed(name, case.what)


def check_contrast(function):
    """``contrast(head, first, second, shared)``: notebook 08, exercise 3: the head's cross-entropy on pairs."""
    __tracebackhide__ = True
    name = name_of(function)
    weights = 0.3 * torch.randn(2 * 16, 3, generator=torch.Generator().manual_seed(0))

    def head(pairs):
        require(
            tuple(pairs.shape[1:]) == (2, 4, 4),
            name,
            f"gave the head images of shape {tuple(pairs.shape)}: lay a pair on each other, torch.cat(..., dim=1)",
        )
        return pairs.flatten(1) @ weights

    def of_pixels(first, second, shared):
        return function(head, first, second, shared)

    of_pixels.__name__ = name
    cases = []
    for n in (5, 8):
        first, second = (random_logits(n, seed, 16).tanh().reshape(n, 1, 4, 4) for seed in (3, 4))
        case = Case(f"{n} pairs of 4 by 4 pixels and 3 codes", (first, second, torch.arange(n) % 3))
        cases.append(case)
        leaves = [x.clone().requires_grad_() for x in (first, second)]
        result = call(of_pixels, case._replace(arguments=(*leaves, case.arguments[2])))
        reaches = isinstance(result, torch.Tensor) and result.requires_grad
        gradients = torch.autograd.grad(result.sum(), leaves, allow_unused=True) if reaches else (None,)
        require(all(g is not None for g in gradients), name, f"on {case.what}: {NOT_TO_G}")

    def logits(first, second):
        return torch.cat([first, second], dim=1).flatten(1) @ weights

    mistakes = [
        Mistake(PROBABILITIES + "; logits went in twice", lambda a, b, y: F.cross_entropy(logits(a, b).softmax(1), y)),
        Mistake("the pictures have changed places", lambda a, b, y: F.cross_entropy(logits(b, a), y)),
        Mistake("the sign: G and the head both go down this loss", lambda a, b, y: -F.cross_entropy(logits(a, b), y)),
    ]
    check_tensors(of_pixels, cases, lambda a, b, y: F.cross_entropy(logits(a, b), y), mistakes)


def check_mixture(function):
    """``mixture_log_density(logits, means, log_sigmas, c)``: notebook 08, exercise 4: log of a mixture of Gaussians."""
    __tracebackhide__ = True
    cases = []
    for n, k in ((5, 2), (3, 4)):
        c = random_logits(n, 8).tanh()
        arguments = (random_logits(n, 5, k), random_logits(n, 6, k), 0.3 * random_logits(n, 7, k) - 1, c)
        cases.append(Case(f"{n} images, a mixture of {k} each", arguments))

    def normal(means, log_sigmas, c):
        return -0.5 * ((c[:, None] - means) / log_sigmas.exp()).square() - log_sigmas - 0.5 * math.log(2 * math.pi)

    mistakes = [
        Mistake(
            "you averaged logarithms: the mixture adds densities, so take the log of the sum (logsumexp)",
            lambda w, m, s, c: (w.softmax(1) * normal(m, s, c)).sum(1).mean(),
        ),
        Mistake(
            "the weights do not add up to 1: take log_softmax of the logits",
            lambda w, m, s, c: (w + normal(m, s, c)).logsumexp(1).mean(),
        ),
        Mistake("the weights were left out", lambda w, m, s, c: normal(m, s, c).logsumexp(1).mean()),
        Mistake(
            "½ log 2π is missing: without it the density is not one",
            lambda w, m, s, c: (w.log_softmax(1) + normal(m, s, c)).logsumexp(1).mean() + 0.5 * math.log(2 * math.pi),
        ),
        Mistake(
            "log σ was taken for σ",
            lambda w, m, s, c: (w.log_softmax(1) + normal(m, s.abs().log(), c)).logsumexp(1).mean(),
        ),
    ]
    check_tensors(
        function, cases, lambda w, m, s, c: (w.log_softmax(1) + normal(m, s, c)).logsumexp(1).mean(), mistakes
    )


def check_info_nce(function):
    """``info_nce(scores)``: notebook 08, exercise 5: from scores whose diagonal holds the true pairs, in nats."""
    __tracebackhide__ = True
    cases = [Case(f"scores of shape ({n}, {n})", (random_logits(n, n, n),)) for n in (2, 5, 8)]
    cases.append(Case("scores that know nothing, all 0", (torch.zeros(4, 4),)))

    def right(s):
        return math.log(len(s)) + (s.diagonal() - s.logsumexp(1)).mean()

    def without_own(s):
        others = s.masked_fill(torch.eye(len(s), dtype=torch.bool), -math.inf)
        return math.log(len(s)) + (s.diagonal() - others.logsumexp(1)).mean()

    mistakes = [
        Mistake("log n is missing: that is less the loss, not the bound", lambda s: right(s) - math.log(len(s))),
        Mistake("that is the loss: the bound is log n less it", lambda s: math.log(len(s)) - right(s)),
        Mistake("the true pair belongs into the sum as well, or the bound has no ceiling", without_own),
        Mistake("that is the mean score of the true pairs", lambda s: s.diagonal().mean()),
    ]
    check_numbers(function, cases, right, mistakes)
