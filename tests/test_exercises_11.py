"""Checks of notebook 11's exercises: right answers pass, and each known mistake is named by its sentence."""

import numpy as np
import pytest
import torch
from scipy.stats import rankdata
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from infogan_helpers.applications import anomalies, fairness
from infogan_helpers.exercises.notebook_11 import check_auroc, check_fit_and_score, check_parity, check_probe

CHECKS = (check_auroc, check_fit_and_score, check_probe, check_parity)


def by_ranks(normal, anomalous, method="average"):
    n, m = len(normal), len(anomalous)
    ranks = rankdata(np.concatenate([normal, anomalous]), method)
    return (ranks[n:].sum() - m * (m + 1) / 2) / (n * m)


def by_pairs(normal, anomalous):
    difference = torch.tensor(anomalous)[:, None] - torch.tensor(normal)
    return (difference.sign() + 1).mean() / 2


def standardised(train, test, fitted_on=None):
    fitted_on = train if fitted_on is None else fitted_on
    return np.square((test - fitted_on.mean(axis=0)) / fitted_on.std(axis=0)).sum(axis=1)


def scaled_first(train, test):
    scaler = StandardScaler().fit(np.concatenate([train, test]))
    return unexplained(scaler.transform(train), scaler.transform(test))


def rescaled(train, test):
    scores = standardised(train, test)
    return (scores - scores.min()) / np.ptp(scores)


def unexplained(train, test):
    pca = PCA(2).fit(train)
    return np.square(test - pca.inverse_transform(pca.transform(test))).sum(axis=1)


def in_place(train, test):
    mean = train.mean(axis=0)
    train -= mean
    test -= mean
    return np.abs(test / train.std(axis=0)).max(axis=1)


def fitted(x, y, strength):
    return LogisticRegression(C=strength, max_iter=2000).fit(x, y)


def probe(x, y, test_x, test_y, strengths, scored=None):
    search = GridSearchCV(LogisticRegression(max_iter=2000), {"C": strengths}).fit(x, y)
    answers = search.predict(test_x)
    return answers, (answers == test_y).mean() if scored is None else scored(search, x, y)


def probe_standardised(x, y, test_x, test_y, strengths):
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    search = GridSearchCV(model, {"logisticregression__C": strengths}, cv=3).fit(x, y)
    return search.predict(test_x), search.score(test_x, test_y)


def fitted_on_both(x, y, test_x, test_y, strengths):
    return probe(np.concatenate([x, test_x]), np.concatenate([y, test_y]), test_x, test_y, strengths)


def picked_on_test(x, y, test_x, test_y, strengths):
    best = max((fitted(x, y, c) for c in strengths), key=lambda model: model.score(test_x, test_y))
    return best.predict(test_x), best.score(test_x, test_y)


def taken(which):
    def first_or_last(x, y, test_x, test_y, strengths):
        model = fitted(x, y, strengths[which])
        return model.predict(test_x), model.score(test_x, test_y)

    return first_or_last


def gap(said, groups):
    return said[groups == 1].double().mean() - said[groups == 0].double().mean()


def parity(classify, seen, new):
    return gap(classify(new.images), new.colours).abs()


