"""Disentanglement metrics: against their definitions run plainly, and on codes whose answer is known."""

import math

import numpy as np
import pytest
import scipy.stats
import torch
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import mutual_info_score
from sklearn.svm import LinearSVC

from infogan_helpers.code_factors import as_columns, circular_correlation, code_factor_table
from infogan_helpers.disentanglement import (
    DCI,
    dci,
    modularity,
    mutual_information_gap,
    mutual_information_matrix,
    report,
    sap_score,
)
from infogan_helpers.interventions import factor_vae_score, higgins_score
from infogan_helpers.posteriors import Posterior
from infogan_helpers.worlds import Sprites

SIZES = (4, 3, 5)


def random_factors(n=600, sizes=SIZES, seed=0):
    return np.random.default_rng(seed).integers(0, sizes, (n, len(sizes)))


def mixed_codes(factors, n_codes=4, seed=1):
    """Codes that each mix all factors, with noise, no two alike."""
    random = np.random.default_rng(seed)
    return factors @ random.normal(size=(factors.shape[1], n_codes)) + random.normal(size=(len(factors), n_codes))


def plain_matrix(codes, factors, bins):
    """One call of scikit-learn a pair, as disentanglement_lib does it."""
    binned = np.zeros_like(codes)
    for i in range(codes.shape[1]):
        binned[:, i] = np.digitize(codes[:, i], np.histogram(codes[:, i], bins)[1][:-1])
    return np.array([[mutual_info_score(factor, code) for factor in factors.T] for code in binned.T])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("bins", [20, 7])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_mig_and_modularity_are_their_definitions(seed, bins, dtype):
    factors = random_factors(seed=seed)
    codes = mixed_codes(factors, seed=seed + 10).astype(dtype)
    matrix = plain_matrix(codes, factors, bins)
    np.testing.assert_allclose(mutual_information_matrix(codes, factors, bins), matrix, atol=1e-12)
    ordered = np.sort(matrix, axis=0)[::-1]
    entropies = np.array([mutual_info_score(factor, factor) for factor in factors.T])
    assert mutual_information_gap(codes, factors, bins) == pytest.approx(
        np.mean((ordered[0] - ordered[1]) / entropies), abs=1e-9
    )
    squared, best = matrix**2, (matrix**2).max(axis=1)
    expected = np.mean(1 - (squared.sum(axis=1) - best) / (best * (factors.shape[1] - 1)))
    assert modularity(codes, factors, bins) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_sap_is_its_definition(seed):
    factors = random_factors(seed=seed)
    codes = mixed_codes(factors, seed=seed + 10)
    covariances = [[np.cov(code, factor, ddof=1) for factor in factors.T] for code in codes.T]
    scores = np.sort([[c[0, 1] ** 2 / (c[0, 0] * c[1, 1]) for c in row] for row in covariances], axis=0)
    assert sap_score(codes, factors, continuous=True) == pytest.approx(np.mean(scores[-1] - scores[-2]), abs=1e-9)
    train, test = (codes[:400], factors[:400]), (codes[400:], factors[400:])
    accuracy = np.zeros((codes.shape[1], factors.shape[1]))
    for i in range(codes.shape[1]):
        for k in range(factors.shape[1]):
            model = LinearSVC(C=0.01, class_weight="balanced").fit(train[0][:, [i]], train[1][:, k])
            accuracy[i, k] = np.mean(model.predict(test[0][:, [i]]) == test[1][:, k])
    scores = np.sort(accuracy, axis=0)
    assert sap_score(*train, test=test) == pytest.approx(np.mean(scores[-1] - scores[-2]), abs=1e-3)


def test_dci_is_its_definition():
    factors = random_factors()
    codes = mixed_codes(factors)
    train, test = (codes[:400], factors[:400]), (codes[400:], factors[400:])
    importance, accuracy = np.zeros((4, 3)), []
    for k in range(3):
        model = GradientBoostingClassifier().fit(train[0], train[1][:, k])
        importance[:, k] = model.feature_importances_
        accuracy.append(np.mean(model.predict(test[0]) == test[1][:, k]))
    by_code = 1 - scipy.stats.entropy(importance.T + 1e-11, base=3)
    by_factor = 1 - scipy.stats.entropy(importance + 1e-11, base=4)
    ours = dci(*train, test=test)
    assert ours.disentanglement == pytest.approx(np.sum(by_code * importance.sum(1) / importance.sum()), abs=0.02)
    assert ours.completeness == pytest.approx(np.sum(by_factor * importance.sum(0) / importance.sum()), abs=0.02)
    assert ours.informativeness == pytest.approx(np.mean(accuracy), abs=0.02)
    np.testing.assert_allclose(ours.importance, importance, atol=0.02)


