"""VAE, FactorVAE, β-TCVAE, ControlVAE, and InfoGAN under the same controller: steps, gradients, resume, errors."""

import copy
import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from small_runs import Stop, assert_same_state, ctrl_c, same, some_images

from infogan_helpers.codes import CodeSpec
from infogan_helpers.elbo import bernoulli_log_likelihood, gaussian_kl, permute_dimensions, rate_parts, reparameterise
from infogan_helpers.evaluation import encode_images
from infogan_helpers.methods import beta_tcvae, control_infogan, control_vae, factor_vae, infogan, vae
from infogan_helpers.networks import count_parameters
from infogan_helpers.schedules import Ramp

SHAPE = (1, 8, 8)
N = 16
SMALL = {"steps": 12, "batch_size": N, "latents": 3, "width": 0.1, "sample_every": 5, "checkpoint_every": 5, "seed": 3}
VAE = vae.Config(**SMALL)
FACTOR = factor_vae.Config(**SMALL, critic_units=16, critic_layers=2)
TC = beta_tcvae.Config(**SMALL)
CONTROL = control_vae.Config(**SMALL)
METHODS = {"vae": (vae, VAE), "factor": (factor_vae, FACTOR), "tc": (beta_tcvae, TC), "control": (control_vae, CONTROL)}
OPTIONS = {"device": "cpu", "progress": False}


def real(n=N):
    return some_images(n, SHAPE).float() / 127.5 - 1


def a_step(method, config, done=0.0, change=None):
    """``(players before, players after, metrics)``; ``change(players)`` may touch them first."""
    torch.manual_seed(0)
    players = method.METHOD.make(config.spec, SHAPE, config)
    if change is not None:
        change(players)
    before = copy.deepcopy(players)
    metrics = method.train_step(players, real(), config.spec, config, torch.Generator().manual_seed(5), done)
    return before, players, metrics


def halves(players):
    """``(distortion, rate, mean, log_variance, z)`` of the step's batch, by hand."""
    mean, log_variance = players.encoder(real())
    z = reparameterise(mean, log_variance, torch.Generator().manual_seed(5))
    distortion = -bernoulli_log_likelihood(players.decoder(z), real()).mean()
    return distortion, gaussian_kl(mean, log_variance).sum(1).mean(), mean, log_variance, z


def assert_followed(before, after, loss, parts, rate=1e-3):
    """Adam's first step is the rate times the sign of the loss's gradient; weights it hardly touches may differ."""
    for part in parts:
        old, new = (list(getattr(players, part).parameters()) for players in (before, after))
        gradients = torch.autograd.grad(loss, old, retain_graph=True)
        for p, q, gradient in zip(old, new, gradients, strict=True):
            clear = gradient.abs() > 1e-5
            expected = rate * gradient.sign()
            torch.testing.assert_close((p - q)[clear], expected[clear], rtol=0.02, atol=1e-6)


BOTH = ("encoder", "decoder")


@pytest.mark.parametrize(("beta", "capacity"), [(1.0, 0.0), (4.0, 0.0), (4.0, 50.0)])
def test_a_vae_step_follows_its_bound_to_the_capacity_and_no_further(beta, capacity):
    before, after, metrics = a_step(vae, replace(VAE, beta=beta, capacity=capacity))
    distortion, rate, *_ = halves(before)
    sign = 1 if capacity == 0 else -1
    assert_followed(before, after, distortion + sign * beta * rate, BOTH)
    assert metrics.elbo.item() == pytest.approx(-(distortion + rate).item(), rel=1e-5)
    assert (metrics.rate.item(), metrics.beta.item()) == (pytest.approx(rate.item(), rel=1e-5), beta)
    assert math.isnan(metrics.total_correlation)


@pytest.mark.parametrize(("name", "beta"), [("vae", 1.0), ("factor", 10.0), ("tc", 6.0), ("control", None)])
def test_each_step_measures_the_bound_and_its_halves(name, beta):
    before, _, metrics = a_step(*METHODS[name])
    distortion, rate, *_ = (x.item() for x in halves(before)[:2])
    measured = (metrics.elbo.item(), metrics.distortion.item(), metrics.rate.item())
    assert measured == pytest.approx((-distortion - rate, distortion, rate), rel=1e-5)
    assert beta is None or metrics.beta == beta


