"""Disentanglement metrics, as ``disentanglement_lib`` defines them, so that figures compare with published ones.

Codes are what a network says of images, factors what made the images. Each metric asks in its own way whether every
factor has a code of its own; notebook 06 builds them by hand and shows where they disagree. Not here: anything that
renders (``worlds.py``) or trains.

``codes`` are real numbers of shape ``(n, L)``, ``factors`` integers of shape ``(n, K)``, as arrays or tensors. A
categorical code may enter as one column, its most likely class: then it counts as one code, and whatever takes a column
for a quantity (SAP's line, the trees' thresholds) depends on how the classes happen to be numbered. Or its
probabilities enter as columns: then one code's information lies in several, so that the gaps between best and second
best (MIG, SAP) and completeness fall although nothing is mixed up.
"""

import os
from collections import Counter, defaultdict
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy.special
import scipy.stats
import torch
from joblib import Parallel, delayed
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from tqdm.auto import tqdm

from infogan_helpers import checks

BINS = 20  # of equal width, between a code's smallest and its largest value
TEST_SHARE = 1 / 3  # of the samples, where no test part is given: published settings have 10,000 and 5,000
N_TRAIN, N_TEST = 10_000, 5_000  # batches that train, and that score, the classifiers of Higgins and FactorVAE
BATCH_SIZE = 64  # images in such a batch
N_SPREAD = 10_000  # images from which a code's variance is measured (FactorVAE)
STILL = 0.05  # standard deviation below which a code counts as switched off (FactorVAE)
IMAGES_AT_ONCE = 8192  # that are rendered and encoded together


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
    codes, factors = _checked(codes, factors)
    moving = _moving(factors)
    if continuous:
        return float(np.mean(_gap(_squared_correlation(codes, factors[:, moving]))))
    (x, y), (x_test, y_test) = _parts(codes, factors, test, moving)
    work = [(x[:, [i]], y[:, k], x_test[:, [i]], y_test[:, k]) for i in range(x.shape[1]) for k in range(y.shape[1])]
    scores = np.reshape(_in_parallel(_svc_accuracy, work, jobs, progress, "SAP"), (x.shape[1], y.shape[1]))
    return float(np.mean(_gap(scores)))


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
    codes, factors = _checked(codes, factors)
    moving = _moving(factors)
    (x, y), (x_test, y_test) = _parts(codes, factors, test, moving)
    work = [(x, y[:, k], x_test, y_test[:, k], seed) for k in range(y.shape[1])]
    importances, on_train, on_test = zip(*_in_parallel(_boosted, work, jobs, progress, "DCI"), strict=True)
    importance = np.zeros((codes.shape[1], factors.shape[1]))
    importance[:, moving] = np.stack(importances, axis=1)
    matters = importance[:, moving]
    return DCI(importance, _purity(matters), _purity(matters.T), float(np.mean(on_test)), float(np.mean(on_train)))


def higgins_score(
    world, encode, *, n_train=N_TRAIN, n_test=N_TEST, batch_size=BATCH_SIZE, seed=0, progress=False
):  # fmt: skip
    """The β-VAE metric: which factor do the images of a pair share? Asked of the mean distance between their codes.

    Args:
        world: anything with ``sample_factors(n, generator)``, integers of shape ``(n, K)``, and ``render(factors)``;
            ``worlds`` has some.
        encode: a function from images to codes, shape ``(n, L)``.
        n_train: batches of pairs that train a logistic regression. Fewer are faster and noisier.
        n_test: batches of pairs that score it.
        batch_size: pairs in a batch.
        seed: of the factors and of the regression.
        progress: whether to show a progress bar.

    Returns:
        Accuracy on the test batches, in [0, 1]; chance is ``1 / K``.

    Raises:
        ValueError: a number of batches is not positive, or the codes have another shape or are not finite.

    Source: Higgins et al. 2017, "beta-VAE", with the settings of disentanglement_lib.
    """

    def distance(first, shared, random):
        m, n, k = first.shape
        second = world.sample_factors(m * n, random).reshape(m, n, k)
        second = torch.where(shared, first, second)
        codes = [_encoded(world, encode, factors.reshape(m * n, k)) for factors in (first, second)]
        return np.abs(codes[0] - codes[1]).reshape(m, n, -1).mean(axis=1)

    features, shared = _batches(world, distance, n_train, n_test, batch_size, seed, progress, "Higgins")
    if len(set(shared[:n_train])) < 2:
        return float(np.mean(shared[n_train:] == shared[0]))  # a world with one factor, or a single batch
    model = LogisticRegression(random_state=seed).fit(features[:n_train], shared[:n_train])
    return float(model.score(features[n_train:], shared[n_train:]))


