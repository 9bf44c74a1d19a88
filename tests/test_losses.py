"""What Q reads, in nats: values, and gradients, present where due and exactly zero where not."""

import math

import pytest
import torch
import torch.nn.functional as F

from infogan_helpers.codes import Codes, CodeSpec
from infogan_helpers.games import discriminator_loss, generator_loss
from infogan_helpers.information import mutual_information, variational_lower_bound
from infogan_helpers.losses import (
    Nats,
    code_log_likelihood,
    lower_bound,
)
from infogan_helpers.networks import DiscriminatorQ, Generator, MLPDiscriminatorQ, MLPGenerator
from infogan_helpers.posteriors import Posterior

SPEC = CodeSpec((3, 5), 2, 4)
DIGITS = CodeSpec((10,), 0, 4)
LN2, LN10 = math.log(2), math.log(10)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def random_posterior(spec, n, seed=1, dtype=torch.float32):
    generator = seeded(seed)
    draw = lambda columns: torch.randn(n, columns, generator=generator, dtype=dtype).requires_grad_()  # noqa: E731
    return Posterior(tuple(draw(k) for k in spec.categorical), draw(spec.continuous), draw(spec.continuous))


def categorical_posterior(logits):
    return Posterior((logits,), logits.new_zeros(len(logits), 0), logits.new_zeros(len(logits), 0))


def categorical_codes(classes, dtype=torch.float32):
    n = len(classes)
    return Codes(torch.zeros(n, 4, dtype=dtype), classes.reshape(n, 1), torch.zeros(n, 0, dtype=dtype))


def gaussian(mean, log_variance, values):
    """One continuous code: its spec, Q's posterior and the codes."""
    values = torch.as_tensor(values, dtype=torch.float64).reshape(-1, 1)
    mean = torch.as_tensor(mean, dtype=torch.float64).expand(values.shape)
    log_variance = torch.as_tensor(log_variance, dtype=torch.float64).expand(values.shape)
    codes = Codes(torch.zeros(len(values), 4), torch.zeros(len(values), 0, dtype=torch.long), values)
    return CodeSpec((), 1, 4), Posterior((), mean, log_variance), codes


# the likelihood of the codes


def test_likelihood_equals_softmax_and_gaussian_summed_over_codes():
    codes, posterior = SPEC.sample(6, seeded()), random_posterior(SPEC, 6)
    likelihood = code_log_likelihood(posterior, codes)
    assert likelihood.categorical.shape == likelihood.continuous.shape == (6,)
    for row in range(6):
        categorical = sum(
            torch.softmax(logits[row], 0)[codes.categorical[row, i]].log().item()
            for i, logits in enumerate(posterior.categorical_logits)
        )
        continuous = sum(
            -0.5 * math.log(2 * math.pi * math.exp(log_variance)) - (value - mean) ** 2 / (2 * math.exp(log_variance))
            for value, mean, log_variance in zip(
                codes.continuous[row].tolist(),
                posterior.mean[row].tolist(),
                posterior.log_variance[row].tolist(),
                strict=True,
            )
        )
        assert likelihood.categorical[row].item() == pytest.approx(categorical, abs=1e-5)
        assert likelihood.continuous[row].item() == pytest.approx(continuous, abs=1e-5)
        assert likelihood.total[row].item() == pytest.approx(categorical + continuous, abs=1e-5)


def test_likelihood_equals_torchs_distributions():
    codes, posterior = SPEC.sample(50, seeded()), random_posterior(SPEC, 50)
    normal = torch.distributions.Normal(posterior.mean, (0.5 * posterior.log_variance).exp())
    likelihood = code_log_likelihood(posterior, codes)
    torch.testing.assert_close(likelihood.continuous, normal.log_prob(codes.continuous).sum(dim=1))
    categorical = [torch.distributions.Categorical(logits=x) for x in posterior.categorical_logits]
    expected = sum(q.log_prob(codes.categorical[:, i]) for i, q in enumerate(categorical))
    torch.testing.assert_close(likelihood.categorical, expected)