def test_beta_and_capacity_may_change_over_the_run():
    ramped = replace(VAE, beta=Ramp(0.0, 0.5, 0.0, 8.0), capacity=Ramp(0.0, 1.0, 0.0, 10.0))
    still = replace(VAE, beta=4.0, capacity=2.5)
    assert same(*(a_step(vae, config, done=0.25)[1].decoder.parameters() for config in (ramped, still)))


def test_a_factor_vae_step_follows_the_critic_and_the_critic_the_permuted_latents():
    config = replace(FACTOR, gamma=7.0)
    before, after, metrics = a_step(factor_vae, config)
    distortion, rate, mean, _, z = halves(before)
    correlation = before.critic(z).mean()
    assert_followed(before, after, distortion + rate + 7 * correlation, BOTH)
    random = torch.Generator().manual_seed(5)
    torch.randn(mean.shape, generator=random)  # what z took
    apart = permute_dimensions(z.detach(), random)
    loss = F.softplus(-before.critic(z.detach())).mean() + F.softplus(before.critic(apart)).mean()
    assert_followed(before, after, loss, ("critic",), rate=config.learning_rate_critic)
    assert metrics.total_correlation.item() == pytest.approx(correlation.item(), rel=1e-4, abs=1e-6)


def test_a_critic_has_the_published_layers_and_one_answer():
    critic = factor_vae.METHOD.make(FACTOR.spec, SHAPE, replace(FACTOR, critic_layers=3)).critic
    told = [layer.out_features if hasattr(layer, "out_features") else layer.negative_slope for layer in critic]
    assert told == [16, 0.2, 16, 0.2, 16, 0.2, 1]


def test_without_weight_on_the_total_correlation_a_factor_vae_is_a_vae_beside_a_critic():
    _, ours, _ = a_step(factor_vae, replace(FACTOR, gamma=0.0))
    _, theirs, _ = a_step(vae, VAE)
    for part in BOTH:
        assert same(getattr(ours, part).parameters(), getattr(theirs, part).parameters())


def test_a_critic_learns_the_total_correlation_of_latents_that_belong_together():
    """Two latents with correlation 0.9: the mean logit comes near ½ log(1 / (1 - ρ²)) = 0.83 nats."""
    config = factor_vae.Config(**SMALL | {"latents": 2}, critic_units=32, critic_layers=2)
    players = factor_vae.METHOD.make(config.spec, SHAPE, config)
    optimizer = torch.optim.Adam(players.critic.parameters(), 3e-3)
    random = torch.Generator().manual_seed(0)

    def together(n):
        noise = torch.randn(n, 2, generator=random)
        return torch.stack([noise[:, 0], 0.9 * noise[:, 0] + math.sqrt(1 - 0.81) * noise[:, 1]], dim=1)

    for _ in range(400):
        z = together(256)
        apart = permute_dimensions(z, random)
        loss = F.softplus(-players.critic(z)).mean() + F.softplus(players.critic(apart)).mean()
        optimizer.zero_grad(), loss.backward(), optimizer.step()
    assert players.critic(together(4000)).mean().item() == pytest.approx(0.5 * math.log(1 / 0.19), abs=0.15)


def test_a_beta_tcvae_step_weighs_one_part_of_three():
    before, after, metrics = a_step(beta_tcvae, replace(TC, beta=5.0))
    distortion, _, mean, log_variance, z = halves(before)
    parts = rate_parts(z, mean, log_variance)
    loss = distortion + parts.information + 5 * parts.total_correlation + parts.dimension_wise
    assert_followed(before, after, loss, BOTH)
    assert metrics.total_correlation.item() == pytest.approx(parts.total_correlation.item(), abs=1e-4)
    published = rate_parts(z, mean, log_variance, count=60_000)  # the size of the data set moves no weight
    loss = distortion + published.information + 5 * published.total_correlation + published.dimension_wise
    assert_followed(before, after, loss, BOTH)


def test_a_controller_with_no_gain_is_a_vae_with_a_beta_that_stays():
    _, ours, metrics = a_step(control_vae, replace(CONTROL, gain=0.0, proportional=0.0, least_beta=4.0))
    _, theirs, _ = a_step(vae, replace(VAE, beta=4.0))
    for part in BOTH:
        assert same(getattr(ours, part).parameters(), getattr(theirs, part).parameters())
    assert metrics.beta.item() == 4.0