def factor_vae_score(
    world, encode, *, n_train=N_TRAIN, n_test=N_TEST, batch_size=BATCH_SIZE, n_spread=N_SPREAD, still=STILL, seed=0,
    progress=False,
):  # fmt: skip
    """The FactorVAE metric: the images of a batch share one factor; does the code that varies least say which?

    Args:
        world, encode, seed, progress: as in ``higgins_score``.
        n_train: batches whose votes decide which factor each code stands for. Fewer are faster and noisier.
        n_test: batches that score the decision.
        batch_size: images in a batch.
        n_spread: images from which each code's variance is measured.
        still: codes whose standard deviation is below this are left out.

    Returns:
        Accuracy on the test batches, in [0, 1]; 0 where no code moves.

    Raises:
        ValueError: as in ``higgins_score``.

    Source: Kim & Mnih 2018, "Disentangling by Factorising", with the settings of disentanglement_lib.
    """
    checks.integer("n_spread", n_spread, least=2)
    checks.integer("batch_size", batch_size, least=2)
    random = torch.Generator().manual_seed(seed)
    spread = [
        _encoded(world, encode, world.sample_factors(len(part), random))
        for part in torch.arange(n_spread).split(IMAGES_AT_ONCE)
    ]
    variance = np.concatenate(spread).var(axis=0, ddof=1)
    active = np.sqrt(variance) >= still
    if not active.any():
        return 0.0

    def quietest(factors, shared, random):
        m, n, k = factors.shape
        factors = torch.where(shared, factors[:, :1], factors)
        codes = _encoded(world, encode, factors.reshape(m * n, k)).reshape(m, n, -1)[:, :, active]
        return np.argmin(codes.var(axis=1, ddof=1) / variance[active], axis=1)

    votes, shared = _batches(world, quietest, n_train, n_test, batch_size, seed + 1, progress, "FactorVAE")
    counts = np.zeros((shared.max() + 1, active.sum()), dtype=int)
    np.add.at(counts, (shared[:n_train], votes[:n_train]), 1)
    return float(np.mean(counts.argmax(axis=0)[votes[n_train:]] == shared[n_train:]))


def as_columns(posterior):
    """What Q says of images as a matrix of codes: the likeliest class of each categorical code, then the means.

    Args:
        posterior: a ``networks.Posterior`` for ``n`` images.

    Returns:
        Floats, shape ``(n, L)``, in the order of the spec: c1, c2, ...
    """
    classes = [logits.argmax(dim=1) for logits in posterior.categorical_logits]
    return torch.stack([*classes, *posterior.mean.unbind(1)], dim=1).double()


def circular_correlation(angles, others):
    """How closely one angle goes round with another, whatever their offset and sense: 0 to 1.

    Args:
        angles: radians, shape ``(n,)``.
        others: likewise.

    Returns:
        The larger of ``|E exp(i(a - b))|`` and ``|E exp(i(a + b))|``: 1 where the difference (or the sum) never
        changes, near 0 where it lies anywhere, and about half where the angle follows a sine of the other.

    Raises:
        ValueError: shapes disagree, or nothing is given.

    Source: mean resultant length of the difference; Jammalamadaka & SenGupta 2001, sections 1.3 and 8.2.
    """
    a, b = checks.array(angles).astype(float), checks.array(others).astype(float)
    if a.ndim != 1 or a.shape != b.shape or len(a) == 0:
        raise ValueError(f"angles and others must have the same shape (n,), got {a.shape} and {b.shape}")
    return float(max(abs(np.exp(1j * (a - b)).mean()), abs(np.exp(1j * (a + b)).mean())))


