"""A flexible Q: densities against closed forms, the plain step where the family is plain, gradients, resume, gaps."""

import math
from dataclasses import replace

import pytest
import torch
from small_runs import Stop, assert_same_state, ctrl_c, same, some_images
from torch import nn

from infogan_helpers.channels import CHANNELS
from infogan_helpers.checkpoints import save_networks
from infogan_helpers.codes import Codes, CodeSpec
from infogan_helpers.evaluation import read_codes
from infogan_helpers.losses import lower_bound
from infogan_helpers.methods import infogan, variational
from infogan_helpers.methods.players import make_players
from infogan_helpers.methods.variational import (
    FAMILIES,
    Config,
    FlexiblePosterior,
    FlexibleQHead,
    draw_continuous,
    fit,
    make,
    train_step,
)
from infogan_helpers.networks import MAX_LOG_VARIANCE, MIN_LOG_VARIANCE, QHead

SPEC = CodeSpec((3,), 2, 4)
SHAPE = (1, 8, 8)
QUICK = Config(steps=12, batch_size=4, width=0.1, sample_every=5, checkpoint_every=5, seed=3)
FEATURES = 6


def batch(n=4):
    return some_images(n, SHAPE).float() / 127.5 - 1


def head(family, spec=SPEC, seed=0):
    torch.manual_seed(seed)
    return FlexibleQHead(QHead(spec, FEATURES, 0, "learned", "none"), family)


def answers(family, n=5, spec=SPEC):
    return head(family, spec)(torch.randn(n, FEATURES, generator=torch.Generator().manual_seed(1)))


def a_step(config, spec=SPEC):
    torch.manual_seed(0)
    players = variational.METHOD.make(spec, SHAPE, config)
    torch.manual_seed(1)
    metrics = train_step(players, batch(), spec, config, torch.Generator().manual_seed(5))
    return players, metrics


# --- the configuration and what is refused


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("family", "student", "'gaussian', 'mixture' or 'flow'"),
        ("family", None, "'gaussian', 'mixture' or 'flow'"),
        ("variance", "fixed", "'learned' where Q is flexible"),
        ("architecture", "mirrored", "'conv', 'mlp' or 'deep' where Q is flexible .*"),
        ("lambda_continuous", -1, "a number of at least 0"),
    ],
)
def test_config_names_the_field_what_it_takes_and_what_it_got(name, value, wanted):
    with pytest.raises(ValueError, match=rf"^{name} must be {wanted}, got {value!r}$"):
        Config(**{name: value})


def test_codes_that_it_cannot_read_are_refused():
    with pytest.raises(ValueError, match=r"^spec must have no circular code where Q is flexible .*, got 2$"):
        fit(some_images(18, SHAPE), CodeSpec((3,), 1, 4, circular=2), QUICK, device="cpu", progress=False)
    with pytest.raises(ValueError, match=r"^spec must have at least one continuous code .*, got none$"):
        make(CodeSpec((3,), 0, 4), SHAPE, QUICK)


def test_codes_of_another_shape_are_refused():
    posterior = answers("mixture")
    with pytest.raises(ValueError, match=r"^codes.continuous must have shape \(5, 2\), got \(5, 1\)$"):
        posterior.log_prob(CodeSpec((3,), 1, 4).sample(5))
    with pytest.raises(ValueError, match=r"^posterior.circular must have one VonMises per code \(1\), got 0$"):
        posterior.log_prob(CodeSpec((3,), 2, 4, circular=1).sample(5))


# --- densities


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("codes", [1, 2])
def test_a_density_is_one_in_all(family, codes):
    posterior = answers(family, 2, CodeSpec((), codes, 0))
    steps = torch.linspace(-8, 8, 161)
    grid = torch.cartesian_prod(*[steps] * codes).reshape(-1, 1, codes)
    with torch.no_grad():
        total = posterior.continuous.log_prob(grid.expand(-1, 2, -1)).exp().sum(0) * (steps[1] - steps[0]) ** codes
    assert total.tolist() == pytest.approx([1, 1], abs=0.01)