def test_a_rate_above_its_set_point_raises_beta_at_once():
    """The step is that of the β which the controller finds first, as the authors' is."""
    config = replace(CONTROL, set_point=0.0, gain=0.5)
    before, after, metrics = a_step(control_vae, config)
    distortion, rate, *_ = halves(before)
    beta = 1 + 0.01 * torch.sigmoid(rate) + 0.5 * rate
    assert metrics.beta.item() == pytest.approx(beta.item(), rel=1e-5)
    assert_followed(before, after, distortion + beta.detach() * rate, BOTH)
    assert after.integral.item() == pytest.approx(0.5 * rate.item(), rel=1e-5)
    assert before.integral.item() == 0


def test_a_controlled_vae_holds_its_rate():
    """Stripes that lie in 8 places hold log 8 = 2.08 nats and more is there for z to say: 1.5 are asked for."""
    images = torch.zeros(64, *SHAPE, dtype=torch.uint8)
    for row in range(64):
        images[row, :, row % 8] = 255
    config = control_vae.Config(
        **SMALL | {"steps": 600, "width": 0.2},
        set_point=Ramp(0.0, 0.3, 0.3, 1.5),
        proportional=1.0,
        gain=0.2,
        learning_rate=3e-3,
    )
    rates = torch.tensor(control_vae.fit(images, config, **OPTIONS).history.rate)
    assert rates[-200:].mean().item() == pytest.approx(1.5, rel=0.1)


# --- whole runs


@pytest.mark.parametrize("name", METHODS)
def test_a_run_resumes_bit_for_bit(name, tmp_path):
    method, config = METHODS[name]
    images = some_images(40, SHAPE)
    whole = method.fit(images, config, checkpoint=tmp_path / "whole.safetensors", **OPTIONS)
    file = tmp_path / "run.safetensors"
    part = method.fit(images, config, checkpoint=file, callback=Stop(5, ctrl_c), **OPTIONS)
    assert part.interrupted
    again = method.fit(images, config, checkpoint=file, **OPTIONS)
    assert_same_state(file, tmp_path / "whole.safetensors")
    assert len(again.history.elbo) == 12
    for network in BOTH:
        states = (getattr(result, network).state_dict().values() for result in (again, whole))
        assert same(*states)
        assert not getattr(whole, network).training


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("architecture", ["conv", "mlp", "deep"])
def test_what_was_trained_reads_and_draws(name, architecture):
    method, config = METHODS[name]
    images = some_images(40, SHAPE)
    result = method.fit(images, replace(config, steps=2, architecture=architecture), **OPTIONS)
    mean, log_variance = result.encoder(real())
    assert mean.shape == log_variance.shape == (N, 3)
    drawn = result.decoder(mean)
    assert drawn.shape == (N, *SHAPE)
    assert drawn.abs().max() <= 1
    whole, _ = encode_images(result.encoder, images, batch_size=7)
    torch.testing.assert_close(whole, encode_images(result.encoder, images)[0])
    assert result.history.samples[-1].shape[1:] == SHAPE


def test_a_vae_learns_to_draw_what_it_reads():
    images = torch.zeros(64, *SHAPE, dtype=torch.uint8)
    for row in range(64):
        images[row, :, row % 8] = 255
    result = vae.fit(images, vae.Config(**SMALL | {"steps": 600, "width": 0.2}, learning_rate=3e-3), **OPTIONS)
    mean, _ = encode_images(result.encoder, images)
    brightest = result.decoder(mean)[:, 0].sum(2).argmax(1)
    assert (brightest == torch.arange(64) % 8).float().mean() > 0.5  # chance is 1 / 8
    assert result.history.elbo[-1] > result.history.elbo[0] + 10


def test_networks_are_those_of_infogan():
    players = vae.METHOD.make(VAE.spec, SHAPE, VAE)
    theirs = infogan.METHOD.make(VAE.spec, SHAPE, infogan.Config(width=0.1))
    assert count_parameters(players.decoder) == count_parameters(theirs.generator)
    dq = theirs.discriminator_q
    assert count_parameters(players.encoder) == count_parameters(dq) - count_parameters(dq.real_head)