def every_combination(copies=20, sizes=SIZES):
    grid = np.stack(np.meshgrid(*[np.arange(size) for size in sizes], indexing="ij"), axis=-1).reshape(-1, len(sizes))
    return np.tile(grid, (copies, 1))


def test_the_identity_is_perfect():
    factors = every_combination()
    assert mutual_information_gap(factors, factors) == pytest.approx(1)
    assert modularity(factors, factors) == pytest.approx(1)
    assert dci(factors, factors)[1:] == pytest.approx((1, 1, 1, 1), abs=1e-6)
    assert sap_score(factors, factors, continuous=True) == pytest.approx(1)
    assert sap_score(factors, factors) > 0.3


def test_permuted_scaled_and_turned_over_codes_score_as_before():
    factors = random_factors()
    codes = mixed_codes(factors)
    other = np.array([2.0, -3.0, 0.1, 7.0]) * codes[:, [0, 1, 2, 3]][:, ::-1] + 5
    for score in (mutual_information_gap, modularity, lambda c, f: sap_score(c, f, continuous=True)):
        assert score(other, factors) == pytest.approx(score(codes, factors), abs=0.02)


def test_a_code_that_is_there_twice_costs_the_gap_and_not_modularity():
    factors = every_combination()
    twice = np.concatenate([factors, factors], axis=1)
    assert mutual_information_gap(twice, factors) == pytest.approx(0, abs=1e-12)
    assert sap_score(twice, factors, continuous=True) == pytest.approx(0, abs=1e-12)
    assert modularity(twice, factors) == pytest.approx(1)
    assert dci(twice, factors).disentanglement == pytest.approx(1, abs=1e-6)


def test_two_factors_in_one_code_keep_the_gap_and_lose_modularity():
    factors = every_combination(sizes=(4, 4))
    codes = np.stack([4 * factors[:, 0] + factors[:, 1], np.zeros(len(factors))], axis=1)
    assert mutual_information_gap(codes, factors) == pytest.approx(1)
    assert modularity(codes, factors) == pytest.approx(0)  # the two are told equally well; the constant code scores 0
    assert dci(codes, factors).disentanglement == pytest.approx(0, abs=0.01)
    assert dci(codes, factors).completeness == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("codes", [np.zeros((600, 3)), np.random.default_rng(5).normal(size=(600, 3))])
def test_codes_that_know_nothing_score_next_to_nothing(codes):
    factors = random_factors()
    assert mutual_information_gap(codes, factors) < 0.05
    assert sap_score(codes, factors, continuous=True) < 0.05
    assert sap_score(codes, factors) < 0.1
    assert dci(codes, factors).informativeness < 0.45


def test_one_code_one_factor_and_still_factors_have_answers():
    factors = every_combination()
    still = np.concatenate([factors, np.full((len(factors), 1), 7)], axis=1)
    for score in (mutual_information_gap, sap_score, lambda c, f: sap_score(c, f, continuous=True)):
        assert score(factors, still) == pytest.approx(score(factors, factors))
    trees = dci(factors, still)
    assert trees.importance.shape == (3, 4)
    assert (trees.importance[:, 3] == 0).all()
    assert modularity(factors, still) == pytest.approx(1)
    one = factors[:, :1]
    assert mutual_information_gap(one, factors) == pytest.approx(1 / 3, abs=1e-9)
    assert mutual_information_gap(one, one) == pytest.approx(1)
    assert modularity(one, one) == 1
    assert modularity(np.zeros_like(one), one) == 0
    assert (dci(one, factors).completeness, dci(factors, one).disentanglement) == (1, 1)


