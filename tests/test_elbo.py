"""The two halves of a VAE's bound and the parts of its rate: closed forms, gradients where due, clear errors."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from infogan_helpers.elbo import (
    bernoulli_log_likelihood,
    gaussian_kl,
    gaussian_log_density,
    permute_dimensions,
    rate_parts,
    reparameterise,
)


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_kl_is_that_of_the_normal_distribution_and_zero_at_the_prior():
    mean, log_variance = draws(5, 3), draws(5, 3, seed=1)
    expected = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(torch.zeros(5, 3), torch.ones(5, 3)))
    torch.testing.assert_close(gaussian_kl(mean, log_variance), expected)
    assert gaussian_kl(torch.zeros(2, 3), torch.zeros(2, 3)).tolist() == [[0.0] * 3] * 2


def test_the_kl_pulls_means_to_zero_and_variances_to_one():
    mean, log_variance = draws(4, 2).requires_grad_(), draws(4, 2, seed=1).requires_grad_()
    gaussian_kl(mean, log_variance).sum().backward()
    torch.testing.assert_close(mean.grad, mean.detach())
    torch.testing.assert_close(log_variance.grad, 0.5 * (log_variance.detach().exp() - 1))


def test_a_log_likelihood_is_a_coin_per_pixel():
    pictures = torch.tanh(draws(3, 1, 4, 4))
    images = torch.sign(draws(3, 1, 4, 4, seed=1))
    expected = Bernoulli((pictures + 1) / 2).log_prob((images + 1) / 2).sum((1, 2, 3))
    torch.testing.assert_close(bernoulli_log_likelihood(pictures, images), expected)


def test_a_grey_pixel_leaves_its_entropy():
    grey = torch.full((1, 1, 2, 2), 0.5)
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert bernoulli_log_likelihood(grey, grey).item() == pytest.approx(-4 * entropy, rel=1e-6)
    for other in (0.3, 0.7):
        assert bernoulli_log_likelihood(torch.full_like(grey, other), grey) < -4 * entropy


def test_a_likelihood_teaches_the_pictures():
    pictures, images = torch.zeros(1, 1, 2, 2, requires_grad=True), torch.tensor([[[[1.0, -1.0], [1.0, -1.0]]]])
    bernoulli_log_likelihood(pictures, images).sum().backward()
    assert torch.equal(pictures.grad.sign(), images)


def test_a_draw_of_z_is_of_its_mean_and_spread_and_lets_gradients_through():
    mean, log_variance = torch.full((20_000, 2), 3.0), torch.full((20_000, 2), math.log(4.0))
    mean.requires_grad_(), log_variance.requires_grad_()
    z = reparameterise(mean, log_variance, torch.Generator().manual_seed(0))
    assert z.mean().item() == pytest.approx(3, abs=0.05)
    assert z.std().item() == pytest.approx(2, abs=0.05)
    z.sum().backward()
    assert torch.equal(mean.grad, torch.ones_like(mean))
    torch.testing.assert_close(log_variance.grad, (z.detach() - 3) / 2)
    assert torch.equal(z, reparameterise(mean, log_variance, torch.Generator().manual_seed(0)))


def test_each_dimension_is_permuted_by_itself():
    z = torch.arange(50.0)[:, None].repeat(1, 3)
    apart = permute_dimensions(z, torch.Generator().manual_seed(0))
    assert torch.equal(apart.sort(dim=0).values, z)
    orders = apart.T.tolist()
    assert len({tuple(order) for order in orders}) == 3  # rows would be permuted whole
    assert (apart[:, 0] == apart[:, 1]).float().mean() < 0.2


def test_the_parts_sum_to_the_rate_of_the_draws_whatever_the_count():
    mean, log_variance = draws(64, 3), draws(64, 3, seed=1) - 1
    z = reparameterise(mean, log_variance, torch.Generator().manual_seed(0))
    prior = gaussian_log_density(z, torch.zeros_like(z), torch.zeros_like(z))
    rate = (gaussian_log_density(z, mean, log_variance) - prior).sum(1).mean()
    parts, published = rate_parts(z, mean, log_variance), rate_parts(z, mean, log_variance, count=1000)
    for found in (parts, published):
        torch.testing.assert_close(sum(found), rate)
    assert (published.information - parts.information).item() == pytest.approx(math.log(1000), rel=1e-4)
    moved = published.total_correlation - parts.total_correlation
    assert moved.item() == pytest.approx(2 * math.log(1000), rel=1e-4)


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.9])
def test_parts_of_a_gaussian_are_those_of_the_closed_form(rho):
    """Means from N(0, R) with correlation ρ, σ² = 0.2: z is Gaussian too, and every part is known."""
    variance = 0.2
    root = np.linalg.cholesky([[1, rho], [rho, 1]])
    mean = draws(1500, 2) @ torch.tensor(root, dtype=torch.float32).T
    log_variance = torch.full_like(mean, math.log(variance))
    parts = rate_parts(reparameterise(mean, log_variance, torch.Generator().manual_seed(1)), mean, log_variance)
    covariance = np.array([[1, rho], [rho, 1]]) + variance * np.eye(2)
    together = np.linalg.det(covariance)
    assert parts.information.item() == pytest.approx(0.5 * math.log(together / variance**2), abs=0.1)
    apart = covariance[0, 0] * covariance[1, 1]
    assert parts.total_correlation.item() == pytest.approx(0.5 * math.log(apart / together), abs=0.08)
    each = 0.5 * (covariance[0, 0] - 1 - math.log(covariance[0, 0]))
    assert parts.dimension_wise.item() == pytest.approx(2 * each, abs=0.06)


def test_a_gradient_on_the_total_correlation_pulls_two_latents_apart():
    """Two latents that say the same thing: the total correlation falls along its own gradient."""
    mean = draws(200, 1).repeat(1, 2).requires_grad_()
    log_variance = torch.full((200, 2), -2.0)

    def correlation(means):
        z = reparameterise(means, log_variance, torch.Generator().manual_seed(0))
        return rate_parts(z, means, log_variance).total_correlation

    before = correlation(mean)
    (slope,) = torch.autograd.grad(before, mean)
    assert correlation(mean - 5 * slope) < before - 0.01


def test_shapes_that_disagree_are_refused():
    with pytest.raises(ValueError, match=r"^mean and log_variance must have one shape \(n, latents\), got \(3, 2\)"):
        gaussian_kl(torch.zeros(3, 2), torch.zeros(3))
    with pytest.raises(ValueError, match=r"^mean and log_variance must have one shape"):
        reparameterise(torch.zeros(3), torch.zeros(3))
    with pytest.raises(ValueError, match=r"^pictures and images must have one shape, got \(1, 4\) and \(1, 5\)$"):
        bernoulli_log_likelihood(torch.zeros(1, 4), torch.zeros(1, 5))
    with pytest.raises(ValueError, match=r"^z must have shape \(n, latents\), got \(3,\)$"):
        permute_dimensions(torch.zeros(3))
    with pytest.raises(ValueError, match=r"^z must have the means' shape \(3, 2\), got \(2, 2\)$"):
        rate_parts(torch.zeros(2, 2), torch.zeros(3, 2), torch.zeros(3, 2))
    with pytest.raises(ValueError, match=r"^count must be an integer of at least 1, got 0$"):
        rate_parts(*(torch.zeros(3, 2) for _ in range(3)), count=0)
