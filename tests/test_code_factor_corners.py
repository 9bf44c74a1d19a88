"""Corners of what scores codes: those that say nothing or stay, two rows, one batch, one label, a measure unknown."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from infogan_helpers.disentanglement import dci, mutual_information_gap, sap_score
from infogan_helpers.evaluation import code_accuracy, followed_measures, match_codes_to_labels
from infogan_helpers.interventions import factor_vae_score


def random_factors(n=600, sizes=(4, 3, 5)):
    return np.random.default_rng(0).integers(0, sizes, (n, len(sizes)))


class TwoFactors:
    """A world of two factors that renders their values."""

    def sample_factors(self, n, generator):
        return torch.randint(10, (n, 2), generator=generator)

    def render(self, factors):
        return factors.float()


def test_factor_vae_asks_which_factor_a_code_stands_for_and_not_the_other_way_round():
    def encode(x):  # code 0 says nothing
        return torch.stack([torch.sin(100 * x[:, 0] + 57 * x[:, 1]), x[:, 1], x[:, 0]], dim=1)

    sizes = {"n_train": 60, "n_spread": 500, "progress": False}
    assert factor_vae_score(TwoFactors(), encode, n_test=40, **sizes) == 1.0
    assert factor_vae_score(TwoFactors(), encode, n_test=1, **sizes) == 1.0
    with pytest.raises(ValueError, match=r"^still must be a number of at least 0, got -0\.5"):
        factor_vae_score(TwoFactors(), encode, n_test=1, still=-0.5, **sizes)


def test_a_code_that_stays_explains_nothing_and_costs_nothing():
    factors = random_factors(sizes=(2, 3))
    one = factors[:, :1].astype(float)
    still = np.concatenate([one, np.ones_like(one)], axis=1)
    continuous = sap_score(one, factors, continuous=True)
    assert sap_score(still, factors, continuous=True) == pytest.approx(continuous)


def test_two_rows_are_enough_to_be_counted():
    assert mutual_information_gap([[0.0], [1.0]], [[0], [1]]) == pytest.approx(1.0)


def test_where_no_code_is_of_use_all_weigh_alike():
    factors = random_factors()
    told = dci(np.ones((len(factors), 3)), factors)
    assert (told.disentanglement, told.completeness) == (pytest.approx(0.0, abs=1e-6), pytest.approx(0.0, abs=1e-6))


def test_a_match_is_of_whole_numbers_and_one_label_is_a_label():
    with pytest.raises(ValueError, match=r"^matching must be integers"):
        code_accuracy([0, 1], [0, 1], [0.0, 1.0])
    assert match_codes_to_labels([0, 1, 1], [0, 0, 0], n_codes=2, n_labels=1).tolist() == [-1, 0]


def test_each_code_must_follow_something_and_a_measure_may_be_unknown():
    table = pd.DataFrame({"slant": [0.5, 0.1], "width": [math.nan, math.nan]}, index=["c2", "c3"])
    assert followed_measures(table, ["slant", "width"])["measure"].tolist() == ["slant", "slant"]
    with pytest.raises(ValueError, match=r"^measures must be a list of at least 1"):
        followed_measures(table, [])
