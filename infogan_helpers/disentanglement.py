"""Disentanglement metrics, as ``disentanglement_lib`` defines them, so that figures compare with published ones.

Codes are what a network says of images, factors what made the images. Each metric asks in its own way whether every
factor has a code of its own; notebook 06 builds them by hand and shows where they disagree. Not here: metrics that ask
for new images (``interventions``), which code follows which factor (``code_factors``), anything that renders or trains.

``codes`` are real numbers of shape ``(n, L)``, ``factors`` integers of shape ``(n, K)``, as arrays or tensors. A
categorical code may enter as one column, its most likely class: then it counts as one code, and whatever takes a column
for a quantity (SAP's line, the trees' thresholds) depends on how the classes happen to be numbered. Or its
probabilities enter as columns: then one code's information lies in several, so that the gaps between best and second
best (MIG, SAP) and completeness fall although nothing is mixed up.
"""

import os
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy.special
import scipy.stats
from joblib import Parallel, delayed
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.svm import LinearSVC
from tqdm.auto import tqdm

from infogan_helpers import checks
from infogan_helpers.arguments import BOOLEAN, at_least, maybe, refuse, seed, takes
from infogan_helpers.interventions import factor_vae_score, higgins_score

BINS = 20  # of equal width, between a code's smallest and its largest value
LARGEST = 1e18  # of a code; the linear classifier squares it
TEST_SHARE = 1 / 3  # of the samples, where no test part is given: published settings have 10,000 and 5,000


class DCI(NamedTuple):
    """Disentanglement, completeness, informativeness.

    Attributes:
        importance: how much each code matters for predicting each factor, shape ``(L, K)``; a column sums to 1, or to 0
            where no code matters.
        disentanglement: 1 where each code matters for one factor only; codes weigh what they matter in all.
        completeness: 1 where one code is all that matters for each factor.
        informativeness: accuracy of the predictions on the test part, mean over factors.
        informativeness_train: the same on the training part.
    """

    importance: np.ndarray
    disentanglement: float
    completeness: float
    informativeness: float
    informativeness_train: float


@takes(bins=at_least(1))
def mutual_information_matrix(codes, factors, bins=BINS):
    """Mutual information of each code, cut into bins, with each factor, in nats.

    Args:
        codes: shape ``(n, L)``.
        factors: integers, shape ``(n, K)``.
        bins: of equal width between a code's smallest and largest value.

    Returns:
        Shape ``(L, K)``. Counting overestimates: by about ``(bins - 1)(values - 1) / 2n`` nats.

    Raises:
        ValueError: shapes do not fit, numbers are not finite, factors are not integers, there are fewer than two
            samples, or ``bins`` is not a positive integer.
    """
    return _information_and_entropy(codes, factors, bins)[0]


@takes(bins=at_least(1))
def mutual_information_gap(codes, factors, bins=BINS):
    """MIG: how much more the best code tells about a factor than the second best, as a share of the factor's entropy.

    Args:
        codes: shape ``(n, L)``. A constant code tells nothing; beside a single code the second best tells 0.
        factors: integers, shape ``(n, K)``. A factor with one value has no entropy to share and is left out.
        bins: for each code.

    Returns:
        Mean over the factors, in [0, 1].

    Raises:
        ValueError: as in ``mutual_information_matrix``, or every factor has one value only.

    Source: Chen et al. 2018, "Isolating Sources of Disentanglement in VAEs", with the histogram of disentanglement_lib.
    """
    information, entropy = _information_and_entropy(codes, factors, bins)
    moving = _moving(checks.array(factors))
    return float(np.mean(_gap(information[:, moving]) / entropy[moving]))