def test_the_joint_density_stands_in_the_first_continuous_column():
    codes = SPEC.sample(5, torch.Generator().manual_seed(0))
    posterior = answers("flow")
    by_code = posterior.log_prob(codes)
    assert by_code.shape == (5, 3)
    log_softmax = posterior.categorical_logits[0].log_softmax(1)
    torch.testing.assert_close(by_code[:, 0], log_softmax[torch.arange(5), codes.categorical[:, 0]])
    assert torch.equal(by_code[:, 1], posterior.continuous.log_prob(codes.continuous))
    assert not by_code[:, 2].any()


def test_a_mixture_is_the_sum_of_its_weighted_bells():
    spec = CodeSpec((), 2, 0)
    mixture, codes = answers("mixture", spec=spec).continuous, spec.sample(5, torch.Generator().manual_seed(0))
    weights, bells = mixture.mixture_distribution.probs, mixture.component_distribution.base_dist
    z = (codes.continuous[:, None, :] - bells.mean) / bells.stddev
    densities = (torch.exp(-0.5 * z**2) / (bells.stddev * math.sqrt(2 * math.pi))).prod(dim=2)
    expected = (weights * densities).sum(dim=1).log()
    torch.testing.assert_close(answers("mixture", spec=spec).log_prob(codes)[:, 0], expected, rtol=1e-4, atol=1e-5)


def test_a_gaussian_says_what_the_plain_head_says():
    torch.manual_seed(0)
    plain = QHead(SPEC, FEATURES, 8, "learned", "batch").eval()
    flexible = FlexibleQHead(plain, "gaussian").eval()
    features, codes = torch.randn(7, FEATURES), SPEC.sample(7, torch.Generator().manual_seed(0))
    theirs, ours = plain(features), flexible(features)
    torch.testing.assert_close(ours.mean, theirs.mean)
    torch.testing.assert_close(ours.log_variance, theirs.log_variance)
    bounds = [lower_bound(posterior, codes, SPEC) for posterior in (ours, theirs)]
    torch.testing.assert_close(bounds[0].total, bounds[1].total)


@pytest.mark.parametrize("family", ["gaussian", "mixture"])
def test_no_bell_is_narrower_or_wider_than_the_plain_heads(family):
    answer = head(family)
    for sign, limit in ((-1e4, MIN_LOG_VARIANCE), (1e4, MAX_LOG_VARIANCE)):
        nn.init.constant_(answer.continuous.raw_log_variance.bias, sign)
        distribution = answer(torch.zeros(1, FEATURES)).continuous
        bells = distribution if family == "gaussian" else distribution.component_distribution
        assert bells.stddev.log().mul(2).flatten().tolist() == pytest.approx([limit] * bells.stddev.numel(), abs=1e-4)


def test_families_are_as_large_as_they_are_said_to_be():
    mixture, codes = head("mixture").continuous, SPEC.continuous
    assert [layer.out_features for layer in (mixture.weights, mixture.mean, mixture.raw_log_variance)] == [
        8, 8 * codes, 8 * codes,
    ]  # fmt: skip
    splines = list(head("flow").continuous.transform.transforms)
    inner = [[layer.out_features for layer in spline.hyper if hasattr(layer, "out_features")] for spline in splines]
    assert inner == [[64, codes * (3 * 16 - 1)]] * 2  # widths and heights of 16 bins, slopes at the ends of 15


@pytest.mark.parametrize("family", ["gaussian", "mixture"])
def test_what_is_not_finite_goes_through_for_the_loop_to_name(family):
    answer, codes = head(family).continuous, torch.zeros(3, SPEC.continuous)
    assert answer(torch.full((3, FEATURES), math.nan)).log_prob(codes).isnan().all()
    assert answer(torch.zeros(3, FEATURES)).log_prob(codes + math.nan).isnan().all()


# --- moments and draws


@pytest.mark.parametrize("family", FAMILIES)
def test_moments_are_those_of_many_draws(family):
    posterior = answers(family, n=2)
    torch.manual_seed(2)
    drawn = posterior.continuous.sample((40_000,))
    few = {"gaussian": 0.05, "mixture": 0.05, "flow": 0.4}[family]  # a flow's are of 256 draws
    torch.testing.assert_close(posterior.mean, drawn.mean(0), atol=few, rtol=0)
    torch.testing.assert_close(posterior.log_variance, drawn.var(0).log(), atol=few, rtol=0)


