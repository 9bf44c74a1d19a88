"""The paper's algorithm: its configuration, who owns what, one step beside the formulas, and batch norm at rest."""

import copy
import inspect
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from small_runs import QUICK, QUICK_OF, SHAPE, SPEC, raising, same, some_images, train

from infogan_helpers.checkpoints import load_networks, save_networks
from infogan_helpers.codes import CodeSpec
from infogan_helpers.losses import code_recovery
from infogan_helpers.methods import infogan
from infogan_helpers.methods.infogan import PRESETS, Config, fit, train_step
from infogan_helpers.methods.players import Players, make_players
from infogan_helpers.posteriors import Posterior


def parameters(*modules):
    return [p.detach().clone() for module in modules for p in module.parameters()]


# --- the configuration


@pytest.mark.parametrize("name", ["steps", "batch_size", "sample_every", "checkpoint_every"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "5", None, True, False, 100.0])
def test_config_refuses_counts_that_are_none(name, value):
    with pytest.raises(ValueError, match=rf"^{name} must be an integer of at least 1, got {value!r}$"):
        Config(**{name: value})


@pytest.mark.parametrize("name", ["learning_rate_g", "learning_rate_d", "learning_rate_q", "width"])
@pytest.mark.parametrize("value", [0, -1e-3, float("nan"), float("inf"), "1e-3", None, True])
def test_config_refuses_rates_and_widths_that_are_not_positive(name, value):
    with pytest.raises(ValueError, match=rf"^{name} must be a number above 0, got {value!r}$"):
        Config(**{name: value})


@pytest.mark.parametrize("name", ["lambda_categorical", "lambda_continuous"])
@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf"), "1", None, False])
def test_config_refuses_weights_below_zero(name, value):
    with pytest.raises(ValueError, match=rf"^{name} must be a number of at least 0, got {value!r}$"):
        Config(**{name: value})


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("seed", -1, r"an integer in \[0, 2\*\*32\)"),
        ("seed", 2**32, r"an integer in \[0, 2\*\*32\)"),
        ("seed", 1.0, r"an integer in \[0, 2\*\*32\)"),
        ("seed", True, r"an integer in \[0, 2\*\*32\)"),
        ("betas", (0.5,), r"two numbers in \[0, 1\)"),
        ("betas", (0.5, 1.0), r"two numbers in \[0, 1\)"),
        ("betas", (-0.1, 0.9), r"two numbers in \[0, 1\)"),
        ("betas", 0.5, r"two numbers in \[0, 1\)"),
        ("betas", ("0", 0.9), r"two numbers in \[0, 1\)"),
        ("betas", (False, 0.9), r"two numbers in \[0, 1\)"),
        ("information_trains_trunk", 1, "True or False"),
        ("information_trains_trunk", None, "True or False"),
        ("architecture", "resnet", "'conv', 'mlp', 'deep', 'mirrored', 'growing' or 'points'"),
        ("architecture", ["conv"], "'conv', 'mlp', 'deep', 'mirrored', 'growing' or 'points'"),
        ("variance", "free", "'learned' or 'fixed'"),
        ("variance", ["fixed"], "'learned' or 'fixed'"),
        ("norm", "layer", "'batch', 'spectral' or 'none'"),
        ("game", "least squares", "'standard', 'r1', 'r1_light', 'hinge' or 'wasserstein'"),
    ],
)
def test_config_names_the_field_what_it_takes_and_what_it_got(name, value, wanted):
    with pytest.raises(ValueError, match=rf"^{name} must be {wanted}, got ") as error:
        Config(**{name: value})
    assert str(error.value).endswith(repr(value))


def test_config_takes_its_own_limits_and_is_frozen():
    config = Config(seed=2**32 - 1, lambda_categorical=0, lambda_continuous=0.0, betas=[0, 0.9], steps=1)
    assert config.betas == (0, 0.9)
    with pytest.raises(AttributeError):
        config.steps = 2