@takes(bins=at_least(1))
def modularity(codes, factors, bins=BINS):
    """Whether each code tells about one factor only, however much it leaves untold.

    Args:
        codes: shape ``(n, L)``. A code that tells nothing, a constant one for instance, scores 0.
        factors: integers, shape ``(n, K)``. A factor with one value counts among the factors that a code is silent
            about; with a single factor every code that tells anything scores 1.
        bins: for each code.

    Returns:
        Mean over the codes, in [0, 1].

    Raises:
        ValueError: as in ``mutual_information_matrix``.

    Source: Ridgeway & Mozer 2018, "Learning Deep Disentangled Embeddings With the F-Statistic Loss".
    """
    squared = mutual_information_matrix(codes, factors, bins) ** 2
    best = squared.max(axis=1)
    others = (squared.sum(axis=1) - best) / max(1, squared.shape[1] - 1)
    return float(np.mean(np.where(best > 0, 1 - others / np.where(best > 0, best, 1), 0)))


@takes(continuous=BOOLEAN, jobs=maybe(at_least(1)), progress=BOOLEAN)
def sap_score(codes, factors, continuous=False, *, test=None, jobs=None, progress=False):
    """SAP: how much better the best single code predicts a factor than the second best.

    Args:
        codes: shape ``(n, L)``. A constant code has no correlation, and its classifier one answer; beside a single code
            the second best scores 0.
        factors: integers, shape ``(n, K)``. A factor with one value is left out.
        continuous: score by the squared correlation of code and factor over all samples, instead of by the test
            accuracy of a linear classifier (``LinearSVC``, C 0.01, balanced) that sees the one code.
        test: ``(codes, factors)`` to score the classifiers on; without it, a third of the samples, drawn once for all,
            is held out.
        jobs: classifiers that are fitted at a time; one a core where it is ``None``.
        progress: whether to show a progress bar.

    Returns:
        Mean over the factors, in [0, 1].

    Raises:
        ValueError: as in ``mutual_information_gap``, or the training part holds one value of a factor only.

    Source: Kumar et al. 2018, "Variational Inference of Disentangled Latent Concepts from Unlabeled Observations",
    with the settings of disentanglement_lib.
    """
    codes, factors = codes_and_factors(codes, factors)
    moving = _moving(factors)
    if continuous:
        return float(np.mean(_gap(_squared_correlation(codes, factors[:, moving]))))
    (x, y), (x_test, y_test) = _parts(codes, factors, test, moving)
    work = [(x[:, [i]], y[:, k], x_test[:, [i]], y_test[:, k]) for i in range(x.shape[1]) for k in range(y.shape[1])]
    scores = np.reshape(_in_parallel(_svc_accuracy, work, jobs, progress, "SAP"), (x.shape[1], y.shape[1]))
    return float(np.mean(_gap(scores)))


@takes(seed=seed, jobs=maybe(at_least(1)), progress=BOOLEAN)
def dci(codes, factors, *, test=None, seed=0, jobs=None, progress=False):
    """DCI: boosted trees predict each factor from all codes; which codes they use says the rest.

    Args:
        codes: shape ``(n, L)``. A constant code matters for nothing; with a single code completeness is 1.
        factors: integers, shape ``(n, K)``. A factor with one value is left out, its column of importances is 0; with a
            single factor disentanglement is 1.
        test: ``(codes, factors)`` to score the trees on; without it, a third of the samples, drawn once for all, is
            held out.
        seed: of the trees, which break ties by chance.
        jobs: factors that are worked on at a time; one a core where it is ``None``.
        progress: whether to show a progress bar.

    Returns:
        ``DCI(importance, disentanglement, completeness, informativeness, informativeness_train)``.

    Raises:
        ValueError: as in ``sap_score``.

    Source: Eastwood & Williams 2018, "A Framework for the Quantitative Evaluation of Disentangled Representations",
    with the gradient-boosted trees of disentanglement_lib: scikit-learn's defaults, 100 rounds of depth 3.
    """
    codes, factors = codes_and_factors(codes, factors)
    moving = _moving(factors)
    (x, y), (x_test, y_test) = _parts(codes, factors, test, moving)
    work = [(x, y[:, k], x_test, y_test[:, k], seed) for k in range(y.shape[1])]
    importances, on_train, on_test = zip(*_in_parallel(_boosted, work, jobs, progress, "DCI"), strict=True)
    importance = np.zeros((codes.shape[1], factors.shape[1]))
    importance[:, moving] = np.stack(importances, axis=1)
    matters = importance[:, moving]
    return DCI(importance, _purity(matters), _purity(matters.T), float(np.mean(on_test)), float(np.mean(on_train)))


