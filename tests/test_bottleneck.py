"""The information bottleneck: what a summary keeps and knows, fixed points against brute force, the curve's shape."""

import numpy as np
import pytest

from infogan_helpers.bottleneck import bottleneck, bottleneck_curve, summarise
from infogan_helpers.information import mutual_information

JOINT = np.random.default_rng(0).dirichlet(np.full(3, 0.4), size=6) / 6  # six x, three y
PRICES = (1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 50.0)


def test_x_itself_keeps_its_entropy_and_knows_all_there_is():
    whole = summarise(JOINT, np.eye(6))
    assert whole.kept == pytest.approx(np.log(6))
    assert whole.relevant == pytest.approx(mutual_information(JOINT))
    nothing = summarise(JOINT, np.full((2, 6), 0.5))
    assert (nothing.kept, nothing.relevant) == (pytest.approx(0, abs=1e-12), pytest.approx(0, abs=1e-12))


def test_a_noiseless_summary_keeps_its_own_entropy():
    halves = np.repeat(np.eye(2), 3, axis=1)
    summary = summarise(JOINT, halves)
    assert summary.kept == pytest.approx(np.log(2))
    together = np.stack([JOINT[:3].sum(axis=0), JOINT[3:].sum(axis=0)])
    assert summary.relevant == pytest.approx(mutual_information(together))


def objective(summary, beta):
    return summary.kept - beta * summary.relevant


@pytest.mark.parametrize("beta", [1.5, 3.0, 10.0])
def test_a_fixed_point_is_better_than_all_summaries_beside_it(beta):
    best = bottleneck(JOINT, beta, np.eye(6))
    random = np.random.default_rng(1)
    for _ in range(200):
        moved = best.encoder + 0.05 * random.random(best.encoder.shape)
        assert objective(summarise(JOINT, moved / moved.sum(axis=0)), beta) >= objective(best, beta) - 1e-9


def test_two_symbols_against_brute_force():
    joint = np.array([[0.4, 0.1], [0.15, 0.35]])
    best = bottleneck(joint, 4.0, np.array([[0.9, 0.2], [0.1, 0.8]]))
    grid = np.linspace(0, 1, 201)
    tried = [objective(summarise(joint, np.array([[a, b], [1 - a, 1 - b]])), 4.0) for a in grid for b in grid]
    assert objective(best, 4.0) == pytest.approx(min(tried), abs=1e-4)
    assert objective(best, 4.0) <= min(tried) + 1e-9


def test_the_curve_rises_bends_and_ends_at_all_there_is_to_know():
    curve = bottleneck_curve(JOINT, PRICES)
    kept, relevant = (np.array([getattr(s, name) for s in curve]) for name in ("kept", "relevant"))
    assert (np.diff(kept) >= -1e-9).all()
    assert (np.diff(relevant) >= -1e-9).all()
    assert (relevant <= kept + 1e-12).all()
    slopes = np.diff(relevant)[kept[1:] > kept[:-1] + 1e-6] / np.diff(kept)[kept[1:] > kept[:-1] + 1e-6]
    assert (np.diff(slopes) < 1e-6).all()
    assert curve[0].kept == pytest.approx(0, abs=1e-6)  # at β = 1 nothing is worth its price
    assert relevant[-1] == pytest.approx(mutual_information(JOINT), abs=0.02)
    assert [s.kept for s in bottleneck_curve(JOINT, PRICES[::-1])] == kept[::-1].tolist()


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"^beta must be a number of at least 0, got -1$"):
        bottleneck(JOINT, -1, np.eye(6))
    with pytest.raises(ValueError, match=r"^encoder must have a column per symbol of x"):
        summarise(JOINT, np.eye(5))
    with pytest.raises(ValueError, match=r"^encoder must have columns that sum to 1"):
        summarise(JOINT, 2 * np.eye(6))
    with pytest.raises(ValueError, match=r"^joint must give every x a probability above 0"):
        bottleneck(np.array([[0.5, 0.5], [0.0, 0.0]]), 2.0, np.eye(2))
    with pytest.raises(ValueError, match=r"joint must"):
        summarise(np.array([[0.5, 0.7], [0.0, 0.0]]), np.eye(2))