# --- one step


def a_step(config=QUICK, spec=SPEC, steps=1, before=None):
    """``(players before, players after, metrics)`` of steps on one fixed batch."""
    torch.manual_seed(0)
    players = make_players(spec, SHAPE, config)
    if before is not None:
        before(players)
    start = copy.deepcopy((players.generator, players.discriminator_q))
    draws = torch.Generator().manual_seed(5)
    real = some_images(config.batch_size).float() / 127.5 - 1
    torch.manual_seed(1)  # of the dropout
    for _ in range(steps):
        metrics = train_step(players, real, spec, config, draws)
    return start, players, metrics


def by_hand(start, config):
    """The same step written out: gradients by ``torch.autograd.grad``, losses from the paper's formulas."""
    g, dq = copy.deepcopy(start)
    draws = torch.Generator().manual_seed(5)
    real = some_images(config.batch_size).float() / 127.5 - 1
    torch.manual_seed(1)

    def update(owned, objective, rate):
        gradients = torch.autograd.grad(objective, owned, retain_graph=True, allow_unused=True)
        adam = torch.optim.Adam(owned, lr=rate, betas=config.betas, fused=True)
        for p, gradient in zip(owned, gradients, strict=True):
            p.grad = gradient
        return adam.step

    def bounds(posterior, codes):
        log_q = F.log_softmax(posterior.categorical_logits[0], dim=1)[torch.arange(len(codes)), codes.categorical[:, 0]]
        gaussian = torch.distributions.Normal(posterior.mean, (0.5 * posterior.log_variance).exp())
        return log_q.mean() + np.log(3), gaussian.log_prob(codes.continuous).sum(1).mean() + np.log(2)

    def weighted(bound):
        return config.lambda_categorical * bound[0] + config.lambda_continuous * bound[1]

    codes = SPEC.sample(len(real), draws)
    fake = g(codes)
    real_logit, _ = dq(real)
    fake_logit, posterior = dq(fake)
    d_loss = -(F.logsigmoid(real_logit).mean() + F.logsigmoid(-fake_logit).mean())
    g_loss, bound = -F.logsigmoid(fake_logit).mean(), bounds(posterior, codes)
    of_d = d_loss - (weighted(bound) if config.information_trains_trunk else 0)
    steps = [
        update([*dq.trunk.parameters(), *dq.real_head.parameters()], of_d, config.learning_rate_d),
        update([*g.parameters()], g_loss - weighted(bound), config.learning_rate_g),
        update([*dq.q_head.parameters()], -(bound[0] + bound[1]), config.learning_rate_q),
    ]
    for step in steps:
        step()
    recovery = (posterior.categorical_logits[0].argmax(1) == codes.categorical[:, 0]).float().mean()
    accuracy = ((real_logit > 0).sum() + (fake_logit <= 0).sum()) / (2 * len(real))
    return g, dq, (d_loss, g_loss, *bound, accuracy, recovery)


@pytest.mark.parametrize("trunk", [False, True])
@pytest.mark.parametrize("architecture", QUICK_OF)
def test_a_step_agrees_with_the_algorithm_written_out(architecture, trunk):
    # A large batch keeps gradients well above rounding, which Adam's first step would blow up; biases before a batch
    # norm have no gradient but rounding, so they are left out.
    config = replace(
        QUICK_OF[architecture], information_trains_trunk=trunk, batch_size=16, width=0.1,
        lambda_categorical=0.7, lambda_continuous=0.2, learning_rate_g=1e-3, learning_rate_d=2e-3, learning_rate_q=3e-3,
    )  # fmt: skip
    start, players, metrics = a_step(config)
    g, dq, expected = by_hand(start, config)
    for got, wanted in zip(metrics, expected, strict=True):
        assert float(got) == pytest.approx(float(wanted.detach()), abs=1e-5)
    compared = 0
    for done, wanted, began in ((players.generator, g, start[0]), (players.discriminator_q, dq, start[1])):
        for name, p in wanted.named_parameters():
            moved, difference = (p - began.get_parameter(name)).abs(), (p - done.get_parameter(name)).abs()
            if not name.endswith("bias"):
                assert moved.max() > 1e-4, name
                assert (difference > 1e-5).float().mean() < 0.01, name
                compared += 1
    assert compared > 8