def code_factor_table(codes, factors, world):
    """How closely each code follows each ordered factor; factors enter to score only.

    Args:
        codes: continuous codes on [-1, 1], shape ``(n, L)``.
        factors: integers of ``world.sample_factors``, shape ``(n, K)``.
        world: the ``World``; its kinds (factors without a unit) are left out.

    Returns:
        A ``DataFrame`` of shape (L, ordered factors): Spearman's |ρ|, and for a circular factor the circular
        correlation with π times the code. A code that never changes has 0.

    Raises:
        ValueError: as in ``mutual_information_matrix`` and ``world.values``.
    """
    values = world.values(torch.as_tensor(checks.array(factors)))
    codes, _ = _checked(codes, factors)
    table = {}
    for factor in world.factors:
        if not factor.unit:
            continue
        truth = values[factor.name].numpy()
        table[factor.name] = [
            0.0
            if np.ptp(code) == 0 or np.ptp(truth) == 0
            else circular_correlation(np.pi * code, truth)
            if factor.circular
            else abs(float(scipy.stats.spearmanr(code, truth).statistic))
            for code in codes.T
        ]
    return pd.DataFrame(table, index=[f"c{i + 1}" for i in range(codes.shape[1])])


def cluster_purity(codes, kinds, *, test):
    """Share of test samples whose cluster's most frequent training kind is theirs; kinds enter to score only.

    Args:
        codes: integers or whole floats, shape ``(n, L)``; a cluster is a row that is the same in all ``L`` codes.
        kinds: integers, shape ``(n,)``.
        test: another ``(codes, kinds)``: a vote that scored itself would reward having many clusters.

    Returns:
        A share between 0 and 1; test samples in a cluster that training never saw count as wrong.

    Raises:
        ValueError: shapes disagree, or a part is empty.
    """
    (codes, kinds), (codes_test, kinds_test) = ((checks.array(c), checks.array(k)) for c, k in ((codes, kinds), test))
    for name, c, k in (("codes", codes, kinds), ("test", codes_test, kinds_test)):
        if c.ndim != 2 or k.shape != (len(c),) or len(c) == 0:
            raise ValueError(f"{name} must be codes (n, L) and kinds (n,), got {c.shape} and {k.shape}")
    if codes.shape[1] != codes_test.shape[1]:
        raise ValueError(f"test must have the same codes, {codes.shape[1]} columns, got {codes_test.shape[1]}")
    votes = defaultdict(Counter)
    for row, kind in zip(codes.tolist(), kinds.tolist(), strict=True):
        votes[tuple(row)][kind] += 1
    elected = {row: max(sorted(counts), key=counts.get) for row, counts in votes.items()}  # the smallest of a tie
    told = [elected.get(tuple(row)) for row in codes_test.tolist()]
    return float(np.mean([kind == right for kind, right in zip(told, kinds_test.tolist(), strict=True)]))


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


def _checked(codes, factors, names=("codes", "factors")):
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
    codes, factors = _checked(codes, factors)
    checks.integer("bins", bins, least=1)
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
    return told, np.array(entropy)


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
        test = _checked(*test, names=("the test part's codes", "the test part's factors"))
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


def _encoded(world, encode, factors):
    with torch.no_grad():
        codes = checks.array(encode(world.render(factors)))
    if codes.ndim != 2 or len(codes) != len(factors) or not np.isfinite(codes).all():
        raise ValueError(f"encode must return finite codes of shape ({len(factors)}, L), got shape {codes.shape}")
    return codes.astype(float)


def _batches(world, measure, n_train, n_test, batch_size, seed, progress, name):
    """What ``measure`` says of each batch of factors, and which factor the batch shares."""
    for size_name, size in {"n_train": n_train, "n_test": n_test, "batch_size": batch_size}.items():
        checks.integer(size_name, size, least=1)
    random = torch.Generator().manual_seed(seed)
    measured, shared = [], []
    with tqdm(total=n_train + n_test, desc=name, unit="batch", disable=not progress) as bar:
        for part in torch.arange(n_train + n_test).split(max(1, IMAGES_AT_ONCE // batch_size)):
            m = len(part)
            factors = world.sample_factors(m * batch_size, random).reshape(m, batch_size, -1)
            which = torch.randint(factors.shape[2], (m,), generator=random)
            is_shared = torch.nn.functional.one_hot(which, factors.shape[2]).bool()[:, None, :]
            measured.append(measure(factors, is_shared, random))
            shared.append(which.numpy())
            bar.update(m)
    return np.concatenate(measured), np.concatenate(shared)