def test_constant_codes_matter_for_nothing():
    trees = dci(np.zeros((60, 2)), random_factors(60))
    assert trees.importance.sum() == 0
    assert (trees.disentanglement, trees.completeness) == pytest.approx((0, 0), abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("value", [0.0, 0.1, -3.7])
def test_a_constant_code_scores_0_in_modularity_whatever_the_last_bits_say(seed, value):
    factors = np.random.default_rng(seed).integers(0, 10, (5000, 2))
    codes = np.concatenate([factors, np.full((5000, 1), value)], axis=1)
    assert mutual_information_matrix(codes, factors)[2].tolist() == [0, 0]
    assert modularity(codes, factors) == pytest.approx(2 / 3, abs=1e-3)


def test_tensors_are_taken_and_arguments_left_alone():
    factors = random_factors()
    codes = mixed_codes(factors)
    before = codes.copy(), factors.copy()
    tensors = torch.from_numpy(codes).requires_grad_(True), torch.from_numpy(factors)
    assert mutual_information_gap(*tensors) == mutual_information_gap(codes, factors)
    assert (codes == before[0]).all()
    assert (factors == before[1]).all()


METRICS = (mutual_information_gap, modularity, sap_score, dci)
GOOD = np.arange(20.0).reshape(10, 2), np.arange(20).reshape(10, 2) % 3


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("codes", "factors", "message"),
    [
        (GOOD[0][:, 0], GOOD[1], r"codes must be numbers of shape \(n, L\), got shape \(10,\)"),
        (GOOD[0][:, :0], GOOD[1], r"codes must be numbers of shape \(n, L\), got shape \(10, 0\)"),
        (GOOD[0], GOOD[1] * 1.0, r"factors must be integers of shape \(n, K\), got shape \(10, 2\) of float64"),
        (GOOD[0], GOOD[1][:9], "as many rows as each other, at least 2, got 10 and 9"),
        (GOOD[0][:1], GOOD[1][:1], "as many rows as each other, at least 2, got 1 and 1"),
        (np.where(GOOD[0] > 18, np.nan, GOOD[0]), GOOD[1], "codes must be finite, got 1 numbers that are not"),
        (np.where(GOOD[0] > 17, np.inf, GOOD[0]), GOOD[1], "codes must be finite, got 2 numbers that are not"),
    ],
)
def test_bad_input_is_refused(metric, codes, factors, message):
    with pytest.raises(ValueError, match=message):
        metric(codes, factors)


@pytest.mark.parametrize("metric", [mutual_information_gap, sap_score, dci])
def test_factors_that_never_change_are_refused(metric):
    with pytest.raises(ValueError, match="factors must hold a factor with more than one value, got none"):
        metric(GOOD[0], np.ones((10, 2), dtype=int))


def test_parts_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="bins must be an integer of at least 1, got 0"):
        mutual_information_gap(*GOOD, bins=0)
    with pytest.raises(ValueError, match="test must have as many codes as the training part, 2, got 1"):
        sap_score(*GOOD, test=(GOOD[0][:, :1], GOOD[1]))
    with pytest.raises(ValueError, match="the test part's codes must be finite"):
        dci(*GOOD, test=(GOOD[0] * np.nan, GOOD[1]))
    rare = np.arange(10)[:, None] == np.random.default_rng(0).permutation(10)[0]  # a row of the third that is held out
    with pytest.raises(ValueError, match="several values in the part that trains, of 7 samples, got one value in col"):
        dci(GOOD[0], rare.astype(int))


class Grid:
    """A world whose images are its factors."""

    def __init__(self, *sizes):
        self.sizes = torch.tensor(sizes)

    def sample_factors(self, n, generator):
        return (torch.rand(n, len(self.sizes), generator=generator) * self.sizes).long()

    def render(self, factors):
        return factors.float()


SMALL = {"n_train": 300, "n_test": 200}


@pytest.mark.parametrize("score", [higgins_score, factor_vae_score])
def test_metrics_of_fixed_factors_know_the_identity_and_pure_noise(score):
    world = Grid(4, 3, 5)
    assert score(world, lambda images: images, **SMALL) > 0.98
    noise = np.random.default_rng(0)
    assert score(world, lambda images: noise.normal(size=(len(images), 3)), **SMALL) < 0.55
    assert score(world, lambda images: images, **SMALL) == score(world, lambda images: images, **SMALL)


def test_factor_vae_takes_one_code_for_one_factor_and_higgins_does_not_mind_a_mixture():
    world = Grid(6, 6)
    turned = torch.tensor([[1.0, 1.0], [1.0, -1.0]]) / math.sqrt(2)
    assert factor_vae_score(world, lambda images: images @ turned, **SMALL) < 0.7
    assert factor_vae_score(world, lambda images: images, **SMALL) == 1


def test_factor_vae_leaves_still_codes_out():
    world = Grid(4, 3)
    with_dead = lambda images: torch.cat([1e-3 * images[:, :1], images], dim=1)  # noqa: E731
    assert factor_vae_score(world, with_dead, **SMALL) == 1
    assert factor_vae_score(world, lambda images: 0 * images, **SMALL) == 0
    assert factor_vae_score(world, lambda images: 0.01 * images, **SMALL) == 0
    assert factor_vae_score(world, lambda images: 0.01 * images, still=0.001, **SMALL) == 1


def test_factor_vae_weighs_each_code_by_its_own_variance():
    noise = np.random.default_rng(0)
    scales = torch.tensor([1.0, 100.0])
    unsure = lambda images: (images + torch.from_numpy(noise.normal(0, 0.2, images.shape))) * scales  # noqa: E731
    assert factor_vae_score(Grid(5, 5), unsure, **SMALL) > 0.98


