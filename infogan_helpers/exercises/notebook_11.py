"""Checks of notebook 11: an AUROC, scores and probes that no test data may reach, parity on the right pictures."""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from infogan_helpers.applications.anomalies import auroc
from infogan_helpers.applications.fairness import Coloured, demographic_parity
from infogan_helpers.exercises.checking import (
    Case,
    Mistake,
    call,
    check_numbers,
    name_of,
    one_number,
    passed,
    require,
    short,
)

TIES = "a tie is half a win, and you counted it as "
SIGNED = "the absolute value is missing: parity says how far apart the groups are, not which is ahead"
NORMALISED = "divide by the number of pairs of a normal picture and an anomaly, n times m, "


def check_auroc(function):
    """``auroc(normal_scores, anomalous_scores)``: notebook 11, exercise 1: how often the anomaly scores higher."""
    __tracebackhide__ = True
    random = np.random.default_rng(11)
    sides = [(np.array([0.1, 0.4, 0.4, 0.8]), np.array([0.4, 0.7, 0.9]))]
    sides += [(random.normal(size=n), random.normal(shift, 1, m)) for n, m, shift in ((30, 8, 1.5), (9, 20, -1))]
    sides += [(random.integers(0, 4, 12) / 4, random.integers(1, 6, 7) / 4)]

    def wins(normal, anomalous, tie):
        difference = anomalous[:, None] - normal
        return (difference > 0).sum() + tie * (difference == 0).sum()

    def share(tie, pairs):
        return lambda a, b: wins(a, b, tie) / pairs(len(a), len(b))

    mistakes = [
        Mistake(
            "you took the larger of two signs: which way a score points is decided before the count",
            lambda a, b: max(auroc(a, b), 1 - auroc(a, b)),
        ),
        Mistake(
            "the sign is turned: you counted how often the normal picture scores higher", lambda a, b: 1 - auroc(a, b)
        ),
        Mistake(TIES + "a loss", share(0.0, np.multiply)),
        Mistake(TIES + "a win", share(1.0, np.multiply)),
        Mistake(
            "a tie is half a win, and you left it out",
            lambda a, b: wins(a, b, 0.0) / (np.not_equal.outer(b, a).sum() or 1),
        ),
        Mistake(NORMALISED + "not by nothing", share(0.5, lambda n, m: 1)),
        Mistake(NORMALISED + "not by the normal ones alone", share(0.5, lambda n, m: n)),
        Mistake(NORMALISED + "not by the anomalies alone", share(0.5, lambda n, m: m)),
        Mistake(NORMALISED + "not by all pairs of pictures", share(0.5, lambda n, m: (n + m) * (n + m - 1) / 2)),
        Mistake(
            "the anomalies' ranks among themselves, m (m + 1) / 2, are still in the sum",
            lambda a, b: auroc(a, b) + (len(b) + 1) / 2 / len(a),
        ),
    ]
    cases = [Case(f"normal scores {short(a)} and anomalous scores {short(b)}", (a, b)) for a, b in sides]
    check_numbers(function, cases, auroc, mistakes)


def check_fit_and_score(function):
    """``fit_and_score(normal_train, test)``: notebook 11, exercise 2: strangeness, fitted to the training part."""
    __tracebackhide__ = True
    name, random = name_of(function), np.random.default_rng(12)
    train, other_train, normal, far, others = (
        random.normal(size=(n, 4)) * spread * (1, 2, 3, 0.5) + shift * np.array([1, 2, 3, 0.5])
        for n, spread, shift in ((200, 1, 1), (200, 3, 2), (30, 1, 1), (20, 1, 9), (40, 20, 50))
    )
    test = np.concatenate([far[:5], normal, far[5:]])

    def scores(what, *parts):
        __tracebackhide__ = True
        came = np.asarray(call(function, Case(what, tuple(part.copy() for part in parts))), dtype=float)
        wanted = (len(parts[1]),)
        require(came.shape == wanted, name, f"on {what} must give a score per test picture, {wanted}, got {came.shape}")
        require(np.isfinite(came).all(), name, f"on {what} gave scores that are not finite")
        return came

    first = scores("200 normal and 50 test pictures", train, test)
    again = scores("the same pictures once more", train, test)
    require(np.allclose(first, again), name, "gives other scores the second time: fix the seed of what is random")
    refitted = scores("another training part", other_train, test)
    require(
        not np.allclose(first, refitted),
        name,
        "gives the same scores whatever the training part: what is normal has to be fitted to normal_train",
    )
    exchanged = scores("45 exchanged test pictures", train, np.concatenate([test[:5], others]))
    require(
        np.allclose(first[:5], exchanged[:5], 1e-4),
        name,
        "gives a test picture another score where the other test pictures are exchanged: something was fitted on the "
        "test part, a mean, a scale, a PCA, or the scores were divided by their own range",
    )
    is_far = np.isin(np.arange(50), np.arange(5, 35), invert=True)
    reached = auroc(first[~is_far], first[is_far])
    require(reached > 0.1, name, "has its sign turned: pictures far from the training must score higher, not lower")
    require(reached > 0.95, name, f"tells pictures eight deviations away at an AUROC of {reached:.2f}: 1 is easy here")
    passed(name, "50 test pictures, whatever stands beside them")