def test_a_flows_moments_are_the_same_each_time_and_leave_the_readers_seed_alone():
    posterior, before = answers("flow"), torch.get_rng_state()
    assert torch.equal(posterior.mean, posterior.mean)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("family", ["gaussian", "flow"])
def test_a_gradient_on_a_drawn_code_reaches_q(family):
    answer = head(family)
    drawn = draw_continuous(answer(torch.ones(3, FEATURES)))
    assert drawn.shape == (3, 2)
    drawn.square().sum().backward()
    assert any(p.grad is not None and p.grad.abs().max() > 0 for p in answer.continuous.parameters())
    assert all(p.grad is None for p in answer.categorical.parameters())


def test_a_gaussian_draw_is_the_mean_plus_noise_in_its_scale():
    posterior = answers("gaussian")
    torch.manual_seed(4)
    noise = torch.randn(5, 2)
    torch.manual_seed(4)
    drawn = draw_continuous(posterior)
    torch.testing.assert_close(drawn, posterior.mean + noise * (0.5 * posterior.log_variance).exp())


def test_a_mixture_has_no_such_draw():
    wanted = r"^posterior must be of the family 'gaussian' or 'flow', since which .*, got MixtureSameFamily$"
    with pytest.raises(ValueError, match=wanted):
        draw_continuous(answers("mixture"))


# --- one step


def test_where_the_family_is_gaussian_a_step_is_the_papers():
    config = replace(QUICK, family="gaussian", lambda_categorical=0.7, lambda_continuous=0.3)
    ours, measured = a_step(config)
    plain = infogan.Config(**{name: getattr(config, name) for name in infogan.Config.__dataclass_fields__})
    torch.manual_seed(0)
    theirs = make_players(SPEC, SHAPE, plain)
    torch.manual_seed(1)
    metrics = infogan.train_step(theirs, batch(), SPEC, plain, torch.Generator().manual_seed(5))
    torch.testing.assert_close(torch.stack(measured), torch.stack(metrics))
    renamed = {f"q_head.continuous.{part}": f"q_head.{part}" for part in ("mean", "raw_log_variance")}
    compared = 0
    for mine, other in ((ours.generator, theirs.generator), (ours.discriminator_q, theirs.discriminator_q)):
        for name, p in mine.named_parameters():
            layer, _, kind = name.rpartition(".")
            if kind == "weight":  # biases before a batch norm have no gradient but rounding
                difference = (p - other.get_parameter(f"{renamed.get(layer, layer)}.{kind}")).abs()
                assert (difference > 1e-5).float().mean() < 0.01, name
                compared += 1
    assert compared > 8


@pytest.mark.parametrize("family", FAMILIES)
def test_every_weight_of_q_moves_and_has_one_owner(family):
    torch.manual_seed(0)
    before = [p.detach().clone() for p in make(SPEC, SHAPE, replace(QUICK, family=family)).discriminator_q.parameters()]
    players, metrics = a_step(replace(QUICK, family=family))
    assert all(torch.isfinite(value) for value in metrics)
    optimizers = (players.optimizer_g, players.optimizer_d, players.optimizer_q)
    owned = [id(p) for o in optimizers for group in o.param_groups for p in group["params"]]
    everyone = [*players.generator.parameters(), *players.discriminator_q.parameters()]
    assert sorted(owned) == sorted(map(id, everyone))
    assert players.optimizer_q.param_groups[0]["lr"] == QUICK.learning_rate_q
    moved = [not torch.equal(a, b) for a, b in zip(before, players.discriminator_q.parameters(), strict=True)]
    assert sum(moved) / len(moved) > 0.8  # masks of a flow and biases before a batch norm stay