@takes(bins=at_least(1), seed=seed, jobs=maybe(at_least(1)), progress=BOOLEAN)
def report(codes, factors, *, world=None, encode=None, bins=BINS, seed=0, jobs=None, progress=True):
    """All metrics in one table.

    Args:
        codes, factors, bins: as in ``mutual_information_gap``.
        world, encode: as in ``higgins_score``. Higgins and FactorVAE ask for new images; without the two they are left
            out.
        seed: of the trees, of the new images and of the regression.
        jobs: as in ``dci``.
        progress: whether to show progress bars.

    Returns:
        A ``DataFrame`` with one row a metric and the column ``score``.

    Raises:
        ValueError: as in the metrics, or only one of ``world`` and ``encode`` is given.
    """
    if (world is None) != (encode is None):
        raise ValueError(f"world and encode must come together, got {world!r} and {encode!r}")
    trees = dci(codes, factors, seed=seed, jobs=jobs, progress=progress)
    scores = {
        "MIG": mutual_information_gap(codes, factors, bins),
        "modularity": modularity(codes, factors, bins),
        "SAP": sap_score(codes, factors, jobs=jobs, progress=progress),
        "SAP, squared correlation": sap_score(codes, factors, continuous=True),
        "DCI disentanglement": trees.disentanglement,
        "DCI completeness": trees.completeness,
        "DCI informativeness": trees.informativeness,
    }
    if world is not None:
        scores["Higgins"] = higgins_score(world, encode, seed=seed, progress=progress)
        scores["FactorVAE"] = factor_vae_score(world, encode, seed=seed, progress=progress)
    return pd.DataFrame({"score": scores})


def codes_and_factors(codes, factors, names=("codes", "factors")):
    """Both as arrays, if they are numbers of shape (n, L) and integers of shape (n, K), finite, n of at least 2.

    Raises:
        ValueError: they are anything else; ``names`` says what the message calls them.
    """
    codes, factors = checks.array(codes), checks.array(factors)
    if codes.ndim != 2 or codes.shape[1] < 1 or codes.dtype.kind not in "fiub":
        raise ValueError(f"{names[0]} must be numbers of shape (n, L), got shape {codes.shape} of {codes.dtype}")
    if factors.ndim != 2 or factors.shape[1] < 1 or factors.dtype.kind not in "iub":
        raise ValueError(f"{names[1]} must be integers of shape (n, K), got shape {factors.shape} of {factors.dtype}")
    if len(codes) != len(factors) or len(codes) < 2:
        raise ValueError(
            f"{names[0]} and {names[1]} must have as many rows as each other, at least 2, "
            f"got {len(codes)} and {len(factors)}"
        )
    if not np.isfinite(codes).all():
        raise ValueError(f"{names[0]} must be finite, got {int((~np.isfinite(codes)).sum())} numbers that are not")
    if np.abs(codes).max() > LARGEST:  # it would never come to an end
        raise ValueError(f"{names[0]} must lie within ±{LARGEST:g}, got {np.abs(codes).max():g}")
    return codes, factors


def _moving(factors):
    """Which factors take more than one value."""
    moving = factors.min(axis=0) < factors.max(axis=0)
    if not moving.any():
        raise ValueError("factors must hold a factor with more than one value, got none")
    return moving


def _binned(code, bins):
    edges = np.histogram_bin_edges(code, bins)
    return np.searchsorted(edges[:-1], code, side="right") - 1