def check_probe(function):
    """``probe(features, labels, test_features, test_labels, strengths)``: notebook 11, exercise 3.

    Returns the answers on the test part and their accuracy; ``strengths`` are values of ``LogisticRegression``'s C.
    """
    __tracebackhide__ = True
    name, random = name_of(function), np.random.default_rng(13)
    labels, truth = (np.arange(n) % 10 >= 7 for n in (60, 150))  # seven in ten are of class 0
    labels, truth = labels.astype(int), truth.astype(int)
    easy, noisy = (
        [random.normal(size=(len(y), 20)) + shift * y[:, None] for y in (labels, truth)] for shift in (2, 0.2)
    )

    def answers(what, parts, shown, strengths):
        __tracebackhide__ = True
        came = call(function, Case(what, (parts[0], labels.copy(), parts[1], shown.copy(), strengths)))
        require(isinstance(came, tuple) and len(came) == 2, name, "must return two things: the answers, their accuracy")
        said, accuracy = np.asarray(came[0]), one_number(came[1], name)
        require(said.shape == truth.shape, name, f"must give an answer per test image, {truth.shape}, got {said.shape}")
        share = (said == shown).mean()
        require(accuracy <= 1, name, "gave per cent: the accuracy is a share")
        require(
            np.isclose(accuracy, share),
            name,
            f"on {what} gave an accuracy of {accuracy:.2f}, and {share:.2f} of its answers are the test labels: "
            "was the training part scored?",
        )
        return said

    right = answers("one strength", easy, truth, (1.0,))
    turned = answers("one strength and the test labels turned round", easy, 1 - truth, (1.0,))
    require(np.array_equal(right, turned), name, "answers otherwise where the test labels do: it was fitted on them")
    require((right == truth).mean() > 0.95, name, "is wrong on more than one easy image in twenty: is it fitted?")
    strengths = (1e-5, 1e-2, 1e3)
    weakest = LogisticRegression(C=strengths[-1], max_iter=2000).fit(noisy[0], labels).predict(noisy[1])
    strong, weak = (
        answers("three strengths", noisy, favoured, strengths) for favoured in (np.zeros_like(truth), weakest)
    )
    require(
        np.array_equal(strong, weak),
        name,
        "takes another strength where the test labels are others: it was picked on the test part",
    )
    for order in ((1e-6, 1.0), (1.0, 1e-6)):
        said = answers(f"the strengths {order}", easy, truth, order)
        require(
            (said == truth).mean() > 0.95, name, f"of the strengths {order} took 1e-06, with which it learns nothing"
        )
    passed(name, "five probes, whatever the test labels are")


def check_parity(function):
    """``parity(classify, seen, new)``: notebook 11, exercise 4: demographic parity of the answers on new pictures."""
    __tracebackhide__ = True

    def lean(said, groups):
        return said[groups == 1].double().mean() - said[groups == 0].double().mean()

    def gap(said, groups):
        return abs(lean(said, groups))

    def together(classify, seen, new):
        return gap(torch.cat([classify(seen.images), classify(new.images)]), torch.cat([seen.colours, new.colours]))

    def of_all(classify, seen, new):
        said = classify(new.images).double()
        return abs((said * new.colours).mean() - (said * (1 - new.colours)).mean())

    mistakes = [
        Mistake(
            "you looked at the training pictures, whose colours go with their class: take the new ones",
            lambda c, seen, new: gap(c(seen.images), seen.colours),
        ),
        Mistake("you put the training pictures in with the new ones", together),
        Mistake(
            SIGNED,
            lambda c, _, new: lean(c(new.images), new.colours),
        ),
        Mistake(
            SIGNED,
            lambda c, _, new: -lean(c(new.images), new.colours),
        ),
        Mistake(
            "you compared the labels: parity is about the classifier's answers",
            lambda c, _, new: gap(new.labels, new.colours),
        ),
        Mistake(
            "you compared the classes: the groups are the colours", lambda c, _, new: gap(c(new.images), new.labels)
        ),
        Mistake(
            "you compared accuracies: parity asks who is given class 1, rightly or not",
            lambda c, _, new: gap((c(new.images) == new.labels).long(), new.colours),
        ),
        Mistake("you divided by all pictures: each colour's share is of the pictures in that colour", of_all),
    ]
    cases = []
    for seed, blue, orange in ((1, 0.8, 0.3), (2, 0.2, 0.7), (3, 0.9, 0.6)):
        cases.append(
            Case(f"new pictures, number {seed}", (read_answer, painted(seed, 90, 0.9), painted(seed, 70, blue, orange)))
        )
    check_numbers(function, cases, lambda c, _, new: demographic_parity(c(new.images), new.colours), mistakes)


def painted(seed, n, blue, orange=0.1):
    """Pictures of one grey, which is a classifier's answer; of so many blue and orange ones that is class 1."""
    random = torch.Generator().manual_seed(seed)
    colours, labels = (torch.randint(2, (n,), generator=random) for _ in range(2))
    colours = torch.where(torch.rand(n, generator=random) < 0.2, 0, colours)  # more orange than blue
    said = torch.rand(n, generator=random) < torch.where(colours == 1, blue, orange)
    return Coloured((255 * said).to(torch.uint8)[:, None, None, None].expand(n, 3, 2, 2), labels, colours)


def read_answer(images):
    """The classifier of ``painted``: class 1 where a picture is white."""
    return (images[:, 0, 0, 0] > 127).long()