def test_likelihood_of_a_density_may_be_positive():
    _, posterior, codes = gaussian(0.5, math.log(0.01), [0.5])
    assert code_log_likelihood(posterior, codes).continuous.item() == pytest.approx(
        -0.5 * math.log(2 * math.pi * 0.01), abs=1e-12
    )


def test_likelihood_is_finite_at_extreme_logits():
    logits = torch.tensor([[1000.0, -1000.0], [1000.0, -1000.0]], requires_grad=True)
    likelihood = code_log_likelihood(categorical_posterior(logits), categorical_codes(torch.tensor([0, 1])))
    assert likelihood.categorical.tolist() == [0.0, -2000.0]
    likelihood.categorical.sum().backward()
    assert logits.grad.tolist() == [[0.0, 0.0], [-1.0, 1.0]]


def test_likelihood_does_not_depend_on_the_noise():
    codes, posterior = SPEC.sample(6, seeded()), random_posterior(SPEC, 6)
    other = codes.replace(noise=torch.randn(6, 9))
    assert torch.equal(code_log_likelihood(posterior, codes).total, code_log_likelihood(posterior, other).total)


@pytest.mark.parametrize("dtype", [torch.int32, torch.uint8])
def test_likelihood_takes_narrow_integers(dtype):
    codes, posterior = SPEC.sample(6, seeded()), random_posterior(SPEC, 6)
    narrow = codes.replace(categorical=codes.categorical.to(dtype))
    assert torch.equal(code_log_likelihood(posterior, narrow).total, code_log_likelihood(posterior, codes).total)


# the bound


def test_bound_is_the_mean_likelihood_plus_the_entropy():
    codes, posterior = SPEC.sample(40, seeded()), random_posterior(SPEC, 40)
    bound, likelihood = lower_bound(posterior, codes, SPEC), code_log_likelihood(posterior, codes)
    categorical = likelihood.categorical.mean().item() + math.log(3) + math.log(5)
    continuous = likelihood.continuous.mean().item() + 2 * LN2
    assert bound.categorical.item() == pytest.approx(categorical, abs=1e-6)
    assert bound.continuous.item() == pytest.approx(continuous, abs=1e-6)
    assert bound.total.item() == pytest.approx(categorical + continuous, abs=1e-5)
    assert bound.categorical.shape == bound.continuous.shape == bound.total.shape == ()


def test_bound_of_a_q_that_shrugs_is_zero():
    codes = DIGITS.sample(64, seeded())
    assert lower_bound(categorical_posterior(torch.zeros(64, 10)), codes, DIGITS).total.item() == pytest.approx(
        0, abs=1e-6
    )


def test_bound_of_a_perfect_q_reaches_log_ten_and_stops():
    codes = DIGITS.sample(64, seeded())
    perfect = 1000.0 * F.one_hot(codes.categorical[:, 0], 10)
    assert lower_bound(categorical_posterior(perfect), codes, DIGITS).categorical.item() == pytest.approx(
        LN10, abs=1e-6
    )


def test_softmax_twice_never_passes_0_841_nat():
    codes = DIGITS.sample(64, seeded())
    for logit in (0.0, 1.0, 10.0, 1000.0):
        squashed = torch.softmax(logit * F.one_hot(codes.categorical[:, 0], 10), dim=1)
        assert lower_bound(categorical_posterior(squashed), codes, DIGITS).categorical.item() < 0.8415
    ceiling = LN10 + 1 - math.log(math.e + 9)
    assert lower_bound(categorical_posterior(squashed), codes, DIGITS).categorical.item() == pytest.approx(
        ceiling, abs=1e-5
    )
    assert round(ceiling, 3) == 0.841


def test_bound_counts_every_categorical_code():
    spec = CodeSpec((10, 10, 4), 0, 4)
    codes = spec.sample(32, seeded())
    logits = tuple(1000.0 * F.one_hot(codes.categorical[:, i], k) for i, k in enumerate(spec.categorical))
    perfect = lower_bound(Posterior(logits, torch.zeros(32, 0), torch.zeros(32, 0)), codes, spec)
    assert perfect.categorical.item() == pytest.approx(2 * LN10 + math.log(4), abs=1e-5)
    blind = lower_bound(Posterior((*logits[:2], torch.zeros(32, 4)), *[torch.zeros(32, 0)] * 2), codes, spec)
    assert blind.categorical.item() == pytest.approx(2 * LN10, abs=1e-5)