def test_the_discriminators_update_moves_the_trunk_and_its_head_only(monkeypatch):
    monkeypatch.setattr(torch.optim.Adam, "step", _only_steps_of({2e-3}))
    config = replace(QUICK, learning_rate_g=1e-3, learning_rate_d=2e-3, learning_rate_q=3e-3)
    (g, dq), players, _ = a_step(config)
    assert same(parameters(g, dq.q_head), parameters(players.generator, players.discriminator_q.q_head))
    assert not same(parameters(dq.trunk), parameters(players.discriminator_q.trunk))
    assert not same(parameters(dq.real_head), parameters(players.discriminator_q.real_head))


def test_the_update_of_g_and_q_moves_neither_the_trunk_nor_ds_head(monkeypatch):
    monkeypatch.setattr(torch.optim.Adam, "step", _only_steps_of({1e-3, 3e-3}))
    config = replace(QUICK, learning_rate_g=1e-3, learning_rate_d=2e-3, learning_rate_q=3e-3)
    (g, dq), players, _ = a_step(config, steps=2)
    after = players.discriminator_q
    assert same(parameters(dq.trunk, dq.real_head), parameters(after.trunk, after.real_head))
    assert not same(parameters(g), parameters(players.generator))
    assert not same(parameters(dq.q_head), parameters(after.q_head))


def _only_steps_of(rates):
    step = torch.optim.Adam.step

    def chosen(self, closure=None):
        if self.param_groups[0]["lr"] in rates:
            return step(self, closure)
        return None

    return chosen


def test_without_the_option_information_leaves_no_trace_in_the_trunks_first_update():
    trunks = [
        parameters(a_step(replace(QUICK, lambda_categorical=c, lambda_continuous=c))[1].discriminator_q.trunk)
        for c in (0.0, 5.0)
    ]
    assert same(*trunks)


def test_with_the_option_information_trains_the_trunk_and_not_ds_head():
    plain, informed = (
        a_step(replace(QUICK, information_trains_trunk=trains))[1].discriminator_q for trains in (False, True)
    )
    assert not same(parameters(plain.trunk), parameters(informed.trunk))
    assert same(parameters(plain.real_head), parameters(informed.real_head))


def test_with_the_option_and_no_weight_the_trunk_learns_as_in_a_plain_gan():
    silent = {"lambda_categorical": 0, "lambda_continuous": 0}
    plain, weightless = (
        a_step(replace(QUICK, information_trains_trunk=t, **silent))[1].discriminator_q for t in (False, True)
    )
    assert same(parameters(plain.trunk), parameters(weightless.trunk))


def test_lambda_decides_how_g_is_pushed_while_q_reads_in_any_case():
    control = a_step(replace(QUICK, lambda_categorical=0, lambda_continuous=0))
    pushed = a_step(replace(QUICK, lambda_categorical=1, lambda_continuous=1))
    assert not same(parameters(control[1].generator), parameters(pushed[1].generator))
    q = [players.discriminator_q.q_head for _, players, _ in (control, pushed)]
    assert same(parameters(q[0]), parameters(q[1]))
    assert not same(parameters(q[0]), parameters(control[0][1].q_head))


@pytest.mark.parametrize("name", ["lambda_categorical", "lambda_continuous"])
def test_each_lambda_reaches_g(name):
    low, high = (a_step(replace(QUICK, **{name: weight}))[1].generator for weight in (0.0, 2.0))
    assert not same(parameters(low), parameters(high))