def _information_and_entropy(codes, factors, bins):
    """Mutual information of each code with each factor, ``(L, K)``, and the factors' entropies, ``(K,)``, in nats."""
    codes, factors = codes_and_factors(codes, factors)
    n, n_codes = codes.shape
    binned = np.stack([_binned(code, bins) for code in codes.T]) + bins * np.arange(n_codes)[:, None]
    information, entropy = [], []
    for factor in factors.T:
        values, index = np.unique(factor, return_inverse=True)
        counts = np.bincount((binned * len(values) + index).ravel(), minlength=n_codes * bins * len(values))
        joint = counts.reshape(n_codes, bins, len(values)) / n
        marginals = joint.sum(axis=2, keepdims=True) * joint.sum(axis=1, keepdims=True)
        information.append(scipy.special.rel_entr(joint, marginals).sum(axis=(1, 2)))
        entropy.append(scipy.special.entr(joint[0].sum(axis=0)).sum())
    told = np.stack(information, axis=1)
    told[codes.min(axis=0) == codes.max(axis=0)] = 0  # exactly: a last bit of rounding would do for modularity
    return np.maximum(told, 0), np.array(entropy)  # rounding can leave -2e-16


def _gap(scores):
    """Best less second best along the codes, the first axis; the second best of one code is 0."""
    ordered = np.sort(scores, axis=0)
    return ordered[-1] - (ordered[-2] if len(ordered) > 1 else 0)


def _squared_correlation(codes, factors):
    x, y = (part - part.mean(axis=0) for part in (codes.astype(float), factors.astype(float)))
    spread = (x**2).sum(axis=0)[:, None] * (y**2).sum(axis=0)
    moves = x.var(axis=0, ddof=1) > 1e-12
    return np.where(moves[:, None], (x.T @ y) ** 2 / np.where(moves[:, None], spread, 1), 0)


def _parts(codes, factors, test, moving):
    """A part to train on and one to score on, of the factors that move."""
    if test is None:
        held_out = np.zeros(len(codes), dtype=bool)
        held_out[np.random.default_rng(0).permutation(len(codes))[: max(1, round(TEST_SHARE * len(codes)))]] = True
        test = codes[held_out], factors[held_out]
        codes, factors = codes[~held_out], factors[~held_out]
    else:
        if not isinstance(test, (tuple, list)) or len(test) != 2:
            refuse("test", "a pair of codes and factors", test)
        test = codes_and_factors(*test, names=("the test part's codes", "the test part's factors"))
        for name, ours, theirs in zip(("codes", "factors"), (codes, factors), test, strict=True):
            if ours.shape[1] != theirs.shape[1]:
                raise ValueError(
                    f"test must have as many {name} as the training part, {ours.shape[1]}, got {theirs.shape[1]}"
                )
    alone = moving & (factors.min(axis=0) == factors.max(axis=0))
    if alone.any():
        raise ValueError(
            f"factors must take several values in the part that trains, of {len(codes)} samples, "
            f"got one value in columns {np.flatnonzero(alone).tolist()}"
        )
    return (codes, factors[:, moving]), (test[0], test[1][:, moving])


def _svc_accuracy(x, y, x_test, y_test):
    model = LinearSVC(C=0.01, class_weight="balanced", dual="auto").fit(x, y)
    return np.mean(model.predict(x_test) == y_test)


def _boosted(x, y, x_test, y_test, seed):
    model = GradientBoostingClassifier(random_state=seed).fit(x, y)
    return np.abs(model.feature_importances_), np.mean(model.predict(x) == y), np.mean(model.predict(x_test) == y_test)


def _purity(importance):
    """1 where each row has one entry, 0 where its entries are equal; rows weigh their sums."""
    total, columns = importance.sum(), importance.shape[1]
    if columns == 1:
        return 1.0
    pure = 1 - scipy.stats.entropy(importance.T + 1e-11, base=columns)
    weights = importance.sum(axis=1) / total if total > 0 else np.full(len(importance), 1 / len(importance))
    return float(np.sum(pure * weights))


def _in_parallel(function, work, jobs, progress, name):
    """``function`` of each piece of work, in order, on several cores."""
    running = Parallel(n_jobs=jobs or os.cpu_count(), return_as="generator")(delayed(function)(*w) for w in work)
    return list(tqdm(running, desc=name, total=len(work), disable=not progress))