@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 1e-6), (torch.float64, 1e-12)])
def test_bound_on_every_code_of_a_channel_equals_the_sum_over_it(dtype, error):
    # Ten equally likely codes, ten symbols: all hundred pairs, each as often as the channel (of hundredths) says.
    times = torch.full((10, 10), 2) + 80 * torch.eye(10, dtype=torch.long)
    pairs = torch.cartesian_prod(torch.arange(10), torch.arange(10)).repeat_interleave(times.flatten(), dim=0)
    classes, symbols = pairs.T
    joint = times.double() / times.sum()
    table = torch.randn(10, 10, generator=seeded(), dtype=torch.float64).to(dtype)  # row x: the logits of Q(c | x)
    posteriors = {
        "random": table,
        "exact": (joint / joint.sum(dim=0)).T.log().to(dtype),
        "sure": torch.log(torch.eye(10, dtype=torch.float64) * 0.999 + 0.0001).to(dtype),
    }
    for logits in posteriors.values():
        q = torch.softmax(logits.double(), dim=1).T
        codes = categorical_codes(classes, dtype)
        bound = lower_bound(categorical_posterior(logits[symbols]), codes, DIGITS).categorical
        assert bound.dtype == dtype
        assert bound.item() == pytest.approx(variational_lower_bound(joint, q), rel=0, abs=error)
    exact = lower_bound(categorical_posterior(posteriors["exact"][symbols]), codes, DIGITS).categorical
    assert exact.item() == pytest.approx(mutual_information(joint), rel=0, abs=error)


def test_fixed_variance_makes_the_bound_vacuous_even_for_a_perfect_mean():
    spec, posterior, codes = gaussian([[-0.3], [0.8]], 0.0, [-0.3, 0.8])
    ceiling = LN2 - 0.5 * math.log(2 * math.pi)
    assert round(ceiling, 3) == -0.226
    assert lower_bound(posterior, codes, spec).continuous.item() == pytest.approx(ceiling, abs=1e-12)
    two = CodeSpec((), 2, 4)
    codes = two.sample(16, seeded())
    perfect = Posterior((), codes.continuous, torch.zeros(16, 2))
    assert lower_bound(perfect, codes, two).continuous.item() == pytest.approx(2 * ceiling, abs=1e-6)


def test_fixed_variance_is_half_the_squared_error_below_its_ceiling():
    spec, posterior, codes = gaussian(0.0, 0.0, [-1.0, 0.5, 0.25])
    mse = (1 + 0.25 + 0.0625) / 3
    expected = LN2 - 0.5 * math.log(2 * math.pi) - mse / 2
    assert lower_bound(posterior, codes, spec).continuous.item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("sigma", "nats"), [(0.3, 0.48), (0.1, 1.58), (0.484, 0.0)])
def test_learned_variance_makes_the_bound_informative(sigma, nats):
    # Residuals of exactly that size: half above the mean, half below.
    spec, posterior, codes = gaussian(0.2, 2 * math.log(sigma), [0.2 + sigma, 0.2 - sigma])
    bound = lower_bound(posterior, codes, spec).continuous.item()
    assert bound == pytest.approx(LN2 - 0.5 * math.log(2 * math.pi) - math.log(sigma) - 0.5, abs=1e-12)
    assert bound == pytest.approx(nats, abs=0.005)


def test_bound_uses_the_entropy_of_a_normal_prior():
    spec, posterior, codes = gaussian(0.0, 0.0, [1.0, -1.0])
    spec = CodeSpec((), 1, 4, "normal")
    assert lower_bound(posterior, codes, spec).continuous.item() == pytest.approx(0, abs=1e-12)  # Q is the prior


def test_the_best_variance_is_the_mean_squared_error():
    _, _, codes = gaussian(0.0, 0.0, [0.3, -0.3, 0.1, -0.1])
    log_variance = torch.tensor(math.log(0.05), dtype=torch.float64, requires_grad=True)
    posterior = Posterior((), torch.zeros(4, 1, dtype=torch.float64), log_variance.expand(4, 1))
    lower_bound(posterior, codes, CodeSpec((), 1, 4)).total.backward()
    assert log_variance.grad.item() == pytest.approx(0, abs=1e-12)


