"""The head whose azimuth and light go together."""

import math

import numpy as np
import pytest
import torch

from infogan_helpers.worlds import Faces, LitHead
from infogan_helpers.worlds.correlated import IDENTITY


@pytest.mark.parametrize("correlation", [-0.6, 0.0, 0.5, 0.9])
def test_factors_go_together_and_each_is_even(correlation):
    world = LitHead(correlation)
    factors = world.sample_factors(40_000, torch.Generator().manual_seed(0))
    expected = 6 / math.pi * math.asin(correlation / 2)
    assert np.corrcoef(factors.T.double())[0, 1] == pytest.approx(expected, abs=0.015)
    for column, factor in zip(factors.T, world.factors, strict=True):
        counts = torch.bincount(column, minlength=len(factor.values))
        assert len(counts) == len(factor.values)
        assert (counts / 40_000 * len(counts) - 1).abs().max() < 0.15


def test_a_picture_is_that_of_the_face():
    world, faces = LitHead(0.5, 16), Faces(16)
    assert world.names == ("azimuth", "light")
    factors = torch.tensor([[0, 0], [15, 20], [30, 7]])
    middle = torch.full((3, 1), 10), torch.full((3, 1), 5)
    whole = torch.cat([torch.full((3, 1), IDENTITY), factors[:, :1], middle[0], factors[:, 1:], middle[1]], dim=1)
    torch.testing.assert_close(world.render(factors), faces.render(whole), atol=2e-3, rtol=0)


def test_stored_sets_of_different_worlds_have_different_names():
    stems = {LitHead(x, side).file_stem() for x in (0.0, 0.5, 0.9) for side in (16, 32)}
    assert len(stems) == 6


@pytest.mark.parametrize("correlation", [1, -1, "0.5", None, math.nan])
def test_a_correlation_out_of_range_is_refused(correlation):
    with pytest.raises(ValueError, match=r"^correlation must be a number in \(-1, 1\), got "):
        LitHead(correlation)