@pytest.mark.parametrize(
    ("check", "function"),
    [
        (check_auroc, by_ranks),
        (check_auroc, by_pairs),
        (check_auroc, anomalies.auroc),
        (check_fit_and_score, standardised),
        (check_fit_and_score, unexplained),
        (check_fit_and_score, in_place),
        (check_fit_and_score, lambda train, test: anomalies.gaussian(train)(test)),
        (check_fit_and_score, lambda train, test: anomalies.nearest_normal(train)(test)),
        (check_fit_and_score, lambda train, test: anomalies.one_class_svm(train)(test)),
        (check_probe, probe),
        (check_probe, probe_standardised),
        (check_parity, parity),
        (check_parity, lambda c, _, new: fairness.demographic_parity(c(new.images), new.colours)),
    ],
)
def test_right_answers_pass(check, function, capsys):
    check(function)
    assert ": right on" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("check", "function", "sentence"),
    [
        (check_auroc, lambda a, b: by_pairs(b, a), "the sign is turned"),
        (check_auroc, lambda a, b: max(by_pairs(a, b), by_pairs(b, a)), "the larger of two signs"),
        (check_auroc, lambda a, b: (b[:, None] > a).mean(), "you counted it as a loss"),
        (check_auroc, lambda a, b: (b[:, None] >= a).mean(), "you counted it as a win"),
        (check_auroc, lambda a, b: by_ranks(a, b, "ordinal"), "you counted it as a win"),
        (check_auroc, lambda a, b: (b[:, None] > a).sum() / (b[:, None] != a).sum(), "you left it out"),
        (check_auroc, lambda a, b: by_ranks(a, b) * len(a) * len(b), "not by nothing"),
        (check_auroc, lambda a, b: by_ranks(a, b) * len(b), "not by the normal ones alone"),
        (check_auroc, lambda a, b: by_ranks(a, b) * len(a), "not by the anomalies alone"),
        (
            check_auroc,
            lambda a, b: 2 * by_ranks(a, b) * len(a) * len(b) / (len(a) + len(b)) / (len(a) + len(b) - 1),
            "not by all pairs of pictures",
        ),
        (check_auroc, lambda a, b: by_ranks(a, b) + (len(b) + 1) / 2 / len(a), "are still in the sum"),
        (check_auroc, lambda a, b: b[:, None] > a, "must give one number"),
        (check_fit_and_score, lambda train, test: standardised(train, test, test), "whatever the training part"),
        (
            check_fit_and_score,
            lambda train, test: standardised(train, test, np.concatenate([train, test])),
            "something was fitted on the test part",
        ),
        (check_fit_and_score, scaled_first, "something was fitted on the test part"),
        (check_fit_and_score, rescaled, "divided by their own range"),
        (check_fit_and_score, lambda train, test: -standardised(train, test), "has its sign turned"),
        (check_fit_and_score, lambda train, test: standardised(train, train), "a score per test picture"),
        (check_fit_and_score, lambda train, test: test[:, 0] * train[0, 0] * np.nan, "not finite"),
        (
            check_fit_and_score,
            lambda train, test: standardised(train[np.random.default_rng().permutation(200)[:50]], test),
            "the second time",
        ),
        (check_fit_and_score, lambda train, test: np.square(test[:, 0] % 1 - train[0, 0]), "1 is easy here"),
        (check_probe, fitted_on_both, "it was fitted on them"),
        (check_probe, picked_on_test, "it was picked on the test part"),
        (check_probe, taken(0), "took 1e-06"),
        (check_probe, taken(-1), "took 1e-06"),
        (check_probe, lambda *a: probe(*a, scored=lambda s, x, y: s.score(x, y)), "was the training part scored"),
        (check_probe, lambda *a: (probe(*a)[0], 100 * probe(*a)[1]), "gave per cent"),
        (check_probe, lambda *a: probe(*a)[0], "must return two things"),
        (check_probe, lambda x, *a: (probe(x, *a)[0][:60], 0.5), "an answer per test image"),
        (check_probe, lambda x, y, _, b, s: (0 * b, (b == 0).mean()), "is it fitted"),
        (check_parity, lambda c, seen, new: parity(c, new, seen), "you looked at the training pictures"),
        (
            check_parity,
            lambda c, *parts: gap(
                torch.cat([c(part.images) for part in parts]), torch.cat([part.colours for part in parts])
            ).abs(),
            "in with the new ones",
        ),
        (check_parity, lambda c, _, new: gap(c(new.images), new.colours), "absolute value is missing"),
        (check_parity, lambda c, _, new: -gap(c(new.images), new.colours), "absolute value is missing"),
        (check_parity, lambda c, _, new: gap(new.labels, new.colours).abs(), "you compared the labels"),
        (check_parity, lambda c, _, new: gap(c(new.images), new.labels).abs(), "you compared the classes"),
        (
            check_parity,
            lambda c, _, new: gap(c(new.images) == new.labels, new.colours).abs(),
            "you compared accuracies",
        ),
        (
            check_parity,
            lambda c, _, new: (c(new.images) * (2.0 * new.colours - 1)).mean().abs(),
            "divided by all pictures",
        ),
    ],
)
def test_each_mistake_is_named(check, function, sentence):
    with pytest.raises(AssertionError, match=sentence):
        check(function)


@pytest.mark.parametrize("check", CHECKS)
def test_an_answer_that_is_not_written_is_said_to_be_so(check):
    with pytest.raises(AssertionError, match=r"returned nothing|not written yet"):
        check(lambda *_: ...)