def test_a_step_draws_its_codes_from_the_given_generator():
    first, second = (a_step()[2], a_step()[2])
    assert torch.equal(torch.stack(first), torch.stack(second))
    torch.manual_seed(0)
    players = make_players(SPEC, SHAPE, QUICK)
    before = torch.get_rng_state()
    train_step(players, some_images(4).float() / 127.5 - 1, SPEC, QUICK, torch.Generator().manual_seed(6))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_step_measures_losses_bounds_and_shares():
    metrics = a_step()[2]
    assert all(value.ndim == 0 and not value.requires_grad for value in metrics)
    assert all(torch.isfinite(value) for value in metrics)
    assert float(metrics.d_loss) == pytest.approx(2 * np.log(2), abs=0.3)
    assert float(metrics.g_loss) == pytest.approx(np.log(2), abs=0.3)
    assert 0 <= metrics.d_accuracy <= 1
    assert float(metrics.code_recovery) in (0, 0.25, 0.5, 0.75, 1)


def test_gradients_are_switched_on_for_every_weight_after_a_step():
    _, players, _ = a_step()
    assert all(p.requires_grad for p in [*players.generator.parameters(), *players.discriminator_q.parameters()])


@pytest.mark.parametrize("failing", ["lower_bound", "step_metrics"])
def test_gradients_are_switched_on_after_a_step_that_failed(monkeypatch, failing):
    players = make_players(SPEC, SHAPE, QUICK)
    monkeypatch.setattr(infogan, failing, raising(RuntimeError("on purpose")))
    with pytest.raises(RuntimeError, match="on purpose"):
        train_step(players, some_images(4).float() / 127.5 - 1, SPEC, QUICK)
    assert all(p.requires_grad for p in [*players.generator.parameters(), *players.discriminator_q.parameters()])


def test_a_batch_of_one_trains():
    metrics = a_step(replace(QUICK, batch_size=1), steps=2)[2]
    assert all(torch.isfinite(value) for value in metrics)


def test_nothing_takes_labels():
    for function in (fit, train_step, make_players):
        assert not [name for name in inspect.signature(function).parameters if "label" in name or "target" in name]
    assert not [item.name for item in fields(Config) if "label" in item.name]
    with pytest.raises(ValueError, match=r"^images must be a tensor"):
        fit((some_images(), torch.zeros(18)), SPEC, QUICK, device="cpu", progress=False)


def test_code_recovery_averages_over_codes_and_is_nan_without_any():
    spec = CodeSpec(categorical=(2, 3), continuous=0, noise=1)
    codes = spec.sample(4).replace(categorical=torch.tensor([[0, 2], [1, 1], [0, 0], [1, 2]]))
    right = [F.one_hot(codes.categorical[:, 0], 2).float(), F.one_hot(codes.categorical[:, 1], 3).float()]
    posterior = certain(right[0], right[1])
    assert code_recovery(posterior, codes) == 1.0
    assert code_recovery(certain(right[0], right[1].roll(1, 1)), codes) == 0.5
    none = CodeSpec(categorical=(), continuous=1, noise=1).sample(4)
    assert torch.isnan(code_recovery(certain(), none))


def certain(*logits):
    return Posterior(tuple(logits), torch.zeros(4, 0), torch.zeros(4, 0))


# --- what it is for


class OnePixel(torch.nn.Module):
    """A generator of two weights: a picture is one number, a weight times the code plus a weight times the noise."""

    def __init__(self, spec, image_shape):
        super().__init__()
        self.spec, self.image_shape = spec, image_shape
        self.of_code, self.of_noise = (torch.nn.Parameter(torch.tensor(start)) for start in (0.3, 1.0))

    def forward(self, codes):
        return self.of_code * (2.0 * codes.categorical - 1) + self.of_noise * codes.noise