# a kind of code that is absent


def test_without_continuous_codes_that_part_is_zero_and_the_total_still_trains():
    codes = DIGITS.sample(8, seeded())
    logits = torch.randn(8, 10, generator=seeded(1)).requires_grad_()
    likelihood = code_log_likelihood(categorical_posterior(logits), codes)
    bound = lower_bound(categorical_posterior(logits), codes, DIGITS)
    assert likelihood.continuous.tolist() == [0.0] * 8
    assert bound.continuous.item() == 0
    assert bound.total.item() == bound.categorical.item()
    bound.total.backward()
    assert logits.grad.abs().sum() > 0


def test_without_categorical_codes_that_part_is_zero_and_the_total_still_trains():
    spec = CodeSpec((), 2, 4)
    codes, posterior = spec.sample(8, seeded()), random_posterior(spec, 8)
    likelihood, bound = code_log_likelihood(posterior, codes), lower_bound(posterior, codes, spec)
    assert likelihood.categorical.tolist() == [0.0] * 8
    assert bound.categorical.item() == 0
    assert bound.total.item() == bound.continuous.item()
    bound.total.backward()
    assert posterior.mean.grad.abs().sum() > 0
    assert posterior.log_variance.grad.abs().sum() > 0


def test_total_is_the_sum_of_both_parts():
    assert Nats(torch.tensor(1.5), torch.tensor(-0.25)).total.item() == 1.25


# gradients, network by network


NETWORKS = [(Generator, DiscriminatorQ), (MLPGenerator, MLPDiscriminatorQ)]


def make(networks):
    torch.manual_seed(0)
    generator, reader = (network(SPEC, (1, 8, 8), width=0.1) for network in networks)
    return generator, reader, SPEC.sample(16, seeded())


def received(module):
    """For each parameter, whether any gradient reached it."""
    return [p.grad is not None and bool(p.grad.abs().sum() > 0) for p in module.parameters()]


@pytest.mark.parametrize("networks", NETWORKS)
@pytest.mark.parametrize("part", ["categorical", "continuous", "total"])
def test_information_trains_generator_trunk_and_q_and_never_the_real_head(networks, part):
    generator, reader, codes = make(networks)
    _, posterior = reader(generator(codes))
    getattr(lower_bound(posterior, codes, SPEC), part).neg().backward()
    assert not any(received(reader.real_head))
    weights = [p.grad.abs().sum() > 0 for p in [*generator.parameters(), *reader.trunk.parameters()] if p.ndim > 1]
    assert all(weights)
    assert all(received(reader.q_head.categorical)) == (part != "continuous")
    assert all(received(reader.q_head.mean)) == (part != "categorical")
    assert all(received(reader.q_head.raw_log_variance)) == (part != "categorical")


@pytest.mark.parametrize("networks", NETWORKS)
def test_generator_loss_trains_the_generator_and_never_q(networks):
    generator, reader, codes = make(networks)
    logit, _ = reader(generator(codes))
    generator_loss(logit).backward()
    assert all(p.grad.abs().sum() > 0 for p in generator.parameters() if p.ndim > 1)
    assert not any(received(reader.q_head))


@pytest.mark.parametrize("networks", NETWORKS)
def test_discriminator_loss_trains_trunk_and_real_head_and_never_q_or_a_detached_generator(networks):
    generator, reader, codes = make(networks)
    real = torch.rand(16, 1, 8, 8) * 2 - 1
    discriminator_loss(reader(real)[0], reader(generator(codes).detach())[0]).backward()
    assert not any(received(generator))
    assert not any(received(reader.q_head))
    assert received(reader.real_head)[0]
    assert all(p.grad.abs().sum() > 0 for p in reader.trunk.parameters() if p.ndim > 1)


def test_information_on_detached_images_trains_q_and_leaves_the_generator_alone():
    generator, reader, codes = make(NETWORKS[0])
    _, posterior = reader(generator(codes).detach())
    lower_bound(posterior, codes, SPEC).total.neg().backward()
    assert not any(received(generator))
    assert all(received(reader.q_head.mean))


