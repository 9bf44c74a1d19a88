"""Channels of known information: the quadrature beside a Monte Carlo estimate of another make, and beside limits."""

import math

import numpy as np
import pytest
import torch

from infogan_helpers.channels import CHANNELS, Channel


def density_of_picture(name, values):
    """p(f(c)) of the clean picture by a histogram of four million codes; nothing here knows the quadrature's grid."""
    codes = np.random.default_rng(0).uniform(-1, 1, (4_000_000, CHANNELS[name].codes))
    counts, edges = np.histogram(CHANNELS[name].picture(codes), bins=values)
    return counts / counts.sum(), (edges[1:] + edges[:-1]) / 2


@pytest.mark.parametrize("name", CHANNELS)
def test_information_agrees_with_the_mean_log_ratio_over_samples(name):
    channel = CHANNELS[name]
    shares, clean = density_of_picture(name, 400)
    codes, x = (part.double().numpy() for part in channel.sample(40_000, torch.Generator().manual_seed(1)))
    log_likelihood = -0.5 * ((x[:, 0] - channel.picture(codes)) / channel.noise) ** 2  # up to a constant, as below
    evidence = np.exp(-0.5 * ((x - clean) / channel.noise) ** 2) @ shares
    ratios = log_likelihood - np.log(evidence)
    error = ratios.std() / math.sqrt(len(ratios))
    assert error < 0.005
    assert channel.information() == pytest.approx(ratios.mean(), abs=4 * error)


@pytest.mark.parametrize("noise", [0.1, 0.15, 0.3])
def test_a_picture_that_is_the_code_itself_knows_what_a_uniform_code_through_noise_does(noise):
    """Where the noise is small, x is as good as uniform, but for its two ends: each adds noise · 0.2816 to H(x) / ½."""
    channel = Channel(1, lambda c: c[:, 0], noise)
    wide = math.log(2) - 0.5 * math.log(2 * math.pi * math.e * noise**2)
    u = np.linspace(-9, 9, 200_001)
    inside = np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in u])  # the density near an end, as a share of ½
    ends = -np.sum(np.where(inside > 0, inside * np.log(np.maximum(inside, 1e-300)), 0)) * (u[1] - u[0]) * noise
    assert channel.information() == pytest.approx(wide + ends, abs=1e-4)


def test_a_code_that_no_picture_shows_is_not_known():
    assert Channel(2, lambda c: 0 * c[:, 0]).information() == pytest.approx(0, abs=1e-6)


def test_finer_noise_tells_more():
    fine, coarse = (CHANNELS["circle"]._replace(noise=noise).information() for noise in (0.1, 0.4))
    assert fine > coarse + 0.5


@pytest.mark.parametrize(("name", "turned"), [("symmetric", [-1.0]), ("circle", [-1.0, 1.0]), ("banana", [-1.0, 1.0])])
def test_codes_that_cannot_be_told_apart_have_the_same_picture(name, turned):
    codes, _ = CHANNELS[name].sample(100, torch.Generator().manual_seed(0))
    torch.testing.assert_close(CHANNELS[name].picture(codes), CHANNELS[name].picture(codes * torch.tensor(turned)))


@pytest.mark.parametrize("name", CHANNELS)
def test_samples_are_codes_in_their_box_and_pictures_of_them_in_noise(name):
    channel = CHANNELS[name]
    codes, x = channel.sample(20_000, torch.Generator().manual_seed(0))
    assert codes.shape == (20_000, channel.codes)
    assert x.shape == (20_000, 1)
    assert codes.abs().max() <= 1
    assert codes.std(dim=0) == pytest.approx([1 / math.sqrt(3)] * channel.codes, abs=0.02)
    assert (x[:, 0] - channel.picture(codes)).std() == pytest.approx(channel.noise, abs=0.005)
    again = channel.sample(20_000, torch.Generator().manual_seed(0))
    assert torch.equal(codes, again[0])
    assert torch.equal(x, again[1])


@pytest.mark.parametrize("n", [0, -1, 1.5, True])
def test_a_sample_has_at_least_one_row(n):
    with pytest.raises(ValueError, match=rf"^n must be an integer of at least 1, got {n!r}$"):
        CHANNELS["symmetric"].sample(n)