class Reader(torch.nn.Module):
    """A D that answers 0 whatever it sees; a Q of one weight w that answers the picture x by the logits -wx and wx."""

    def __init__(self):
        super().__init__()
        self.real_head, self.q_head = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.zeros_(self.real_head.weight), torch.nn.init.zeros_(self.real_head.bias)
        torch.nn.init.ones_(self.q_head.weight)

    def forward(self, images):
        read, nothing = self.q_head(images), torch.zeros(len(images), 0)
        return self.real_head(images)[:, 0], Posterior((torch.cat([-read, read], dim=1),), nothing, nothing)


@pytest.mark.parametrize("pressure", [0.0, 1.0])
def test_under_lambda_pictures_come_to_tell_their_code_and_without_it_they_stay(pressure):
    """A game with one answer: D is blind and rests, so that G hears L_I alone, and drowns the noise in the code."""
    spec, signal = CodeSpec(categorical=(2,), continuous=0, noise=1), []

    def make(spec, image_shape, config, device):
        g, dq = OnePixel(spec, image_shape), Reader()
        rates = ((g, 0.05), (dq.real_head, 0.0), (dq.q_head, 0.05))
        return Players(g, dq, *(torch.optim.SGD(module.parameters(), lr=rate) for module, rate in rates))

    def step(players, *rest):
        g = players.generator
        signal.append(abs(g.of_code.item() / g.of_noise.item()))
        return train_step(players, *rest)

    config = replace(QUICK, steps=400, batch_size=256, sample_every=400, lambda_categorical=pressure)
    method = infogan.METHOD._replace(make=make, step=step, finish=lambda *_: None)
    trained = train(config, torch.zeros(256, 1), spec, method)
    bound, recovered = (np.mean(x[-50:]) for x in (trained.history.bound_categorical, trained.history.code_recovery))
    if pressure:
        assert signal[-1] > 10 * signal[0]
        assert recovered > 0.95
        assert 0.5 < bound < np.log(2)
    else:
        assert set(signal) == {signal[0]}
        assert 0.0 < bound < 0.15  # what a weight of 0.3 tells through noise of 1
    assert abs(trained.players.discriminator_q.q_head.weight.item() - 1) > 0.2


# --- the presets


def test_the_presets_are_what_their_sources_say():
    paper = PRESETS["paper"]
    assert (paper.learning_rate_g, paper.learning_rate_d, paper.learning_rate_q) == (1e-3, 2e-4, 2e-4)
    assert (paper.steps, paper.batch_size, paper.width, paper.variance) == (5000, 128, 1.0, "fixed")
    assert paper.information_trains_trunk
    assert (paper.lambda_categorical, paper.lambda_continuous) == (1.0, 1.0)
    assert (PRESETS["seed_mlp"].architecture, PRESETS["seed_mlp"].norm) == ("mlp", "none")
    assert PRESETS["plain"] == Config()
    assert not any(preset.scheduled for preset in PRESETS.values())


@pytest.mark.parametrize("game", ["hinge", "wasserstein"])
def test_other_games_train_and_the_critics_penalty_is_in_its_loss(game):
    config = replace(QUICK, game=game, norm="none")
    metrics = a_step(config)[2]
    assert all(torch.isfinite(value) for value in metrics)
    # Untrained logits are near 0, and so is the critic's slope: (0 - 1)² of ten.
    assert float(metrics.d_loss) == pytest.approx({"hinge": 2.0, "wasserstein": 10.0}[game], abs=0.5)
    with pytest.raises(ValueError, match=r"norm must be 'spectral' or 'none' where game is 'wasserstein'.*got 'batch'"):
        replace(config, game="wasserstein", norm="batch")


def test_a_spectral_discriminator_trains_and_its_file_loads(tmp_path):
    result = fit(some_images(), SPEC, replace(QUICK, norm="spectral", game="hinge"), device="cpu", progress=False)
    save_networks(tmp_path / "networks.safetensors", result.generator, result.discriminator_q)
    _, again = load_networks(tmp_path / "networks.safetensors")
    images = some_images().float() / 127.5 - 1
    assert again.norm == "spectral"
    assert torch.equal(again(images)[0], result.discriminator_q(images)[0])