def test_entropy_adds_to_the_report_and_not_to_the_gradient():
    codes, posterior = SPEC.sample(6, seeded()), random_posterior(SPEC, 6)
    leaves = [*posterior.categorical_logits, posterior.mean, posterior.log_variance]
    bound, likelihood = lower_bound(posterior, codes, SPEC).total, code_log_likelihood(posterior, codes).total.mean()
    for a, b in zip(torch.autograd.grad(bound, leaves), torch.autograd.grad(likelihood, leaves), strict=True):
        torch.testing.assert_close(a, b)


def test_climbing_the_bound_makes_q_read_the_codes():
    codes = DIGITS.sample(64, seeded())
    logits = torch.zeros(64, 10, requires_grad=True)
    lower_bound(categorical_posterior(logits), codes, DIGITS).total.backward()
    assert torch.equal(logits.grad.argmax(dim=1), codes.categorical[:, 0])


# what is refused


@pytest.mark.parametrize("function", [code_log_likelihood, lambda p, c: lower_bound(p, c, SPEC)])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mean": torch.zeros(5, 2)}, r"posterior.mean must have shape \(6, 2\), got \(5, 2\)"),
        ({"mean": torch.zeros(6, 1)}, r"posterior.mean must have shape \(6, 2\), got \(6, 1\)"),
        ({"mean": torch.zeros(2)}, r"posterior.mean must have shape \(6, 2\), got \(2,\)"),
        ({"log_variance": torch.zeros(6, 1)}, r"posterior.log_variance must have shape \(6, 2\), got \(6, 1\)"),
        ({"log_variance": torch.zeros(())}, r"posterior.log_variance must have shape \(6, 2\), got \(\)"),
        (
            {"categorical_logits": (torch.zeros(6, 3), torch.zeros(1, 5))},
            r"posterior.categorical_logits\[1\] must have shape \(6, classes\), got \(1, 5\)",
        ),
    ],
)
def test_a_posterior_of_another_shape_is_refused(function, change, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        function(random_posterior(SPEC, 6)._replace(**change), SPEC.sample(6, seeded()))


def test_likelihood_needs_one_tensor_of_logits_per_code():
    posterior = random_posterior(SPEC, 6)._replace(categorical_logits=(torch.zeros(6, 3),))
    with pytest.raises(ValueError, match=r"^posterior.categorical_logits must have one tensor per code \(2\), got 1"):
        code_log_likelihood(posterior, SPEC.sample(6, seeded()))


@pytest.mark.parametrize("wrong", [3, -1, 100])
def test_a_class_outside_its_code_is_refused(wrong):
    codes = SPEC.sample(6, seeded())
    classes = codes.categorical.clone()
    classes[4, 0] = wrong
    codes = codes.replace(categorical=classes)
    for function in (code_log_likelihood, lambda p, c: lower_bound(p, c, SPEC)):
        with pytest.raises(ValueError, match=rf"^codes.categorical must lie in \[0, 3\) in column 0, got {wrong}"):
            function(random_posterior(SPEC, 6), codes)


def test_bound_needs_a_posterior_with_the_specs_classes():
    posterior = random_posterior(CodeSpec((3, 6), 2, 4), 6)
    with pytest.raises(ValueError, match=r"must have the spec's classes \(3, 5\), got \(3, 6\)"):
        lower_bound(posterior, SPEC.sample(6, seeded()), SPEC)


def test_bound_needs_codes_of_its_spec():
    posterior, codes = random_posterior(SPEC, 6), SPEC.sample(6, seeded())
    with pytest.raises(ValueError, match=r"codes.categorical must have 1 columns, one per code, got 2"):
        lower_bound(posterior, codes, CodeSpec((3,), 2, 4))
    with pytest.raises(ValueError, match=r"codes.continuous must have 3 columns, one per code, got 2"):
        lower_bound(posterior, codes, CodeSpec((3, 5), 3, 4))


def test_bound_of_no_codes_is_refused_instead_of_nan():
    with pytest.raises(ValueError, match=r"^codes must have at least one row to average over, got none"):
        lower_bound(random_posterior(SPEC, 0), SPEC.sample(6, seeded())[:0], SPEC)