@pytest.mark.parametrize(
    ("make", "field", "value"),
    [
        (vae.Config, "beta", -1), (vae.Config, "capacity", -1), (vae.Config, "latents", 0),
        (vae.Config, "learning_rate", 0), (vae.Config, "betas", (1, 2)), (vae.Config, "architecture", "mirrored"),
        (vae.Config, "norm", "spectral"), (vae.Config, "width", 0), (factor_vae.Config, "gamma", "big"),
        (factor_vae.Config, "learning_rate_critic", 0), (factor_vae.Config, "critic_units", 0),
        (factor_vae.Config, "critic_layers", 0), (beta_tcvae.Config, "beta", None),
        (control_vae.Config, "set_point", -1), (control_vae.Config, "gain", -1),
        (control_vae.Config, "proportional", -1), (control_vae.Config, "least_beta", -1),
        (control_infogan.Config, "set_point", -1), (control_infogan.Config, "gain", -1),
    ],
)  # fmt: skip
def test_configs_name_their_fields(make, field, value):
    with pytest.raises(ValueError, match=rf"^{field} must "):
        make(**{field: value})


def test_a_run_that_diverges_names_its_step_and_the_likely_cause():
    with pytest.raises(FloatingPointError, match=r"^step \d+: .* learning_rate=1e\+30 is too high"):
        vae.fit(some_images(40, SHAPE), replace(VAE, learning_rate=1e30, beta=1.0), **OPTIONS)
    assert "beta=500 is too high" in replace(VAE, beta=Ramp(0.0, 1.0, 1.0, 500.0)).likely_cause()


def test_an_encoder_refuses_images_of_another_shape():
    players = vae.METHOD.make(VAE.spec, SHAPE, VAE)
    with pytest.raises(ValueError, match=r"^images must have shape"):
        players.encoder(torch.zeros(2, 1, 9, 9))
    with pytest.raises(ValueError, match=r"^images must have shape \(n, …\) with n of at least 1, got"):
        encode_images(players.encoder, some_images(0, SHAPE))


# --- InfoGAN under the controller

SPEC = CodeSpec((3,), 1, 4, circular=1)
HELD = control_infogan.Config(**{name: x for name, x in SMALL.items() if name != "latents"})


def an_infogan_step(method, config):
    torch.manual_seed(0)
    players = method.METHOD.make(SPEC, SHAPE, config)
    return players, method.train_step(players, real(), SPEC, config, torch.Generator().manual_seed(5))


@pytest.mark.parametrize("changes", [{}, {"information_trains_trunk": True}, {"game": "r1", "norm": "none"}])
def test_without_gains_the_weight_is_the_smallest_and_the_step_infogans(changes):
    still = replace(HELD, gain=0.0, proportional=0.0, lambda_categorical=0.7, **changes)
    ours, metrics = an_infogan_step(control_infogan, still)
    shared = {name: getattr(still, name) for name in infogan.Config.__dataclass_fields__}
    theirs, plain = an_infogan_step(infogan, infogan.Config(**shared))
    for network in ("generator", "discriminator_q"):
        assert same(getattr(ours, network).parameters(), getattr(theirs, network).parameters())
    assert metrics[:-1] == plain
    assert metrics.lambda_categorical.item() == pytest.approx(0.7)


def test_too_little_read_raises_lambda_and_too_much_lowers_it():
    low, high = (an_infogan_step(control_infogan, replace(HELD, set_point=x, gain=1.0)) for x in (0.0, 1.0))
    bound = high[1].bound_categorical.item()
    assert high[1].lambda_categorical.item() == pytest.approx(
        (1 - bound) + 0.1 / (1 + math.exp(bound - 1)), rel=1e-4
    )  # λ is 0 and more, as bound is below 1
    assert high[1].lambda_categorical > low[1].lambda_categorical


def test_a_controlled_infogan_resumes_bit_for_bit(tmp_path):
    images, file = some_images(40, SHAPE), tmp_path / "run.safetensors"
    control_infogan.fit(images, SPEC, HELD, checkpoint=tmp_path / "whole.safetensors", **OPTIONS)
    assert control_infogan.fit(images, SPEC, HELD, checkpoint=file, callback=Stop(5, ctrl_c), **OPTIONS).interrupted
    control_infogan.fit(images, SPEC, HELD, checkpoint=file, **OPTIONS)
    assert_same_state(file, tmp_path / "whole.safetensors")


def test_there_must_be_classes_to_hold():
    with pytest.raises(ValueError, match=r"^spec must have a categorical code whose L_I is held, got none$"):
        control_infogan.fit(some_images(40, SHAPE), CodeSpec((), 1, 4), HELD, **OPTIONS)