def test_lambda_decides_what_g_hears_of_q_while_q_reads_in_any_case():
    silent = {"lambda_categorical": 0.0, "lambda_continuous": 0.0}
    deaf = {family: a_step(replace(QUICK, family=family, **silent))[0] for family in FAMILIES}
    hearing = {family: a_step(replace(QUICK, family=family, lambda_continuous=2.0))[0] for family in FAMILIES}
    first = deaf["gaussian"]
    for family in FAMILIES:
        assert same(deaf[family].generator.parameters(), first.generator.parameters())
        assert same(deaf[family].discriminator_q.trunk.parameters(), first.discriminator_q.trunk.parameters())
        assert not same(hearing[family].generator.parameters(), first.generator.parameters())
        assert same(hearing[family].discriminator_q.trunk.parameters(), first.discriminator_q.trunk.parameters())


def test_the_trunk_hears_of_q_where_it_is_asked_to():
    plain, informed = (a_step(replace(QUICK, information_trains_trunk=trains))[0] for trains in (False, True))
    assert not same(plain.discriminator_q.trunk.parameters(), informed.discriminator_q.trunk.parameters())
    assert same(plain.discriminator_q.real_head.parameters(), informed.discriminator_q.real_head.parameters())


# --- runs


@pytest.mark.parametrize("family", ["mixture", "flow"])
def test_a_run_resumes_bit_for_bit(tmp_path, family):
    config, options = replace(QUICK, family=family), {"device": "cpu", "progress": False}
    whole = fit(some_images(18, SHAPE), SPEC, config, checkpoint=tmp_path / "whole.safetensors", **options)
    file = tmp_path / "run.safetensors"
    part = fit(some_images(18, SHAPE), SPEC, config, checkpoint=file, callback=Stop(5, ctrl_c), **options)
    assert part.interrupted
    again = fit(some_images(18, SHAPE), SPEC, config, checkpoint=file, **options)
    assert_same_state(file, tmp_path / "whole.safetensors")
    assert same(again.discriminator_q.parameters(), whole.discriminator_q.parameters())


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("architecture", ["conv", "mlp", "deep"])
def test_what_was_trained_reads_images(family, architecture):
    norm = "batch" if architecture == "conv" else "none"
    config = replace(QUICK, family=family, architecture=architecture, norm=norm, steps=2)
    result = fit(some_images(18, SHAPE), SPEC, config, device="cpu", progress=False)
    read = read_codes(result.discriminator_q, some_images(7, SHAPE))
    assert read.mean.shape == read.log_variance.shape == (7, 2)
    assert torch.isfinite(read.mean).all()
    assert torch.isfinite(read.log_variance).all()
    with torch.no_grad():
        assert isinstance(result.discriminator_q(batch())[1], FlexiblePosterior)


def test_a_file_of_plain_networks_does_not_take_a_flexible_q(tmp_path):
    players = make(SPEC, SHAPE, QUICK)
    with pytest.raises(AttributeError, match="variance"):
        save_networks(tmp_path / "networks.safetensors", players.generator, players.discriminator_q)
    assert not list(tmp_path.iterdir())


# --- what it is for


def gap(family, seed, steps=250):
    """I - L_I, in nats, of a small Q on the channel whose picture is the same for c and -c."""
    channel, spec = CHANNELS["symmetric"], CodeSpec((), 1, 0)
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    q = nn.Sequential(nn.Linear(1, 32), nn.LeakyReLU(0.1), nn.Linear(32, FEATURES), nn.LeakyReLU(0.1))
    q.append(FlexibleQHead(QHead(spec, FEATURES, 0, "learned", "none"), family))
    adam = torch.optim.Adam(q.parameters(), lr=0.02)
    for _ in range(steps):
        codes, x = channel.sample(256, random)
        loss = -q(x).continuous.log_prob(codes).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
    codes, x = channel.sample(20_000, random)
    none = codes[:, :0]
    with torch.no_grad():
        return channel.information() - lower_bound(q(x), Codes(none, none.long(), codes), spec).total.item()


@pytest.mark.parametrize("seed", range(3))  # ten were looked at
def test_a_mixture_closes_most_of_a_gaussians_gap_where_the_posterior_has_two_humps(seed):
    of_gaussian, of_mixture = (gap(family, seed) for family in ("gaussian", "mixture"))
    assert 0.65 < of_gaussian < 0.8
    assert 0 < of_mixture < 0.2 * of_gaussian