def test_higgins_pairs_share_exactly_one_factor():
    seen = []

    class Watched(Grid):
        def render(self, factors):
            seen.append(factors)
            return factors.float()

    world = Watched(50, 60, 70)
    higgins_score(world, lambda images: images, n_train=20, n_test=10, batch_size=8)
    first, second = (part.reshape(30, 8, 3) for part in seen)
    equal = (first == second).all(dim=1)
    assert (equal.sum(dim=1) == 1).all()
    assert set(equal.int().argmax(dim=1).tolist()) == {0, 1, 2}


@pytest.mark.parametrize("score", [higgins_score, factor_vae_score])
def test_bad_codes_and_sizes_are_refused(score):
    world = Grid(4, 3)
    with pytest.raises(ValueError, match=r"encode must return finite codes of shape \(\d+, L\), got shape \(\d+,\)"):
        score(world, lambda images: images[:, 0], **SMALL)
    with pytest.raises(ValueError, match="encode must return finite codes"):
        score(world, lambda images: images * math.nan, **SMALL)
    with pytest.raises(ValueError, match="n_train must be an integer of at least 1, got 0"):
        score(world, lambda images: images, n_train=0)


def test_the_report_is_the_metrics():
    factors = random_factors(300)
    codes = mixed_codes(factors)
    table = report(codes, factors, progress=False)
    assert table.loc["MIG", "score"] == mutual_information_gap(codes, factors)
    assert table.loc["SAP", "score"] == sap_score(codes, factors)
    assert isinstance(dci(codes, factors), DCI)
    assert table.loc["DCI completeness", "score"] == dci(codes, factors).completeness
    assert "Higgins" not in table.index
    with pytest.raises(ValueError, match="world and encode must come together"):
        report(codes, factors, world=Grid(2, 2))


def test_jobs_change_nothing():
    factors = random_factors(200)
    codes = mixed_codes(factors)
    assert dci(codes, factors, jobs=1).disentanglement == dci(codes, factors, jobs=2).disentanglement


# --- what follows what, one by one


def test_columns_are_the_classes_and_then_the_means():
    posterior = Posterior(
        (torch.tensor([[0.0, 2.0], [1.0, -1.0]]), torch.tensor([[0.0, 0.0, 3.0], [5.0, 0.0, 0.0]])),
        torch.tensor([[0.5], [-0.25]]),
        torch.zeros(2, 1),
    )
    assert as_columns(posterior).tolist() == [[1, 2, 0.5], [0, 0, -0.25]]


def test_circular_correlation_knows_offset_sense_fold_and_chance():
    angle = np.linspace(-np.pi, np.pi, 100_000, endpoint=False)
    assert circular_correlation(angle + 1, angle) == pytest.approx(1)
    assert circular_correlation(2 - angle, angle) == pytest.approx(1)
    assert circular_correlation(2 * np.abs(angle) - np.pi, angle) == pytest.approx(4 / (3 * np.pi), abs=1e-3)
    other = np.random.default_rng(0).uniform(-np.pi, np.pi, len(angle))
    assert circular_correlation(other, angle) < 0.02
    noisy = angle + np.random.default_rng(1).normal(0, 0.5, len(angle))
    assert circular_correlation(noisy, angle) == pytest.approx(np.exp(-0.125), abs=0.01)  # E exp(iε) of a Gaussian
    for one, two in ((3, 2), ((2, 2), (2, 2)), (0, 0)):
        with pytest.raises(ValueError, match="angles and others must have the same shape"):
            circular_correlation(np.zeros(one), np.zeros(two))


def test_the_table_of_codes_and_factors_is_spearmans_and_leaves_kinds_out():
    world = Sprites()
    factors = world.sample_factors(2000, torch.Generator().manual_seed(0))
    values = world.values(factors)
    random = np.random.default_rng(0)
    codes = np.stack(
        [
            -(values["x"].numpy() ** 3),
            values["orientation"].numpy() / np.pi,
            values["y"].numpy() + 0.3 * random.standard_normal(2000),
            np.zeros(2000),
        ],
        axis=1,
    )
    table = code_factor_table(codes, values, world)
    assert list(table.columns) == ["scale", "orientation", "x", "y"]
    assert list(table.index) == ["c1", "c2", "c3", "c4"]
    assert table.loc["c1", "x"] == pytest.approx(1)
    assert table.loc["c2", "orientation"] == pytest.approx(1)
    expected = scipy.stats.spearmanr(codes[:, 2], values["y"].numpy()).statistic
    assert table.loc["c3", "y"] == pytest.approx(expected)
    assert table.loc["c1", "scale"] < 0.1
    assert (table.loc["c4"] == 0).all()
